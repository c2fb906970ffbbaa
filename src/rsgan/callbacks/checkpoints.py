"""Checkpoints under fixed names: `epoch=N.ckpt` for the best, `best.ckpt` for the very best, `last.ckpt`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from src.rsgan.checkpoint import read_checkpoint
from utils.files import new_file


class Checkpoints(Checkpoint):
    """Written in a folder when an epoch is over and learning rates have decayed; the last epoch leaves one in any case.

    `save_top_k` of the best ones are kept, or all if it is -1.
    """

    def __init__(self, folder: Path, *, monitor: str, mode: str, save_top_k: int, every_n_epochs: int) -> None:
        self.monitor = monitor
        self._folder, self._sign = folder, 1 if mode == "min" else -1
        self._most, self._every = save_top_k, every_n_epochs
        self._scores: dict[int, float] = {}  # of the kept ones, by epoch, the best first

    @property
    def best_score(self) -> float | None:
        """The monitored figure of the best checkpoint; None if there is none yet."""
        return next(iter(self._scores.values()), None)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        score, done = float(trainer.callback_metrics[self.monitor]), trainer.current_epoch + 1
        if done % self._every == 0 or done == trainer.max_epochs or trainer.should_stop:
            self._write(trainer, trainer.current_epoch, score)

    def _write(self, trainer: pl.Trainer, epoch: int, score: float) -> None:
        """Write what is due. `last.ckpt` comes last: if the process is killed before, the epoch is done again."""
        best, last = self._folder / "best.ckpt", self._folder / "last.ckpt"
        ranked = sorted({**self._scores, epoch: score}.items(), key=lambda item: (self._sign * item[1], item[0]))
        kept = dict(ranked if self._most < 0 else ranked[: self._most])
        dropped, self._scores = self._scores.keys() - kept, kept
        written = self._path(epoch) if epoch in kept else last
        trainer.save_checkpoint(written)
        if not trainer.is_global_zero:
            return
        if next(iter(kept)) == epoch:
            _link(written, best)
        for worse in dropped:
            self._path(worse).unlink(missing_ok=True)
        if written != last:
            _link(written, last)

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch={epoch}.ckpt"

    def state_dict(self) -> dict[str, Any]:
        return {"scores": self._scores}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember which were the best, as far as they are there: in another folder, the best is chosen anew."""
        scores = {int(epoch): float(score) for epoch, score in state_dict["scores"].items()}
        self._scores = {epoch: score for epoch, score in scores.items() if self._path(epoch).exists()}


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system cannot, copy it."""
    with new_file(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


class WholeCheckpointIO(TorchCheckpointIO):
    """Checkpoint files that are written whole or not at all, and read with care."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any = None,  # noqa: ANN401 - Lightning's
    ) -> None:
        with new_file(Path(path)) as temporary:
            try:
                # To a stream: of a file that it opens itself, PyTorch doesn't tell what the system said.
                with temporary.open("wb") as stream:
                    torch.save(checkpoint, stream)
            except (RuntimeError, OSError) as error:
                raise _told_by_system(error, Path(path)) from error

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Tensors stay on the CPU until networks and optimisers take them, and nothing but plain values is read."""
        return read_checkpoint(Path(path))


def _told_by_system(error: BaseException, path: Path) -> BaseException:
    """Find the system's reason for a failure in what followed from it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return OSError(cause.errno, cause.strerror, str(path))
        cause = cause.__context__
    return error
