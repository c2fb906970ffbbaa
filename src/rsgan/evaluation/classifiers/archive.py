"""Files that hold arrays and a description, and can do nothing but hold them.

The format is numpy's: a zip archive of arrays, one of which is the description as JSON text. No pickle is read, no
type is looked up and nothing is imported, whatever a file says.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from utils.errors import DataError
from utils.files import new_file

DESCRIPTION = "description"
PREFIX = "model."  # of the arrays' names
REMEDY = "make it again with make_reference_classifier.py"
Arrays = Mapping[str, NDArray[np.number]]


def write(path: Path, description: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a file; equal content gives equal bytes.

    Args:
        path: the file to make or replace; it appears whole or not at all.
        description: plain values by name.
        arrays: numbers by name.

    Raises:
        OSError: If it cannot be written.
    """
    members = {PREFIX + name: array for name, array in arrays.items()}
    with new_file(path) as temporary, temporary.open("wb") as stream:  # given a path, numpy would add a suffix
        np.savez_compressed(stream, **{DESCRIPTION: np.array(json.dumps(description))}, **members)


def read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.number]]]:
    """Read a file without running any code of it.

    Args:
        path: the file.

    Returns:
        Description and arrays.

    Raises:
        DataError: If it is missing, no such file, or holds anything else.
        OSError: If it cannot be read.
    """
    try:
        data = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise DataError(f"{path}: no such classifier file; make it or correct the path") from error
    with data:
        if not zipfile.is_zipfile(data):
            raise DataError(f"{path}: found something else, expected a classifier file; {REMEDY}")
        data.seek(0)
        try:
            with np.load(data, allow_pickle=False) as archive:
                members = {name: archive[name] for name in archive.files}
            description = json.loads(str(members.pop(DESCRIPTION)))
            arrays = {name.removeprefix(PREFIX): _numbers(name, member) for name, member in members.items()}
        except Exception as error:  # whatever a file's first wrong value leads to
            raise damaged(path, error) from error
    if not isinstance(description, dict):
        raise DataError(f"{path}: found a {type(description).__name__}, expected a classifier; {REMEDY}")
    return description, arrays


def _numbers(name: str, member: object) -> NDArray[np.number]:
    if not isinstance(member, np.ndarray) or member.dtype.kind not in "iuf":
        raise TypeError(f"{name}: found something else, expected an array of numbers")
    return member


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
