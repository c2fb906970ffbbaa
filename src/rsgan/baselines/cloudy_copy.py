"""No removal of clouds at all."""

from collections.abc import Iterable, Mapping
from typing import Literal

from src.rsgan.baselines import Rule
from src.rsgan.baselines.gap_filling import CloudRemovalSettings
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class CloudyCopySettings(CloudRemovalSettings):
    """The clouded frames as they are: what any method must improve on."""

    name: Literal["cloudy_copy"]

    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> Rule:
        bands = self.clouded_bands(dataset, nbands)
        return Rule(lambda series: series["source"][:, :bands])
