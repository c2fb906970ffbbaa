"""Files that hold arrays, numbers and a few known estimators, and can do nothing but hold them.

The format is skops': a zip archive of arrays and a JSON schema that names types, each of which is looked up in a list
of trusted ones before anything is built (https://skops.readthedocs.io/en/stable/persistence.html). No pickle is read.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from utils.errors import DataError
from utils.files import new_file

SCHEMA = "schema.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can hold
REMEDY = "make it again with make_reference_classifier.py"


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a file; equal content gives equal bytes.

    Args:
        path: the file to make or replace; it appears whole or not at all.
        content: what it holds.

    Raises:
        OSError: If it cannot be written.
    """
    import skops.io

    members = _renumbered(skops.io.dumps(content))
    with new_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)


def _renumbered(archive: bytes) -> dict[str, bytes]:
    """Give objects consecutive numbers in place of their addresses in memory, by which skops names them."""
    with zipfile.ZipFile(io.BytesIO(archive)) as stream:
        members = {name: stream.read(name) for name in stream.namelist()}
    schema, numbers, files = json.loads(members[SCHEMA]), {}, {}
    for node in _nodes(schema):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if "file" in node:
            name = PurePosixPath(node["file"])
            files[f"{node['__id__']}{name.suffix}"] = members[node["file"]]
            node["file"] = f"{node['__id__']}{name.suffix}"
    return {SCHEMA: json.dumps(schema).encode(), **files}


def _nodes(part: object) -> Iterator[dict[str, Any]]:
    """Walk through all mappings of a schema, in its own order."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _nodes(inner)


def read(path: Path, trusted: Sequence[str]) -> dict[str, Any]:
    """Read a file without running any code of it.

    Args:
        path: the file.
        trusted: full names of the types that it may hold, beside those that skops trusts.

    Returns:
        What it holds.

    Raises:
        DataError: If it is missing, no such file, or holds anything else.
        OSError: If it cannot be read.
    """
    import skops.io

    try:
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise DataError(f"{path}: no such classifier file; make it or correct the path") from error
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise DataError(f"{path}: found something else, expected a classifier file; {REMEDY}")
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(data=data)) - set(trusted))
        content = None if foreign else skops.io.loads(data, trusted=list(trusted))
    except Exception as error:  # whatever a file's first wrong value leads to
        raise damaged(path, error) from error
    if foreign:
        raise DataError(
            f"{path}: found an object of type {foreign[0]}, which no classifier holds and which could run code when "
            f"read; {REMEDY}"
        )
    if not isinstance(content, dict):
        raise DataError(f"{path}: found a {type(content).__name__}, expected a classifier; {REMEDY}")
    return content


def damaged(path: Path, error: Exception) -> DataError:
    """Describe a file that cannot be understood.

    Args:
        path: the file.
        error: what its first wrong value led to.

    Returns:
        An error for the user, in one line.
    """
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(f"{path}: not a complete classifier file ({reason}); {REMEDY}")
