"""Whatever stands at a path, it is read or named."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.errors import DataError
from utils.reading import read_text, regular_file


def put_folder(path: Path) -> None:
    path.mkdir()


def put_pipe(path: Path) -> None:
    os.mkfifo(path)


def put_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(path))  # an address is short


def put_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def put_loop(path: Path) -> None:
    path.symlink_to(path)


def put_link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")


def put_nothing(path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("put", "found"),
    [
        (put_folder, "found a folder"),
        (put_pipe, "found a pipe"),
        (put_socket, "found a socket"),
        (put_device, "found a device"),
        (put_loop, "cannot be read"),
        (put_link_to_nothing, "no such file"),
        (put_nothing, "no such file"),
    ],
)
def test_what_is_no_file_is_named(tmp_path: Path, put: Callable[[Path], None], found: str) -> None:
    path = tmp_path / "input"
    put(path)
    with pytest.raises(DataError, match=f"{path}: {found}.*, expected a product's index; check the path"):
        regular_file(path, "a product's index")


@pytest.mark.parametrize("path", ["x" * 300, "x/" * 3000, "a\0b", "a\nb", "", __file__ + "/x"])
def test_paths_that_lead_nowhere_are_short_errors(path: str) -> None:
    with pytest.raises(DataError) as error:
        read_text(path)
    assert len(str(error.value)) < 300
    assert str(error.value).isprintable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_must_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0)
    with pytest.raises(DataError, match="secret: cannot be read"):
        regular_file(path)


def test_files_without_end_are_not_read_to_it(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 11)
    assert read_text(path, limit=11) == "x" * 11
    with pytest.raises(DataError, match="long: found more than 10 bytes, expected a text file"):
        read_text(path, limit=10)


@given(st.text())
def test_text_is_read_whatever_wrote_it(tmp_path: Path, text: str) -> None:
    text = text.replace("\r", "").removeprefix("\ufeff").encode(errors="replace").decode()
    path = tmp_path / "text"
    for start, end in ((b"", "\n"), (b"\xef\xbb\xbf", "\r\n"), (b"", "\r")):
        path.write_bytes(start + text.replace("\n", end).encode())
        assert read_text(path) == text


@given(st.binary(max_size=50))
def test_any_bytes_are_text_or_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(content)
    try:
        read_text(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017 - either outcome is right
