"""Baseline: a composite without time."""

from typing import Literal

from torch import Tensor

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.baseline import ClearValueSettings
from src.rsgan.experiments.utils.gaps import clear_mean, clear_steps


@EXPERIMENTS.register
class ClearPixelMeanSettings(ClearValueSettings):
    """The mean of each pixel's clear values at all steps; see `ClearValueSettings`."""

    name: Literal["clear_pixel_mean"]

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        """See `GapFillingSettings`."""
        return clear_mean(frames, clear_steps(opacity, self.clear_opacity))
