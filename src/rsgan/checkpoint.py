"""Checkpoint files, read without executing anything they hold."""

import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from utils.errors import DataError, UsageError, shown
from utils.identity import Identity
from utils.memory import ran_out
from utils.reading import regular_file

IDENTITY = "identity"  # key under which a checkpoint says which run it belongs to
WEIGHTS = "state_dict"
REMEDY = "check the path, take another checkpoint or train again"


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint's tensors and plain values; code that a file may carry is refused.

    Returns:
        What it holds, on the CPU: `epoch`, `state_dict` and `identity` at least.

    Raises:
        DataError: If there is no file, it is damaged, or it is not a checkpoint of an experiment of this project.
    """
    regular_file(path, "a checkpoint")
    _check_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(f"{path}: holds more than tensors and plain values, so it is not read; {REMEDY}") from error
    except OSError:
        raise
    except Exception as error:  # whatever PyTorch makes of an archive of something else
        if ran_out(error):
            raise
        raise DataError(f"{path}: not a checkpoint ({error}); {REMEDY}") from error
    try:
        _check_content(content)
    except ValueError as error:
        raise DataError(f"{path}: not a checkpoint of an experiment of this project ({error}); {REMEDY}") from error
    return content


def _check_archive(path: Path) -> None:
    """Compare what an archive holds with its own checksums; PyTorch does not."""
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = [entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
            damaged = archive.testzip()
    except Exception as error:  # whatever offset, size or method a changed byte makes up
        if ran_out(error):
            raise
        raise DataError(f"{path}: truncated or not a checkpoint ({error}); {REMEDY}") from error
    if compressed or damaged:
        found = f"{damaged} was changed since it was written" if damaged else f"{compressed[0]} is compressed"
        raise DataError(f"{path}: damaged or not a checkpoint ({found}); {REMEDY}")


def _check_content(content: object) -> None:
    """Raise a `ValueError` that names what every checkpoint must have and this one has not."""
    if not isinstance(content, dict):
        raise ValueError(f"found {type(content).__name__}")
    epoch, weights = content.get("epoch"), content.get(WEIGHTS)
    if type(epoch) is not int or epoch < 0:
        raise ValueError(f"epoch: found {shown(epoch)}, expected a number")
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(f"{WEIGHTS}: found no tensors by name")
    try:
        json.dumps(content.get(IDENTITY))
        Identity.restore(content.get(IDENTITY))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{IDENTITY}: {error}") from error


def check_identity(path: Path, identity: Identity) -> None:
    """Make sure that a checkpoint belongs to a run; code may have changed since.

    Raises:
        UsageError: If it belongs to another.
        DataError: If it cannot be read.
    """
    found = Identity.restore(read_checkpoint(path)[IDENTITY]).differences(identity, apart_from=["code"])
    if found:
        raise UsageError(
            f"{path}: belongs to another run ({found}); take the same configuration and seed, or start over"
        )


def check_weights(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Make sure that networks can take a checkpoint's weights.

    Raises:
        DataError: If names, shapes or types differ, or values are not finite.
    """
    for name in [*expected, *found]:
        one, other = (_describe(weights.get(name)) for weights in (found, expected))
        if one != other:
            raise DataError(f"{path}: {WEIGHTS}.{name}: found {one}, expected {other}; {REMEDY}")
        if not found[name].isfinite().all():
            raise DataError(f"{path}: {WEIGHTS}.{name}: found values that are not finite; {REMEDY}")


def _describe(value: Tensor | None) -> str:
    return "nothing" if value is None else f"a tensor {tuple(value.shape)} of {value.dtype}"


def check_progress(content: Mapping[str, Any], path: Path) -> int:
    """Find the epoch that training goes on with, from 0: the one that a checkpoint was written in if that was not over.

    Raises:
        DataError: If it doesn't say how far training had come, or contradicts itself.
    """
    epoch = content["epoch"]
    try:
        progress = content["loops"]["fit_loop"]["epoch_progress"]["current"]
        begun, over = progress["started"], progress["processed"]
        sound = epoch <= progress["completed"] <= over <= begun == progress["ready"] == epoch + 1
    except Exception as error:  # whatever stands there in place of numbers
        raise DataError(f"{path}: does not say how far training had come ({error}); {REMEDY}") from error
    if not sound:
        raise DataError(f"{path}: epoch: found {epoch}, but {begun} begun and {over} over; {REMEDY}")
    return over
