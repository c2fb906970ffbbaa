"""Cloud removal by a network that sees whole series."""

from typing import Literal

from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.utils.sequence import SequenceSettings


@EXPERIMENTS.register
class SequenceCloudRemovalSettings(SequenceSettings):
    name: Literal["sequence_toy_cloud_removal"]

    keeps_source = True
