"""Indexes: whatever `index.json` holds, the product is read or the file is named."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, export
from tests.conftest import CLOUDS, derivation, scene
from utils.errors import DataError


def index(**files: object) -> dict[str, Any]:
    return {"features": {"ndigit": 6}, "files": {key.removeprefix("_"): entry for key, entry in files.items()}}


def entry(name: object) -> dict[str, object]:
    return {"frame": name, "annotation": "annotations/annotation_0.h5"}


def nested(levels: int) -> dict[str, Any]:
    return {"source": nested(levels - 1)} if levels else {}


GOOD = entry("frames/frame_0.h5")
INSIDE = "expected the name of an .h5 or .jpg file inside the product"
BROKEN = {
    "no JSON": ("{", "not the index of a product"),
    "no text": (b"\xff\xfe\x00", "found no text in UTF-8"),
    "nothing": ("", "not the index of a product"),
    "not a number": (
        {**index(_0=GOOD), "provenance": {"x": float("nan")}},
        "provenance: Out of range float values",
    ),
    "deep": ("[" * 10**5, "not the index of a product"),
    "held-out views that are none": (
        {**index(_0=GOOD), "provenance": {"configuration": {"ts": {"held_out": {"views": "1-x"}}}}},
        "provenance: found '1-x', expected numbers",
    ),
    "a list": ([], "expected a mapping of keys to values"),
    "no keys": ({}, "missing key 'features'"),
    "no steps": (index(), "found no frame at any of 0 steps"),
    "no frames": (index(_0=None), "found no frame at any of 1 steps"),
    "later steps": (index(_1=GOOD), "found a step '1', expected one entry for each from 0 to 0"),
    "negative steps": (index(_0=GOOD, **{"-1": GOOD}), "found a step '-1'"),
    "huge steps": (index(_0=GOOD, _1000000000=GOOD), "found a step '1000000000'"),
    "step twice": (index(_0=GOOD, _00=GOOD), "found a step '00'"),
    "no step": (index(x=None), "found a step 'x'"),
    "half an entry": (index(_0={"frame": "x.h5"}), "missing key 'files.0.annotation'"),
    "a list for an entry": (index(_0=["x.h5"]), "files.0: "),
    "a number for a name": (index(_0=entry(3)), "files.0.frame: found 3, expected a valid string"),
    "absolute": (index(_0=entry("/etc/passwd.h5")), INSIDE),
    "outside": (index(_0=entry("frames/../../x.h5")), INSIDE),
    "no name": (index(_0=entry("")), INSIDE),
    "the folder": (index(_0=entry(".")), INSIDE),
    "other format": (index(_0=entry("frames/frame_0.pkl")), INSIDE),
    "null character": (index(_0=entry("x\0.h5")), INSIDE),
    "missing": (index(_0=entry("x.h5")), "x.h5: no such file, expected the frame of step 0"),
    "too long": (index(_0=entry("x" * 5000 + ".h5")), "cannot be read .File name too long"),
    "no Unicode": (index(_0=entry("\ud800.h5")), "not the index of a product"),
    "parcels": ({**index(_0=GOOD), "features": {"ndigit": 10**12}}, "features.ndigit"),
    "seed": ({**index(_0=GOOD), "provenance": {"seed": -1}}, "expected a whole number from 0"),
    "source's seed": ({**index(_0=GOOD), "provenance": {"source": {"seed": "x"}}}, "found seed 'x'"),
    "dates": (
        {**index(_0=GOOD), "dates": ["2023-01-01", None]},
        "dates: found 2, expected one for each of 1 time steps",
    ),
    "no date": ({**index(_0=GOOD), "dates": ["yesterday"]}, "dates.0"),
    "no place": ({**index(_0=GOOD), "georeference": {"crs": None, "transform": [1, 0, 0]}}, "georeference.transform"),
    "deep provenance": ({**index(_0=GOOD), "provenance": nested(30)}, "found more than 20 levels"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_index_is_named(product_folder: Path, name: str) -> None:
    content, message = BROKEN[name]
    content = content if isinstance(content, str | bytes) else json.dumps(content)
    (product_folder / "index.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message) as caught:
        ProductDataset(product_folder)
    assert str(caught.value).startswith(str(product_folder))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["frames/frame_0.h5", "annotations/annotation_1.h5", "../x.h5", "/dev/zero", "frames", "index.json"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)


def mutate(content: Any, choose: st.DataObject) -> None:
    """Change, drop or add one entry somewhere in plain values."""
    keys = list(content) if isinstance(content, dict) else range(len(content))
    deeper = [key for key in keys if isinstance(content[key], dict | list) and content[key]]
    if deeper and choose.draw(st.integers(0, 3)):
        mutate(content[choose.draw(st.sampled_from(deeper))], choose)
    elif not keys or isinstance(content, list):
        content[:] = [choose.draw(ODD)]
    elif choose.draw(st.booleans()):
        del content[choose.draw(st.sampled_from(keys))]
    else:
        content[choose.draw(st.one_of(st.sampled_from(keys), st.text(max_size=3)))] = choose.draw(ODD)


@settings(max_examples=25)
@given(choose=st.data())
def test_a_product_with_an_odd_index_is_derived_or_named(choose: st.DataObject, product_folder: Path) -> None:
    clouded = product_folder.parent / "clouded"
    if not clouded.exists():
        export({clouded: DerivedProduct(derivation(corruption=CLOUDS), scene(), 5)})
    content = json.loads((clouded / "index.json").read_text())
    for _ in range(choose.draw(st.integers(1, 3))):
        mutate(content, choose)
    odd = product_folder.parent / "odd"
    if not odd.exists():
        shutil.copytree(clouded, odd)
    (odd / "index.json").write_text(json.dumps(content))
    try:
        derived = DerivedProduct(derivation(corruption=CLOUDS), ProductDataset(odd), 5)
        samples = [derived.read(step) for step in derived.steps]
        json.dumps(derived.provenance(), indent=1)
    except DataError as error:
        message = str(error)
    else:
        assert all(np.isfinite(sample["frame"]).all() for sample in samples)
        message = str(odd)
    assert message.startswith(str(odd))


def test_a_pipe_in_place_of_the_index_is_named(product_folder: Path) -> None:
    (product_folder / "index.json").unlink()
    os.mkfifo(product_folder / "index.json")
    with pytest.raises(DataError, match="found a pipe, expected the index of a product"):
        ProductDataset(product_folder)
