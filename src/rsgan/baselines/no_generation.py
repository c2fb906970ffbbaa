"""No generation at all: judges learn land cover from what an image would be made of."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from src.rsgan.baselines import BaselineSettings, Rule
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from utils.scores import NO_GENERATION, Kind, Sees


@EXPERIMENTS.register
class NoGenerationSettings(BaselineSettings):
    """The series of the sources as they are, for judges that have learnt from such."""

    name: Literal["no_generation"]

    kind: ClassVar[Kind] = NO_GENERATION
    sees: ClassVar[Sees] = "series"

    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> Rule:
        return Rule(lambda series: series["source"])
