"""What a run says of each epoch: a row in a table of figures, and a line where there is no progress bar."""

import csv
import io
import logging
import math
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from utils.errors import DataError
from utils.files import new_file
from utils.reading import read_text

logger = logging.getLogger(__name__)
KEYS = ("epoch", "step")


class Epochs(Checkpoint):
    """`metrics.csv`: one row an epoch, training and validation side by side.

    Rows of an earlier part of the run stay, up to the epoch with which it goes on; if they cannot be read, it is a
    `DataError`. Lightning calls callbacks of this class when all figures are there.

    Args:
        monitor: the figure that the line on the log shows; None for no line.
    """

    def __init__(self, path: Path, monitor: str | None) -> None:
        self._path, self._monitor, self._since = path, monitor, math.nan
        self._rows = _read(path) if path.exists() else {}

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        epoch, step = trainer.current_epoch, trainer.fit_loop.epoch_loop.total_batch_idx
        figures = {name: float(figure) for name, figure in trainer.callback_metrics.items()}
        earlier = {number: row for number, row in self._rows.items() if number < epoch}
        self._rows = earlier | {epoch: {"epoch": epoch, "step": step, **figures}}
        self._write()
        if self._monitor:
            watched = self._monitor.rpartition("/")[2], figures[self._monitor]
            seconds = time.monotonic() - self._since
            logger.info("epoch %d of %d: %s %.4f (%.1f s)", epoch + 1, trainer.max_epochs, *watched, seconds)

    def _write(self) -> None:
        names = sorted({name for row in self._rows.values() for name in row} - set(KEYS))
        with new_file(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [*KEYS, *names])
            writer.writeheader()
            writer.writerows(row for _, row in sorted(self._rows.items()))


def _read(path: Path) -> dict[int, dict[str, Any]]:
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path, "a table of epochs")), strict=True))
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("rows of different lengths")
        return {int(row["epoch"]): row for row in rows}
    except (csv.Error, KeyError, ValueError) as error:
        raise DataError(f"{path}: no table of epochs ({error}); remove it: training goes on without it") from error
