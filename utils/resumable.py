"""Long work whose results appear whole: it goes on where an interrupted run of the same work stopped."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from utils.files import new_file

ROOT = Path(__file__).resolve().parents[1]
KEY = "key"
logger = logging.getLogger(__name__)


def unfinished(target: Path) -> Path:
    """Name the hidden folder beside a result in which it is made; see `resumable`.

    Args:
        target: folder of the result.

    Returns:
        The folder that is worked in. Its name is that of the result.
    """
    target = Path(os.path.abspath(target))
    return target.with_name(f".{target.name}.unfinished") / target.name


@contextlib.contextmanager
def resumable(target: Path, work: Mapping[str, Any]) -> Iterator[Path]:
    """Work in a hidden folder beside `target`, and move what is in it there when the block ends.

    If the block raises, or the process is killed, the hidden folder stays. The next run of the same work by the same
    code finds it as it was left; any other work starts with an empty one. Two processes never work in it at once: the
    second waits for the first.

    Args:
        target: folder of the result. Entries of the same name are replaced, others stay.
        work: what determines the result, as plain values: configuration, seeds, data.

    Yields:
        The folder to work in; it may hold what an interrupted run left.

    Raises:
        OSError: If folders cannot be made or moved.
    """
    target, folder = Path(os.path.abspath(target)), unfinished(target)
    place = folder.parent
    key = json.dumps({"work": work, "code": code_digest()}, sort_keys=True)
    with _alone(place):
        if not (place / KEY).is_file() or (place / KEY).read_text(encoding="utf-8") != key:
            shutil.rmtree(folder, ignore_errors=True)
            with new_file(place / KEY) as temporary:
                temporary.write_text(key, encoding="utf-8")
        folder.mkdir(exist_ok=True)
        yield folder
        (place / KEY).unlink()  # whoever is killed from here on leaves parts only: the next run starts over
        _move(folder, target)
        shutil.rmtree(place)


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Hold a folder's lock, which the system releases when the process ends in whatever way."""
    while True:
        place.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.warning("%s: another process works there; waiting until it ends", place)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if place.exists() and place.stat().st_ino == os.fstat(descriptor).st_ino:
                yield
                return
            # Whoever was waited for has finished and removed the folder.
        finally:
            os.close(descriptor)


def _move(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
        return
    for entry in folder.iterdir():
        old = target / entry.name
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
        entry.rename(old)


def code_digest() -> str:
    """Fingerprint the project's code and the versions of the packages that it asks for.

    Returns:
        A hexadecimal digest.
    """
    files = [*ROOT.glob("*.py"), *ROOT.glob("requirements.txt")]
    files += [file for folder in ("src", "utils", "repro") for file in (ROOT / folder).rglob("*.py")]
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()
