"""What a run says of each epoch: a table of figures, and a line where there is no progress bar."""

import csv
import logging
import math
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from utils.files import new_file

logger = logging.getLogger(__name__)
KEYS = ("epoch", "step")


class EpochTable(Logger):
    """`metrics.csv`: one row an epoch, training and validation side by side.

    Args:
        path: the file.
        keep: rows of epochs below this are kept from an earlier part of the run.
    """

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        super().__init__()
        self._path = path
        self._rows: dict[int, dict[str, Any]] = {}
        self._changed = False
        if path.exists() and keep:
            with path.open(newline="", encoding="utf-8") as stream:
                rows = {int(row["epoch"]): row for row in csv.DictReader(stream)}
            self._rows = {epoch: row for epoch, row in rows.items() if epoch < keep}

    @property
    def name(self) -> str:
        """Unused."""
        return ""

    @property
    def version(self) -> str:
        """Unused."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Nothing: the run's configuration is a file of its own."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add figures to the row of their epoch.

        Args:
            metrics: the figures, `epoch` among them.
            step: number of batches trained on.
        """
        epoch = int(metrics["epoch"])
        self._rows.setdefault(epoch, {}).update(metrics, epoch=epoch, step=step)
        self._changed = True

    @rank_zero_only
    def save(self) -> None:
        """Write the file, if anything changed."""
        if not self._changed:
            return
        names = sorted({name for row in self._rows.values() for name in row} - set(KEYS))
        with new_file(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [*KEYS, *names])
            writer.writeheader()
            writer.writerows(row for _, row in sorted(self._rows.items()))
        self._changed = False


class EpochLines(Callback):
    """A line on the log after each epoch's validation."""

    def __init__(self) -> None:
        self._since = math.nan

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at the clock."""
        self._since = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the line."""
        if trainer.is_global_zero:
            mae = float(trainer.callback_metrics["Metric/val_mae"])
            seconds = time.monotonic() - self._since
            logger.info(
                "epoch %d of %d: val_mae %.4f (%.1f s)", trainer.current_epoch + 1, trainer.max_epochs, mae, seconds
            )
