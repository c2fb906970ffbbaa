"""A classifier's file is only ever read: whatever code it carries never runs."""

import contextlib
import io
import json
import os
import pickle
import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan.evaluation.archive import load_classifier, read, save_classifier, write
from src.rsgan.evaluation.classifiers import CLASSIFIERS
from tests.utils.test_results import ODD
from utils.errors import DataError


class Payload:
    """Creates a file when a pickle of it is read, or when it is built from a state."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.target,)

    def __setstate__(self, state: dict[str, str]) -> None:
        os.mkdir(state["target"])  # noqa: PTH102


def pickled(target: Path) -> bytes:
    return pickle.dumps(Payload(target))


def pickled_by_joblib(target: Path) -> bytes:
    stream = io.BytesIO()
    joblib.dump(Payload(target), stream)
    return stream.getvalue()


def objects_in_npz(target: Path) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, parameters=np.array([Payload(target)], dtype=object))
    return stream.getvalue()


def objects_beside_arrays(target: Path) -> bytes:
    """In an array that a classifier doesn't have, or in place of one that it has."""
    stream = io.BytesIO()
    description = np.array(json.dumps({"format_version": 2}))
    np.savez(stream, description=description, **{"model.parameters": np.array([Payload(target)], dtype=object)})
    return stream.getvalue()


def type_in_skops(target: Path) -> bytes:
    """The format of the first version: a schema that names types, here in a module that does its harm when imported."""
    (target.parent / "harmful_module_of_a_test.py").write_text(f"import os\nos.mkdir({str(target)!r})\nclass A: ...\n")
    node = {"__class__": "A", "__module__": "harmful_module_of_a_test", "__loader__": "ObjectNode", "__id__": 1}
    return zipped({"schema.json": json.dumps({**node, "protocol": 2}).encode()})


def pickle_as_array(target: Path) -> bytes:
    """A member that is no array at all."""
    return zipped(
        {name: pickled(target) for name in ("description.npy", "model.parameters.npy", "model.x", "data.pkl")}
    )


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


ATTACKS = (
    pickled,
    pickled_by_joblib,
    objects_in_npz,
    objects_beside_arrays,
    type_in_skops,
    pickle_as_array,
)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("suffix", [".npz", ".pickle", ".skops"])
def test_code_in_a_file_never_runs(
    attack: Callable[[Path], bytes], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    target, file = tmp_path / "harm", tmp_path / f"classifier{suffix}"
    file.write_bytes(attack(target))
    with pytest.raises(DataError, match="make it again with make_reference_classifier.py") as refusal:
        load_classifier(file)
    assert "\n" not in str(refusal.value)
    assert str(file) in str(refusal.value)
    assert not target.exists()


def test_the_payload_would_do_harm(tmp_path: Path) -> None:
    """Otherwise the test above would test nothing."""
    pickle.loads(pickled(tmp_path / "one"))  # noqa: S301
    np.load(io.BytesIO(objects_in_npz(tmp_path / "two")), allow_pickle=True)["parameters"]
    type_in_skops(tmp_path / "three")
    runpy.run_path(str(tmp_path / "harmful_module_of_a_test.py"))
    assert {folder.name for folder in tmp_path.iterdir() if folder.is_dir()} == {"one", "two", "three"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 4, 2)).astype(np.float32), rng.integers(1, 3, size=50)
    path = tmp_path / "classifier.npz"
    save_classifier(CLASSIFIERS.entries["logistic_regression"]().fit(lambda: iter([data])), path)
    return path


def test_a_truncated_file_is_refused(file: Path) -> None:
    content = file.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        with pytest.raises(DataError, match="expected a classifier file|not a complete classifier file"):
            load_classifier(file)


def test_a_flipped_byte_is_refused_or_harmless(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for place in range(0, len(content), 97):
        content[place] ^= 0xFF
        file.write_bytes(content)
        content[place] ^= 0xFF
        try:
            load_classifier(file)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [Path.mkdir, pipe, lambda path: None, Path.touch])
