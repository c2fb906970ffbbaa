"""Ctrl-C and SIGTERM end training after the batch, with a checkpoint to go on from."""

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from utils.environment import SIGNALS, leave
from utils.errors import ProjectError


class TrainingInterruptedError(ProjectError):
    """Training was asked to end before it was done; it goes on from a checkpoint."""

    def __init__(self, received: signal.Signals, checkpoint: Path) -> None:
        super().__init__(
            f"interrupted by {received.name}; {checkpoint} is written: run the same command again to go on, "
            f"or set experiment.chkpt to it"
        )
        self.exit_status = 128 + received  # the shell's convention


class Interruption(Checkpoint):
    """Waits for a signal. A second one ends the process at once, without a checkpoint.

    Lightning calls callbacks of this class last, when an epoch's own checkpoints are written.

    Attributes:
        began: whether a batch was trained on: all that training goes on from was restored, and fitted, then.
    """

    def __init__(self, checkpoint: Path) -> None:
        self.began = False
        self._checkpoint = checkpoint
        self._received: signal.Signals | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen in place of others' handlers, but not to what the caller has the process ignore.

        When training is over, Lightning gives all signals back to whom they went before.
        """
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None:
            leave(number)
        self._received = signal.Signals(number)

    def _asked(self, trainer: pl.Trainer) -> bool:
        """Whether any of the processes that train together received a signal."""
        asked = self._received is not None
        if trainer.world_size > 1:
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
            if asked and self._received is None:
                self._received = signal.SIGTERM
        return asked

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:  # noqa: ANN401 - Lightning's
        """Write a checkpoint and end, if asked to; after an epoch's last batch, the epoch is completed first."""
        self.began = True
        if not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch and self._asked(trainer):
            trainer.save_checkpoint(self._checkpoint)
            self.raise_if_interrupted()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._asked(trainer):
            trainer.save_checkpoint(self._checkpoint)
            trainer.should_stop = True

    def raise_if_interrupted(self) -> None:
        """Tell the caller, by a `TrainingInterruptedError`, that training ended before it was done."""
        if self._received is not None:
            raise TrainingInterruptedError(self._received, self._checkpoint)
