"""Files and folders that appear whole or not at all."""

import contextlib
import fcntl
import glob
import hashlib
import logging
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from utils.errors import UsageError

_MARK = ".partial-"
_OLD = "-old"
LEFTOVERS = f".*{_MARK}*"  # what `new_file` leaves in a folder if the process is killed
logger = logging.getLogger(__name__)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Work in a folder where no other process works; the system forgets it when this one ends in whatever way."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as stream:  # over a network, only what is open for writing can be locked
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"{folder}: another process works there; wait until it ends, or choose another folder"
            ) from error
        except OSError as error:
            logger.info(
                "%s: cannot be locked (%s): see to it that no other process works there", folder, error.strerror
            )
        yield


@contextlib.contextmanager
def new_directory(target: Path) -> Iterator[Path]:
    """Make a folder under a temporary name beside `target` and rename it when everything in it is written.

    Whatever stands at `target` stays until then and is replaced in the last moment; if the block raises, it stays for
    good. The caller has checked that it may be replaced.
    """
    target = Path(os.path.abspath(target))
    with _temporary_directory(target) as temporary:
        yield temporary
        old = temporary.with_name(temporary.name + _OLD)
        with contextlib.suppress(FileNotFoundError):
            target.rename(old)
        try:
            temporary.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise
        if old.exists():
            shutil.rmtree(old)


@contextlib.contextmanager
def _temporary_directory(target: Path) -> Iterator[Path]:
    """Make a folder beside `target` for as long as the block runs; those of killed runs are swept up."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary = _beside(target)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_directory(target: Path) -> None:
    """Remove a folder whole: if the process is killed meanwhile, what is left is swept up by `new_directory`."""
    doomed = _beside(target)
    target.rename(doomed)
    shutil.rmtree(doomed)


def sweep(target: Path) -> None:
    """Remove what killed runs of this machine left beside a folder that they were about to make."""
    for leftover in target.parent.glob(f".{glob.escape(target.name)}{_MARK}*"):
        host, _, process = leftover.name.partition(_MARK)[2].split("-")[0].rpartition("@")
        if host != _host() or not process.isdigit() or _alive(int(process)):
            continue
        if leftover.name.endswith(_OLD) and not target.exists():
            leftover.rename(target)  # killed between the two renames of a replacement
        else:
            shutil.rmtree(leftover, ignore_errors=True)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}{_MARK}{_host()}@{os.getpid()}-{uuid.uuid4().hex[:8]}")


def _host() -> str:
    return socket.gethostname().replace("-", "_")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with contextlib.suppress(OSError):  # one that has died and that nobody has asked after yet is there, as a zombie
        return ") Z " not in Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    return True


@contextlib.contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Write a file under a temporary name beside `target`, with the same suffix; rename it when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}{_MARK}{uuid.uuid4().hex[:8]}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Find files in a user's folder and below, in natural order; hidden ones, such as an editor's, are left out."""
    found = (file.relative_to(folder) for file in folder.rglob(pattern))
    seen = (file for file in found if not any(part.startswith(".") for part in file.parts))
    return [folder / file for file in sorted(seen, key=lambda file: natural(str(file)))]


@contextlib.contextmanager
def new_files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Write files into a temporary folder, and put them in place when all are written; what else is there stays.

    The last of the names stands for all: the old one goes first and the new one comes last, so that a run that is
    killed on the way leaves nothing that looks complete. Old files of names that were not written again go too.
    """
    last = Path(os.path.abspath(folder)) / names[-1]
    with _temporary_directory(last) as temporary:
        yield temporary
        last.unlink(missing_ok=True)
        for name in names:
            if (temporary / name).exists():
                (temporary / name).replace(last.with_name(name))
            else:
                last.with_name(name).unlink(missing_ok=True)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which view 10 comes after view 9; the name itself breaks ties such as 1 and 01."""
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"[0-9]+|[^0-9]+", name)]
    return [*parts, (-1, 0, name)]


def digest_file(path: Path, algorithm: str = "sha256") -> str:
    """Fingerprint a file's content, as hexadecimal digits, by an algorithm that `hashlib` knows."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def digest_array(array: NDArray[Any]) -> int:
    """Fingerprint an array's values, as a whole number of 64 bits."""
    return int.from_bytes(hashlib.sha256(np.ascontiguousarray(array)).digest()[:8], "little")
