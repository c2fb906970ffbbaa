"""Files and folders that appear whole or not at all."""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MARK = ".partial-"
_OLD = "-old"


@contextlib.contextmanager
def new_directory(target: Path) -> Iterator[Path]:
    """Make a folder under a temporary name beside `target` and rename it when everything in it is written.

    Whatever stands at `target` stays until then and is replaced in the last moment; if the block raises, it
    stays for good and the temporary folder is removed. Temporary folders of killed runs are swept up.

    Args:
        target: the folder to make. The caller has checked that it may be replaced.

    Yields:
        The temporary folder.

    Raises:
        OSError: If the folder cannot be made or renamed.
    """
    target = Path(os.path.abspath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary = target.with_name(f".{target.name}{_MARK}{_owner()}-{uuid.uuid4().hex[:8]}")
    temporary.mkdir()
    try:
        yield temporary
        _replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _replace(new: Path, target: Path) -> None:
    if not target.exists():
        new.rename(target)
        return
    old = new.with_name(new.name + _OLD)
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old)


def sweep(target: Path) -> None:
    """Remove what killed runs of this machine left beside a folder that they were about to make.

    Args:
        target: the folder that they would have made.
    """
    for leftover in target.parent.glob(f".{glob.escape(target.name)}{_MARK}*"):
        host, _, process = leftover.name.partition(_MARK)[2].split("-")[0].rpartition("@")
        if host != _host() or not process.isdigit() or _alive(int(process)):
            continue
        if leftover.name.endswith(_OLD) and not target.exists():
            leftover.rename(target)  # killed between the two renames of a replacement
        else:
            shutil.rmtree(leftover, ignore_errors=True)


def _host() -> str:
    return socket.gethostname().replace("-", "_")


def _owner() -> str:
    return f"{_host()}@{os.getpid()}"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Write a file under a temporary name beside `target` and rename it when it is complete.

    Args:
        target: the file to make or replace.

    Yields:
        The temporary path, with the same suffix.

    Raises:
        OSError: If the file cannot be written or renamed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}{_MARK}{uuid.uuid4().hex[:8]}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which view 10 comes after view 9.

    Args:
        name: of a view, or any other.

    Returns:
        Its numbers and texts, in turn; the name itself breaks ties such as 1 and 01.
    """
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"[0-9]+|[^0-9]+", name)]
    return [*parts, (-1, 0, name)]


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Fingerprint a file's content.

    Args:
        path: the file.
        algorithm: a name that `hashlib` knows.

    Returns:
        The hexadecimal digest.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def digest_array(array: NDArray[Any]) -> int:
    """Fingerprint an array's values.

    Args:
        array: any array.

    Returns:
        A whole number of 64 bits.
    """
    return int.from_bytes(hashlib.sha256(np.ascontiguousarray(array)).digest()[:8], "little")
