"""A classifier's file is only ever read: whatever code it carries never runs."""

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

from src.rsgan.evaluation.classifiers import CLASSIFIERS, load_classifier
from src.rsgan.evaluation.classifiers.archive import read, write
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
    CLASSIFIERS.entries["logistic_regression"]().fit(lambda: iter([data])).save(path)
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


def test_files_that_are_none_of_a_classifier_are_refused(file: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.npz", tmp_path, file / "inside"):
        with pytest.raises(DataError, match="no such classifier file; make it or correct the path"):
            load_classifier(path)
    description, arrays = read(file)
    for wrong, message in (
        ([1, 2], "found a list, expected a classifier"),
        ({"a": 1}, "not a complete classifier file .KeyError"),
        ({**description, "format_version": 1}, "found format 1, expected 2"),
        ({**description, "more": 1}, "not a complete classifier file .TypeError"),
        ({**description, "settings": {"name": "unheard_of"}}, "not a complete classifier file .KeyError"),
        ({**description, "settings": {"name": "logistic_regression", "tol": -1}}, "not a complete .* .Valid"),
        ({**description, "horizon": "4"}, "not a complete classifier file .TypeError"),
        ({**description, "nbands": 3}, "not a complete classifier file .ValueError"),
    ):
        write(file, wrong, arrays)
        with pytest.raises(DataError, match=message) as refusal:
            load_classifier(file)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_arrays_that_would_lead_out_of_memory_are_refused(name: str, tmp_path: Path) -> None:
    """Compiled loops look at no bounds."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((60, 12, 2)).astype(np.float32), rng.integers(1, 4, size=60)
    path = tmp_path / "classifier.npz"
    CLASSIFIERS.entries[name]().fit(lambda: iter([data])).save(path)
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
        fitted.save(file)
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]
