"""SAR-to-optical translation by flow matching of whole series."""

from typing import Literal

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.utils.flow import FlowSettings


@EXPERIMENTS.register
class FlowSARToOpticalSettings(FlowSettings):
    name: Literal["flow_toy_sar_to_optical"]
