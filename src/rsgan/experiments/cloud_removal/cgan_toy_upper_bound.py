"""The conditional GAN with its target as source: how good its images could be at best."""

from typing import TYPE_CHECKING, Literal

from torch import Tensor

from src.rsgan.data.store import Sample
from src.rsgan.experiments import EXPERIMENTS, Channels
from src.rsgan.experiments.utils.cgan import CGAN, CGANSettings

if TYPE_CHECKING:
    from src.rsgan.configuration import ExperimentConfig


@EXPERIMENTS.register
class UpperBoundSettings(CGANSettings):
    """See `CGANSettings`."""

    name: Literal["cgan_toy_cloud_removal_upper_bound"]

    def channels(self, source: int, target: int) -> dict[str, Channels]:
        """See `TrainedSettings`."""
        return super().channels(target, target)

    def build(self, config: "ExperimentConfig", *, seed: int) -> "CGANUpperBound":
        """See `TrainedSettings`."""
        return CGANUpperBound(config, seed=seed)


class CGANUpperBound(CGAN):
    """An empirical upper bound: clean optical to clean optical."""

    kinds = ("target",)

    def condition(self, sample: Sample) -> Tensor:
        """See `CGAN`."""
        return sample["target"]
