"""Checkpoints under fixed names: `epoch=N.ckpt` for the best, `best.ckpt` for the very best, `last.ckpt`."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint

from utils.files import new_file


class Checkpoints(ModelCheckpoint):
    """Lightning's checkpoints, written when an epoch is over and learning rates have decayed.

    Args:
        folder: where they go.
        monitor: figure that decides which are the best.
        mode: `min` or `max`.
        save_top_k: number of the best ones kept.
        every_n_epochs: epochs between checkpoints.
    """

    def __init__(self, folder: Path, *, monitor: str, mode: str, save_top_k: int, every_n_epochs: int) -> None:
        super().__init__(
            dirpath=folder,
            filename="{epoch}",
            monitor=monitor,
            mode=mode,
            save_top_k=save_top_k,
            every_n_epochs=every_n_epochs,
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write what is due, and give the best its name."""
        best = self.best_model_path
        super().on_train_epoch_end(trainer, pl_module)
        if self.best_model_path != best and trainer.is_global_zero:
            _link(Path(self.best_model_path), Path(self.dirpath) / "best.ckpt")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last one even where none was due."""
        if self._last_global_step_saved != trainer.global_step:
            trainer.save_checkpoint(Path(self.dirpath) / "last.ckpt")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember which were the best, wherever the folder has gone since.

        Args:
            state_dict: of a checkpoint.
        """
        folder = Path(self.dirpath)
        kept = {str(folder / Path(path).name): score for path, score in state_dict["best_k_models"].items()}
        kept = {path: score for path, score in kept.items() if Path(path).exists()}
        moved = {name: str(folder / Path(state_dict[name]).name) for name in ("best_model_path", "kth_best_model_path")}
        if not Path(moved["best_model_path"]).exists():  # another folder: the best is chosen anew
            return
        last = str(folder / Path(state_dict["last_model_path"]).name)
        super().load_state_dict(
            {**state_dict, **moved, "best_k_models": kept, "last_model_path": last, "dirpath": str(self.dirpath)}
        )


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system cannot, copy it."""
    with new_file(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
