"""Baseline: one frame for the whole series."""

from typing import Literal

from torch import Tensor

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.baseline import GapFillingSettings
from src.rsgan.experiments.utils.gaps import least_cloudy


@EXPERIMENTS.register
class LeastCloudyFrameSettings(GapFillingSettings):
    """The frame of least mean opacity at all steps, as a mosaic of best scenes has it."""

    name: Literal["least_cloudy_frame"]

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        """See `GapFillingSettings`."""
        return least_cloudy(frames, opacity)