def test_what_is_no_such_file_is_named(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "classifier.npz"
    make(path)
    for place in (path, tmp_path / ("x" * 5000), tmp_path / "missing" / "classifier.npz"):
        with pytest.raises(DataError, match="expected a classifier file"):
            load_classifier(place)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 1}, "format_version: found 1, expected 3"),
        ({"more": 1}, "unknown key 'more'"),
        ({"settings": {"name": "unheard_of"}}, "settings: unknown name 'unheard_of'"),
        ({"settings": {"name": "logistic_regression", "tol": -1}}, "settings.tol: found -1"),
        ({"horizon": "4"}, "horizon: found '4'"),
        ({"nbands": 3}, "not a complete classifier file .ValueError"),
        ({"classes": [2, 1]}, r"classes: found \[2, 1\], expected each class once, in order"),
        ({"classes": [1, 10**9]}, "classes.1: found 1000000000"),
        ({"identity": {"configuration": 3}}, "identity.configuration: found 3"),
        ({"versions": {"a": json.loads("[" * 30 + "]" * 30)}}, "found more than 20 levels"),
    ],
)
def test_odd_descriptions_are_named(changes: dict[str, Any], message: str, file: Path) -> None:
    description, arrays = read(file)
    write(file, description | changes, arrays)
    with pytest.raises(DataError, match=f"{file}: .*{message}") as refusal:
        load_classifier(file)
    assert "\n" not in str(refusal.value)


def test_one_odd_entry_of_a_description_is_named_or_harmless(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path, sample = tmp_path / "classifier.npz", (rng.random((50, 4, 2), np.float32), rng.integers(1, 3, size=50))
    fitted = CLASSIFIERS.entries["logistic_regression"]().fit(lambda: iter([sample]))
    save_classifier(fitted, path)
    whole, arrays = read(path)

    @given(st.sampled_from([*whole]), ODD)
    def check(key: str, value: object) -> None:
        write(path, whole | {key: value}, arrays)
        with contextlib.suppress(DataError):
            assert (load_classifier(path).predict(sample[0]) == fitted.predict(sample[0])).all()

    check()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(value: float, file: Path) -> None:
    description, arrays = read(file)
    arrays["parameters"][0] = value
    write(file, description, arrays)
    with pytest.raises(DataError, match="model.parameters: found values that are not finite"):
        load_classifier(file)


def test_what_inflates_to_more_than_any_classifier_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.rsgan.evaluation.archive.LARGEST", 100)
    with pytest.raises(DataError, match="expected 100 at most"):
        load_classifier(file)


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_arrays_that_would_lead_out_of_memory_are_refused(name: str, tmp_path: Path) -> None:
    """Compiled loops look at no bounds."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((60, 12, 2)).astype(np.float32), rng.integers(1, 4, size=60)
    path = tmp_path / "classifier.npz"
    save_classifier(CLASSIFIERS.entries[name]().fit(lambda: iter([data])), path)
    description, arrays = read(path)
    load_classifier(path)
    indices = [key for key, array in arrays.items() if array.dtype.kind == "i"]
    wrong = [{key: value for key, value in arrays.items() if key != missing} for missing in arrays]
    wrong += [{**arrays, "one more": np.arange(3)}]
    wrong += [{**arrays, key: np.full_like(arrays[key], value)} for key in indices for value in (-2, 10**6)]
    wrong += [{**arrays, key: array[:-1]} for key, array in arrays.items() if key != "roots"]  # a tree less is none
    wrong += [{**arrays, key: array[None]} for key, array in arrays.items()]
    for changed in wrong:
        write(path, description, changed)
        with pytest.raises(DataError, match="not a complete classifier file"):
            load_classifier(path)


def test_a_file_that_stood_there_survives_a_failure(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted, before = load_classifier(file), file.read_bytes()

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(zipfile.ZipFile, "open", fail)
    with pytest.raises(OSError, match="disk full"):
        save_classifier(fitted, file)
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def test_a_file_from_before_several_judges_is_read(file: Path) -> None:
    """It doesn't say how its classifier did on validation views, which changes nothing of what it predicts."""
    description, arrays = read(file)
    del description["validation_jaccard"]
    write(file, description, arrays)
    assert load_classifier(file).validation_jaccard is None
