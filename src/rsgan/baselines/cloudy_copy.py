"""No removal of clouds at all."""

from typing import Literal

from torch import Tensor

from src.rsgan.baselines.gap_filling import GapFillingSettings
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class CloudyCopySettings(GapFillingSettings):
    """The clouded frames as they are: what any method must improve on."""

    name: Literal["cloudy_copy"]

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        return frames
