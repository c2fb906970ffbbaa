"""Baselines, one rule per file, chosen by name in a configuration: what networks have to beat."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.datasets import Kind as DataKind
from src.rsgan.data.store import Batch
from src.rsgan.experiments import ExperimentSettings
from utils.scores import BASELINE, Kind


@dataclass(frozen=True, eq=False)
class Rule:
    """A translator that applies a function to the `kinds` of a series."""

    translate: Callable[[Batch], Tensor]
    kinds: Sequence[DataKind] = ("source",)


class BaselineSettings(ExperimentSettings):
    """A rule in place of networks, applied on the device that series are on."""

    kind: ClassVar[Kind] = BASELINE

    @abstractmethod
    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> Rule:
        """Build what applies the rule to a data set whose products have some bands.

        Args:
            training: sources, targets and, where it is told, opacity (if exactly, also shadows) of the training views,
                whole series that are read one after the other if the rule learns from them.

        Raises:
            ConfigError: If the data set does not suit.
        """
