"""The conditional GAN with its target as source: how good its images could be at best."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.experiment import Channels
from src.rsgan.experiments.utils.cgan import CGAN, CGANSettings


class CGANUpperBound(CGAN):
    """An empirical upper bound: clean optical to clean optical."""

    kinds = ("target",)

    def condition(self, sample: Batch) -> Tensor:
        return sample["target"]


@EXPERIMENTS.register
class UpperBoundSettings(CGANSettings):
    name: Literal["cgan_toy_cloud_removal_upper_bound"]

    builds = CGANUpperBound

    def sensors(self, dataset: DatasetConfig) -> Sequence[str]:
        return [dataset.target]

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        return super().channels(target, target)
