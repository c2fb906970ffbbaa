"""SAR-to-optical translation by a network that sees whole series."""

from typing import Literal

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.utils.sequence import SequenceSettings


@EXPERIMENTS.register
class SequenceSARToOpticalSettings(SequenceSettings):
    name: Literal["sequence_toy_sar_to_optical"]
