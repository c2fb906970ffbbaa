"""Folders and files appear whole or not at all."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from utils.files import digest, digest_array, new_directory, new_file

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
    assert digest(tmp_path / "file", "md5") == "900150983cd24fb0d6963f7d28e17f72"
    array = np.arange(6).reshape(2, 3)
    assert digest_array(array) == digest_array(array.T.copy().T)
    assert digest_array(array) != digest_array(array + 1)
    assert 0 <= digest_array(array) < 2**64
