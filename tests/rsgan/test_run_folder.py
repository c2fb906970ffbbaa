"""Whose a folder is: a run goes on, another one is refused or replaced, and what others keep there stays."""

import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from src.rsgan.checkpoint import IDENTITY, WEIGHTS
from src.rsgan.run_folder import RunFolder, Summary
from utils.errors import DataError, UsageError
from utils.files import alone
from utils.identity import Identity

MINE, OTHER = Identity({"model": "a"}, seed=1), Identity({"model": "b"}, seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run of `MINE` that was tested, with notes of the user everywhere."""
    made = RunFolder(tmp_path / "run")
    assert begin(made, MINE) is None
    made.checkpoints.mkdir()
    torch.save({"epoch": 0, WEIGHTS: {}, IDENTITY: MINE.record()}, made.last)
    for name in ("checkpoints/best.ckpt", "eval/test_scores.json", "run/metrics.csv"):
        (made.root / name).parent.mkdir(exist_ok=True)
        (made.root / name).write_text("ours")
    for name in ("notes.txt", "run/notes.txt", "checkpoints/kept.pt", "eval/judge/classifier.npz"):
        (made.root / name).parent.mkdir(exist_ok=True)
        (made.root / name).write_text("theirs")
    return made


def begin(folder: RunFolder, identity: Identity, chkpt: Path | None = None, **more: Any) -> Path | None:
    return folder.begin(identity, chkpt, **{"max_epochs": 9, "overwrite": False} | more)


def contents(folder: RunFolder) -> dict[str, bytes]:
    return {str(path.relative_to(folder.root)): path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}


def test_the_same_run_goes_on(folder: RunFolder) -> None:
    before = contents(folder)
    for overwrite in (False, True):
        assert begin(folder, MINE, overwrite=overwrite) == folder.last
    assert begin(folder, MINE, folder.best) == folder.best
    assert contents(folder) == before


def test_another_run_is_refused_or_replaces_what_was_written(folder: RunFolder) -> None:
    before = contents(folder)
    with pytest.raises(UsageError, match=r"model: found a, expected b.*--overwrite"):
        begin(folder, OTHER)
    assert contents(folder) == before
    assert begin(folder, OTHER, overwrite=True) is None
    after = contents(folder)
    assert Identity.restore(json.loads(after.pop("run/identity.json"))) == OTHER
    assert after == {name: content for name, content in before.items() if content == b"theirs"}


def test_a_run_that_left_nothing_is_in_nobodys_way(folder: RunFolder) -> None:
    for path in (folder.best, folder.last, folder.evaluation / "test_scores.json"):
        path.unlink()
    assert begin(folder, OTHER) is None
    assert begin(folder, OTHER) is None


@pytest.mark.parametrize("name", ["checkpoints/last.ckpt", "run/identity.json"])
def test_a_run_without_its_last_checkpoint_or_identity_does_not_start_over(folder: RunFolder, name: str) -> None:
    (folder.root / name).unlink()
    before = contents(folder)
    with pytest.raises(UsageError, match=rf"{name}: missing.*checkpoints/best.ckpt.*--overwrite"):
        begin(folder, MINE)
    assert contents(folder) == before
    assert begin(folder, MINE, overwrite=True) is None
    assert not folder.best.exists()


@pytest.mark.parametrize("text", ["", "{", "[" * 99_999, "null", '{"configuration": 3}', "\udcff"])
def test_a_damaged_identity_is_named(folder: RunFolder, text: str) -> None:
    path = folder.run / "identity.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(UsageError, match=r"identity.json"):
        begin(folder, MINE)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match=r"identity.json.*found a pipe"):
        begin(folder, MINE)


@pytest.mark.parametrize("name", ["../x", "/abs", "", ".", "a/../../b", ".."])
def test_names_never_leave_the_folder_of_experiments(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="expected the name of a folder inside --o"):
        RunFolder.inside(tmp_path, name)
    assert RunFolder.inside(tmp_path, "a/17").root == tmp_path / "a/17"


@pytest.mark.parametrize(("epochs", "stopped", "most", "finished"), [(2, 0, 3, 0), (3, 0, 3, 1), (2, 1, 3, 1)])
def test_when_nothing_is_left_to_train(folder: RunFolder, epochs: int, stopped: int, most: int, finished: int) -> None:
    assert not folder.finished(most)
    folder.finish(Summary(epochs=epochs, stopped_early=bool(stopped), monitor="mae", best=0.5))
    assert folder.finished(most) == bool(finished)
    (folder.run / "summary.json").write_text('{"epochs": -1}')
    with pytest.raises(DataError, match=r"summary.json: .*epochs: "):
        folder.finished(most)


@pytest.mark.parametrize(("most", "goes_on"), [(3, True), (4, True), (2, False)])
def test_a_run_that_is_too_long_starts_over_when_asked(folder: RunFolder, most: int, goes_on: bool) -> None:
    folder.finish(Summary(epochs=3, stopped_early=False, monitor="mae", best=0.5))
    assert begin(folder, MINE, max_epochs=most) == folder.last
    assert begin(folder, MINE, overwrite=True, max_epochs=most) == (folder.last if goes_on else None)
    assert folder.last.exists() == goes_on


def test_two_processes_never_work_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with alone(tmp_path), pytest.raises(UsageError, match="another process works there"), alone(tmp_path):
        pass

    def missing(stream: object, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", missing)
    with caplog.at_level("INFO"), alone(tmp_path):
        assert "cannot be locked (No locks available)" in caplog.text
