"""What was last or will next be seen."""

from typing import Literal

import torch
from torch import Tensor

from src.rsgan.baselines.gap_filling import ClearValueSettings, at, neighbours, steps
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class ClosestClearValueSettings(ClearValueSettings):
    """Each pixel's clear value closest in time, the earlier of two."""

    name: Literal["closest_clear_value"]

    def fill_clear(self, frames: Tensor, clear: Tensor) -> Tensor:
        before, after = neighbours(clear)
        step = steps(frames)
        return at(frames, torch.where(step - before <= after - step, before, after))
