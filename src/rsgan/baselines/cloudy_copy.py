"""No removal of clouds at all."""

from collections.abc import Iterable, Mapping
from typing import Literal

from torch import Tensor

from src.rsgan.baselines.gap_filling import CloudRemovalSettings
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class CloudyCopySettings(CloudRemovalSettings):
    """The clouded frames as they are: what any method must improve on."""

    name: Literal["cloudy_copy"]

    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> "CloudyCopy":
        return CloudyCopy(self.clouded_bands(dataset, nbands))


class CloudyCopy:
    """The clouded bands, the first of the source."""

    kinds = ("source",)

    def __init__(self, bands: int) -> None:
        self._bands = bands

    def translate(self, series: Batch) -> Tensor:
        return series["source"][:, : self._bands]
