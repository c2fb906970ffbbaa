"""Input files: what stands at a path is looked at before it is read, and no more is read than is sane."""

import os
import stat
from pathlib import Path

from utils.errors import DataError

TEXT_LIMIT = 1 << 30  # bytes; the largest .ts files of the UEA archive have half of that
_NO_FILES = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}  # beside devices


def expand(path: str) -> str:
    """Replace a leading `~`; a user that doesn't exist is left as it is, to be missed like any other path."""
    return os.path.expanduser(path)  # noqa: PTH111 - that of pathlib raises


def regular_file(path: Path | str, expected: str = "a file") -> Path:
    """Make sure that a path leads to a file that can be read: opening a pipe would wait for ever.

    Raises:
        DataError: If nothing is there, or something else, or it must not be read, naming the path and what is
            `expected` there ("a .ts time series file").
    """
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode):
            Path(path).open("rb").close()
            return Path(path)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise DataError(f"{_shown(path)}: {_reason(error)}, expected {expected}; check the path") from error
    found = _NO_FILES.get(stat.S_IFMT(mode), "a device")
    raise DataError(f"{_shown(path)}: found {found}, expected {expected}; check the path")


def read_text(path: Path | str, expected: str = "a text file", *, limit: int = TEXT_LIMIT) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, lines ended in any way.

    Raises:
        DataError: If `regular_file` does, the file is longer than `limit` bytes, or it holds no text.
    """
    with regular_file(path, expected).open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise DataError(f"{_shown(path)}: found more than {limit:,} bytes, expected {expected}; check the path")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{_shown(path)}: found no text in UTF-8 (byte {error.start}), expected {expected}; save it as UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "no such file"
    return f"cannot be read ({error.strerror})" if isinstance(error, OSError) else "not a path"


def _shown(path: Path | str) -> str:
    text = str(path)
    return text if len(text) <= 200 else f"{text[:100]}…{text[-60:]}"
