"""Baseline: what was last or will next be seen."""

from typing import Literal

from torch import Tensor

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.baseline import ClearValueSettings
from src.rsgan.experiments.utils.gaps import clear_steps, closest_clear


@EXPERIMENTS.register
class ClosestClearValueSettings(ClearValueSettings):
    """Each pixel's clear value closest in time; see `ClearValueSettings`."""

    name: Literal["closest_clear_value"]

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        """See `GapFillingSettings`."""
        return closest_clear(frames, clear_steps(opacity, self.clear_opacity))
