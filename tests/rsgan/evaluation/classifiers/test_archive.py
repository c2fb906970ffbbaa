"""A classifier's file is only ever read: whatever code it carries never runs."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io

from src.rsgan.evaluation.classifiers import CLASSIFIERS, load_classifier
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


def foreign_type(target: Path) -> bytes:
    return skops.io.dumps({"model": Payload(target)})


def edited(target: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """A file of skops, changed."""
    stream, changed = io.BytesIO(skops.io.dumps({"model": np.arange(3), "path": str(target)})), io.BytesIO()
    with zipfile.ZipFile(stream) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["schema.json"])
    change(schema, members)
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in {**members, "schema.json": json.dumps(schema).encode()}.items():
            archive.writestr(name, data)
    return changed.getvalue()


def objects_in_array(target: Path) -> bytes:
    def change(_: dict[str, Any], members: dict[str, bytes]) -> None:
        stream = io.BytesIO()
        np.save(stream, np.array([Payload(target)], dtype=object))
        members.update({name: stream.getvalue() for name in members if name.endswith(".npy")})

    return edited(target, change)


def function(target: Path) -> bytes:
    """What a file of version 0 to 2 calls a function: a name to import."""

    def change(schema: dict[str, Any], _: dict[str, bytes]) -> None:
        content = {"module_path": "os", "function": "mkdir"}
        schema["content"]["model"] = {
            "__class__": "function",
            "__module__": "os",
            "__loader__": "FunctionNode",
            "__id__": 1,
            "content": content,
        }

    return edited(target, change)


def module_to_import(target: Path) -> bytes:
    """A type in a module that does its harm when it is imported."""
    (target.parent / "harmful_module_of_a_test.py").write_text(f"import os\nos.mkdir({str(target)!r})\nclass A: ...\n")

    def change(schema: dict[str, Any], _: dict[str, bytes]) -> None:
        schema["content"]["model"] = {
            "__class__": "A",
            "__module__": "harmful_module_of_a_test",
            "__loader__": "ObjectNode",
            "__id__": 1,
        }

    return edited(target, change)


ATTACKS = (
    pickled,
    pickled_by_joblib,
    objects_in_npz,
    foreign_type,
    objects_in_array,
    function,
    module_to_import,
)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("suffix", [".skops", ".pickle", ".npz"])
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
    skops.io.loads(foreign_type(tmp_path / "three"), trusted=[Payload])
    assert {folder.name for folder in tmp_path.iterdir()} == {"one", "two", "three"}


def test_foreign_types_are_named(tmp_path: Path) -> None:
    file = tmp_path / "classifier.skops"
    file.write_bytes(foreign_type(tmp_path / "harm"))
    with pytest.raises(DataError, match=r"found an object of type .*Payload, which no classifier holds"):
        load_classifier(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 4, 2)).astype(np.float32), rng.integers(1, 3, size=50)
    path = tmp_path / "classifier.skops"
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
    for path in (tmp_path / "missing.skops", tmp_path, file / "inside"):
        with pytest.raises(DataError, match="no such classifier file; make it or correct the path"):
            load_classifier(path)
    content = skops.io.load(file)
    for wrong, message in (
        ([1, 2], "found a list, expected a classifier"),
        ({"a": 1}, "not a complete classifier file .KeyError"),
        ({**content, "format_version": 99}, "found format 99, expected 1"),
        ({**content, "more": 1}, "not a complete classifier file .TypeError"),
        ({**content, "settings": {"name": "unheard_of"}}, "not a complete classifier file .KeyError"),
        ({**content, "settings": {"name": "logistic_regression", "tol": -1}}, "not a complete classifier file .Valid"),
    ):
        skops.io.dump(wrong, file)
        with pytest.raises(DataError, match=message) as refusal:
            load_classifier(file)
        assert "\n" not in str(refusal.value)


def test_a_file_that_stood_there_survives_a_failure(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted, before = load_classifier(file), file.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="disk full"):
        fitted.save(file)
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]
