"""One frame for the whole series."""

from typing import Literal

from torch import Tensor

from src.rsgan.baselines.gap_filling import GapFillingSettings
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class LeastCloudyFrameSettings(GapFillingSettings):
    """The frame of least mean opacity, the earliest of several, at all steps, as a mosaic of best scenes has it."""

    name: Literal["least_cloudy_frame"]

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        return frames[opacity.mean(dim=(1, 2, 3)).argmin()].expand_as(frames)
