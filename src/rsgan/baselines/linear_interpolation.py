"""Interpolation in time."""

from typing import Literal

import torch
from torch import Tensor

from src.rsgan.baselines.gap_filling import ClearValueSettings, at, neighbours, steps
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class LinearInterpolationSettings(ClearValueSettings):
    """Linear between each pixel's clear values; before the first and after the last, these are kept."""

    name: Literal["linear_interpolation"]

    def fill_clear(self, frames: Tensor, clear: Tensor) -> Tensor:
        before, after = neighbours(clear)
        weight = (steps(frames) - before) / (after - before).clamp_min(1)
        return torch.lerp(at(frames, before), at(frames, after), weight.to(frames.dtype))
