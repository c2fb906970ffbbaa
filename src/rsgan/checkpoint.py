"""Checkpoint files, read without executing anything they hold."""

import itertools
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from utils.errors import DataError
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
    problem = next(_problems(content), None)
    if problem:
        raise DataError(f"{path}: not a checkpoint of an experiment of this project ({problem}); {REMEDY}")
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


def _problems(content: object) -> Iterator[str]:
    """Name what every checkpoint must have and this one has not."""
    if not isinstance(content, dict):
        yield f"found {type(content).__name__}"
        return
    yield from misfits({"epoch": content.get("epoch")}, {"epoch": int})
    weights = content.get("state_dict")
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        yield "state_dict: found no tensors by name"
    try:
        Identity.restore(content.get(IDENTITY))
    except ValueError as error:
        yield f"{IDENTITY}: {error}"


def check_weights(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Make sure that networks can take a checkpoint's weights.

    Raises:
        DataError: If names, shapes or types differ, or values are not finite.
    """
    infinite = (
        f"{WEIGHTS}.{name}: found values that are not finite" for name in found if not found[name].isfinite().all()
    )
    problem = next(itertools.chain(misfits(found, expected, WEIGHTS), infinite), None)
    if problem:
        raise DataError(f"{path}: {problem}; {REMEDY}")


def misfits(found: object, example: object, where: str = "") -> Iterator[str]:
    """Name where a nest of tensors and plain values is built otherwise than an example.

    The example has the same keys, lengths of lists, shapes and values. Where it has a type, any value of it may be, if
    it is no negative number; where None, anything.
    """
    if isinstance(example, Mapping) and isinstance(found, Mapping):
        for key in [*example, *(key for key in found if key not in example)]:
            name = f"{where}.{key}" if where else str(key)
            if key in found and key in example:
                yield from misfits(found[key], example[key], name)
            else:
                yield f"{name}: {'unknown' if key in found else 'missing'}"
    elif isinstance(example, list | tuple) and isinstance(found, list | tuple) and len(found) == len(example):
        for number, (part, wanted) in enumerate(zip(found, example, strict=True)):
            yield from misfits(part, wanted, f"{where}.{number}")
    elif not _fits(found, example):
        yield f"{where}: found {_kind(found)}, expected {_kind(example)}"


def _fits(found: object, example: object) -> bool:
    if isinstance(example, Tensor):
        return isinstance(found, Tensor) and (found.shape, found.dtype) == (example.shape, example.dtype)
    if isinstance(example, type):
        return type(found) is example and not (example in (int, float) and found < 0)
    return example is None or (type(found) is type(example) and found == example)


def _kind(value: object) -> str:
    """Describe a value, or the example of one, in a few words."""
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)} of {value.dtype}"
    if isinstance(value, list | tuple | Mapping):
        return f"{type(value).__name__} of {len(value)}"
    return value.__name__ if isinstance(value, type) else f"{type(value).__name__} {str(value)[:40]}"
