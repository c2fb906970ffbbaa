"""A composite without time."""

from typing import Literal

import torch
from torch import Tensor

from src.rsgan.baselines.gap_filling import ClearValueSettings
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class ClearPixelMeanSettings(ClearValueSettings):
    """The mean of each pixel's clear values at all steps."""

    name: Literal["clear_pixel_mean"]

    def fill_clear(self, frames: Tensor, clear: Tensor) -> Tensor:
        mean = torch.where(clear, frames, 0).sum(dim=0) / clear.sum(dim=0)
        return mean.expand_as(frames)
