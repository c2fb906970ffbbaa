"""What training and testing run on, and which of the processes that train together speaks."""

import logging
import os
import re
import warnings
from dataclasses import dataclass
from typing import Any

import torch

from utils.errors import UsageError

HARMLESS = (
    ".*LeafSpec",  # Lightning 2.6 asks PyTorch 2.13 for something that a later PyTorch will not have
    "Checkpoint directory .* exists and is not empty",  # a run that goes on
)


@dataclass(frozen=True)
class Devices:
    """Processors to compute on: numbers of GPUs; none for the CPU."""

    gpus: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> "Devices":
        """Read `--device`: `0`, `0,1`, `auto` for what there is, `cpu` or None for the CPU.

        Raises:
            UsageError: If it is none of these, or names a GPU that isn't there.
        """
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if text in (None, "cpu"):
            return cls()
        if text == "auto":
            return cls(tuple(range(there)))
        if not re.fullmatch(r"\d+(,\d+)*", text, flags=re.ASCII):
            raise UsageError(f"--device: found {text!r}, expected GPU numbers such as 0 or 0,1, or auto, or cpu")
        gpus = tuple(dict.fromkeys(int(number) for number in text.split(",")))
        missing = [number for number in gpus if number >= there]
        if missing:
            has = f"GPUs 0 to {there - 1}" if there else "no GPU that PyTorch can use"
            raise UsageError(f"--device: found {text}, but this machine has {has}; use --device=auto or leave it out")
        return cls(gpus)

    @property
    def own(self) -> torch.device:
        """The device of this process, among those that Lightning starts."""
        rank = int(os.environ.get("LOCAL_RANK", "0"))
        return torch.device("cuda", self.gpus[rank]) if self.gpus else torch.device("cpu")

    def trainer_arguments(self) -> dict[str, Any]:
        """Say it in Lightning's words, as arguments of `Trainer`."""
        if not self.gpus:
            return {"accelerator": "cpu", "devices": 1}
        # Each optimiser steps on the networks of one side, so some parameters have no gradient.
        strategy = "ddp_find_unused_parameters_true" if len(self.gpus) > 1 else "auto"
        return {"accelerator": "cuda", "devices": list(self.gpus), "strategy": strategy, "benchmark": True}


def compute_exactly() -> None:
    """Keep to single precision on every device, so that results don't depend on it."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def first_process() -> bool:
    """Say whether this is the first, or the only one, of the processes that train together."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def quieten() -> None:
    """Keep to what a user should read: one process speaks, and Lightning only when something is wrong."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not first_process():
        logging.disable(logging.WARNING)
    for harmless in HARMLESS:
        warnings.filterwarnings("ignore", message=harmless)
    torch.set_float32_matmul_precision("high")
