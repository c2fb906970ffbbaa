"""What a run says of each epoch: a row in a table of figures, and a line where there is no progress bar."""

import logging
import math
import time
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from utils.tables import EpochRow, read_rows, write_csv

logger = logging.getLogger(__name__)
REMEDY = "remove it: training goes on without it"


class Epochs(Checkpoint):
    """`metrics.csv`: one row an epoch, training and validation side by side.

    Rows of an earlier part of the run stay, up to the epoch with which it goes on; if they cannot be read, it is a
    `DataError`. Lightning calls callbacks of this class when all figures are there.

    Args:
        monitor: the figure that the line on the log shows; None for no line.
    """

    def __init__(self, path: Path, monitor: str | None) -> None:
        self._path, self._monitor, self._since = path, monitor, math.nan
        rows = read_rows(path, EpochRow, REMEDY) if path.exists() else []
        self._rows = {row.epoch: row.model_dump() for row in rows}

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        epoch, step = trainer.current_epoch, trainer.fit_loop.epoch_loop.total_batch_idx
        figures = {name: float(figure) for name, figure in sorted(trainer.callback_metrics.items())}
        earlier = {number: row for number, row in self._rows.items() if number < epoch}
        self._rows = earlier | {epoch: {"epoch": epoch, "step": step, **figures}}
        write_csv(self._path, self._rows.values())
        if self._monitor:
            watched = self._monitor.rpartition("/")[2], figures[self._monitor]
            seconds = time.monotonic() - self._since
            logger.info("epoch %d of %d: %s %.4f (%.1f s)", epoch + 1, trainer.max_epochs, *watched, seconds)
