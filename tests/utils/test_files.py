"""Folders and files appear whole or not at all."""

import itertools
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from utils import files
from utils.files import digest_array, digest_file, new_directory, new_file, new_files

DEAD = 2**22 + 1  # above the largest process number that Linux gives


def leftover(target: Path, process: int = DEAD, host: str | None = None, end: str = "") -> Path:
    host = (host or socket.gethostname()).replace("-", "_")
    path = target.with_name(f".{target.name}.partial-{host}@{process}-0123abcd{end}")
    path.mkdir(parents=True)
    (path / "file").write_text("left")
    return path


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "target"
    with new_directory(target) as folder:
        (folder / "file").write_text("x")
        assert not target.exists()
        assert folder.parent == target.parent
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert (target / "file").read_text() == "x"


def test_a_block_that_raises_leaves_nothing_and_keeps_the_old(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").write_text("old")
    with pytest.raises(KeyboardInterrupt), new_directory(target) as folder:
        (folder / "file").write_text("new")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert (target / "file").read_text() == "old"


def test_an_old_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").write_text("old")
    with new_directory(target) as folder:
        (folder / "new").write_text("new")
        assert (target / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert [path.name for path in target.iterdir()] == ["new"]


def test_leftovers_of_dead_processes_are_swept_and_others_stay(tmp_path: Path) -> None:
    target = tmp_path / "tar[g]et*"
    dead = leftover(target)
    alive, elsewhere = leftover(target, os.getpid()), leftover(target, host="elsewhere")
    another = leftover(tmp_path / "target")
    with new_directory(target):
        pass
    assert not dead.exists()
    assert alive.exists()
    assert elsewhere.exists()
    assert another.exists()


def test_a_folder_lost_between_two_renames_comes_back(tmp_path: Path) -> None:
    target = tmp_path / "target"
    leftover(target, end="-old")
    with pytest.raises(RuntimeError), new_directory(target):
        raise RuntimeError
    assert (target / "file").read_text() == "left"


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.png"
    with new_file(target) as temporary:
        assert temporary.suffix == ".png"
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    with pytest.raises(RuntimeError), new_file(target) as temporary:
        temporary.write_text("broken")
        raise RuntimeError
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["file.png"]


def test_digests(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert digest_file(tmp_path / "file", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    array = np.arange(6).reshape(2, 3)
    assert digest_array(array) == digest_array(array.T.copy().T)
    assert digest_array(array) != digest_array(array + 1)
    assert 0 <= digest_array(array) < 2**64


NAMES = ("table", "picture", "whole")


def test_files_replace_those_of_their_names_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "mine").mkdir(parents=True)
    for name in (*NAMES, "notes"):
        (folder / name).write_text("old")
    dead = leftover(folder / "whole")
    with new_files(folder, NAMES) as temporary:
        for name in ("table", "whole"):
            (temporary / name).write_text("new")
        assert {(folder / name).read_text() for name in NAMES} == {"old"}
    assert not dead.exists()
    found = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert found == {"table": "new", "whole": "new", "notes": "old"}
    assert (folder / "mine").is_dir()


def test_files_that_cannot_be_written_leave_the_old_ones(tmp_path: Path) -> None:
    (tmp_path / "whole").write_text("old")
    with pytest.raises(OSError, match="full"), new_files(tmp_path, NAMES) as temporary:
        (temporary / "table").write_text("new")
        raise OSError("full")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"whole": "old"}


@pytest.mark.parametrize("last", [1, 2, 3])
def test_files_killed_on_their_way_never_look_complete(
    last: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, moves = Path.replace, itertools.count(1)

    def replace(self: Path, target: Path) -> Path:
        if next(moves) == last:
            raise KeyboardInterrupt
        return original(self, target)

    for name in NAMES:
        (tmp_path / name).write_text("old")
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt), new_files(tmp_path, NAMES) as temporary:
        for name in NAMES:
            (temporary / name).write_text("new")
    assert not (tmp_path / "whole").exists()


def test_what_a_process_left_that_nobody_has_asked_after_is_swept_up(tmp_path: Path) -> None:
    """It has ended, but is still listed."""
    target = tmp_path / "made"
    zombie = os.fork()
    if zombie == 0:
        os._exit(0)
    os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
    leftover = tmp_path / f".made.partial-{files._host()}@{zombie}-0"
    leftover.mkdir()
    files.sweep(target)
    os.waitpid(zombie, 0)
    assert not leftover.exists()
