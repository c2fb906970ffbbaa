"""Results appear whole, and interrupted work goes on only if it is still the same work."""

import threading
from pathlib import Path

import pytest

from utils import resumable as module
from utils.resumable import code_digest, resumable, unfinished

WORK = {"seed": 1, "data": [1, 2]}


class StopError(Exception):
    """What interrupts the work in these tests."""


def interrupt(target: Path, work: dict[str, object] = WORK) -> None:
    """Begin some work and leave a file."""

    def begin() -> None:
        with resumable(target, work) as folder:
            (folder / "part").write_text("done")
            raise StopError

    with pytest.raises(StopError):
        begin()


def left(target: Path, work: dict[str, object] = WORK) -> list[str]:
    """What a further run finds; it then completes."""
    with resumable(target, work) as folder:
        return [entry.name for entry in folder.iterdir()]


def test_nothing_appears_before_all_is_there(tmp_path: Path) -> None:
    target = tmp_path / "a" / "result"
    with resumable(target, WORK) as folder:
        assert folder == unfinished(target)
        assert folder.name == target.name
        (folder / "file").write_text("x")
        assert not target.exists()
    assert [entry.name for entry in target.parent.iterdir()] == ["result"]
    assert (target / "file").read_text() == "x"


def test_the_same_work_goes_on(tmp_path: Path) -> None:
    target = tmp_path / "result"
    interrupt(target)
    assert not target.exists()
    assert left(target, dict(reversed(WORK.items()))) == ["part"]
    assert (target / "part").read_text() == "done"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result"]


def test_other_work_starts_over(tmp_path: Path) -> None:
    interrupt(tmp_path / "result")
    assert left(tmp_path / "result", WORK | {"seed": 2}) == []


def test_other_code_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path / "result")
    monkeypatch.setattr(module, "code_digest", lambda: "another")
    assert left(tmp_path / "result") == []


def test_who_was_killed_while_moving_starts_over(tmp_path: Path) -> None:
    interrupt(tmp_path / "result")
    (unfinished(tmp_path / "result").parent / module.KEY).unlink()
    assert left(tmp_path / "result") == []


def test_other_entries_of_the_result_stay(tmp_path: Path) -> None:
    target = tmp_path / "result"
    for entry in ("run", "eval"):
        (target / entry).mkdir(parents=True)
        (target / entry / "old").touch()
    (target / "file").write_text("old")
    with resumable(target, WORK) as folder:
        (folder / "run").mkdir()
        (folder / "run" / "new").touch()
        (folder / "file").write_text("new")
    found = sorted(str(file.relative_to(target)) for file in target.rglob("*") if file.is_file())
    assert found == ["eval/old", "file", "run/new"]
    assert (target / "file").read_text() == "new"


def test_two_never_work_at_once(tmp_path: Path) -> None:
    """The second waits, and then works in a folder of its own, since the first has moved what was there."""
    target, waiting, found = tmp_path / "result", threading.Event(), []

    def second() -> None:
        waiting.set()
        with resumable(target, WORK) as folder:
            found.append([entry.name for entry in folder.iterdir()])
            (folder / "second").touch()

    with resumable(target, WORK) as folder:
        (folder / "first").touch()
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        thread.join(0.2)
        assert found == []
    thread.join(10)
    assert found == [[]]
    assert sorted(entry.name for entry in target.iterdir()) == ["first", "second"]


def test_an_edit_changes_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "src").mkdir()
    digests = []
    for name, text in (
        ("requirements.txt", "a==1"),
        ("src/a.py", "x"),
        ("src/a.py", "y"),
        ("run.py", ""),
        ("README.md", ""),
    ):
        (tmp_path / name).write_text(text)
        digests.append(code_digest())
    assert len(set(digests)) == 4
    assert digests[-1] == digests[-2]
