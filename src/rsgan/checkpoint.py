"""Checkpoint files: written whole or not at all, read without executing anything they hold."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from utils.errors import DataError
from utils.files import new_file

IDENTITY = "identity"  # key under which a checkpoint says which run it belongs to


class WholeCheckpointIO(TorchCheckpointIO):
    """Lightning's reading and writing, but a file appears under its name when it is complete."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any = None,  # noqa: ANN401 - Lightning's
    ) -> None:
        """Write a checkpoint.

        Args:
            checkpoint: tensors and plain values.
            path: the file.
            storage_options: unused.
        """
        with new_file(Path(path)) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint; see `read_checkpoint`.

        Args:
            path: the file.
            map_location: unused: tensors stay on the CPU until networks and optimisers take them.
            weights_only: unused: nothing else is ever read.

        Returns:
            What it holds.
        """
        return read_checkpoint(Path(path))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint's tensors and plain values; code that a file may carry is refused.

    Args:
        path: the file.

    Returns:
        What it holds, on the CPU.

    Raises:
        DataError: If there is no file, or it is not a checkpoint of an experiment of this project.
    """
    remedy = "check the path or train again"
    if not path.is_file():
        raise DataError(f"{path}: no such checkpoint file; {remedy}")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: truncated or not a checkpoint; {remedy}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(f"{path}: holds more than tensors and plain values, so it is not read; {remedy}") from error
    except RuntimeError as error:  # a zip file of something else
        raise DataError(f"{path}: not a checkpoint ({error}); {remedy}") from error
    if not isinstance(content, dict) or IDENTITY not in content:
        raise DataError(f"{path}: not a checkpoint of an experiment of this project; {remedy}")
    return content
