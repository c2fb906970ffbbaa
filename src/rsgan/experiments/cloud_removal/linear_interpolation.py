"""Baseline: interpolation in time."""

from typing import Literal

from torch import Tensor

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.baseline import ClearValueSettings
from src.rsgan.experiments.utils.gaps import clear_steps, interpolate


@EXPERIMENTS.register
class LinearInterpolationSettings(ClearValueSettings):
    """Linear between each pixel's clear values; see `ClearValueSettings`."""

    name: Literal["linear_interpolation"]

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        """See `GapFillingSettings`."""
        return interpolate(frames, clear_steps(opacity, self.clear_opacity))
