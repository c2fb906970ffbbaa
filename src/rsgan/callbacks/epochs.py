"""What a run says of each epoch: a table of figures, and a line where there is no progress bar."""

import csv
import io
import logging
import math
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from src.rsgan.callbacks.checkpoints import monitored
from utils.errors import DataError
from utils.files import new_file
from utils.reading import read_text

logger = logging.getLogger(__name__)
KEYS = ("epoch", "step")


class EpochTable(Logger):
    """`metrics.csv`: one row an epoch, training and validation side by side.

    Rows of an earlier part of the run stay, up to the epoch with which it goes on; if they cannot be read, it is a
    `DataError`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._rows = _read(path) if path.exists() else {}
        self._changed = False

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Nothing: the run's configuration is in a file of its own."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        epoch = int(metrics["epoch"])
        self._rows = {number: row for number, row in self._rows.items() if number <= epoch}
        self._rows.setdefault(epoch, {}).update(metrics, epoch=epoch, step=step)
        self._changed = True

    @rank_zero_only
    def save(self) -> None:
        if not self._changed:
            return
        names = sorted({name for row in self._rows.values() for name in row} - set(KEYS))
        with new_file(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [*KEYS, *names])
            writer.writeheader()
            writer.writerows(row for _, row in sorted(self._rows.items()))
        self._changed = False


def _read(path: Path) -> dict[int, dict[str, Any]]:
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path, "a table of epochs")), strict=True))
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("rows of different lengths")
        return {int(row["epoch"]): row for row in rows}
    except (csv.Error, KeyError, ValueError) as error:
        raise DataError(f"{path}: no table of epochs ({error}); remove it: training goes on without it") from error


class EpochLines(Checkpoint):
    """A line on the log after each epoch. Lightning calls callbacks of this class when all figures are there."""

    def __init__(self, monitor: str) -> None:
        self._monitor, self._since = monitor, math.nan

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            name, figure = self._monitor.rpartition("/")[2], monitored(trainer, self._monitor)
            numbers = trainer.current_epoch + 1, trainer.max_epochs, name, figure, time.monotonic() - self._since
            logger.info("epoch %d of %d: %s %.4f (%.1f s)", *numbers)
