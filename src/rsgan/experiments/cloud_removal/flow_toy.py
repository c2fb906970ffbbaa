"""Cloud removal by flow matching of whole series."""

from typing import Literal

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.utils.flow import FlowSettings


@EXPERIMENTS.register
class FlowCloudRemovalSettings(FlowSettings):
    name: Literal["flow_toy_cloud_removal"]

    keeps_source = True
