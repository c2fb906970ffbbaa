"""Baselines, one rule per file, chosen by name in a configuration: what networks have to beat."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

from torch import Tensor

from src.rsgan.data.datasets import DatasetConfig, Kind
from src.rsgan.data.store import Batch
from src.rsgan.experiments import ExperimentSettings


class Baseline(ABC):
    """Translates series, which hold `kinds`, by a rule, on the device that they are on; it may learn from others."""

    kinds: ClassVar[tuple[Kind, ...]] = ("source",)
    learns_from: ClassVar[tuple[Kind, ...]] = ()

    def learn(self, series: Iterable[Batch]) -> None:  # noqa: B027 - most rules learn nothing
        """Estimate what the rule needs from the training views, each the whole series of one."""

    @abstractmethod
    def translate(self, series: Batch) -> Tensor:
        """Generate the frames of one series, whose first axis is time: `(T, C, H, W)` float32 in network scale."""


class BaselineSettings(ExperimentSettings):
    """A rule in place of networks."""

    @abstractmethod
    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int]) -> Baseline:
        """Build the baseline for a data set whose products have some bands; a `ConfigError` where it does not suit."""
