"""What a study consists of, as `params.yaml` says, and where its results are."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

Item = Annotated[str, Field(pattern=r"^[^/.][^/]*(/[^/.][^/]*)*$")]
Work = Annotated[str, Field(pattern=r"^[^/.][^/]*(/[^/.][^/]*)+$")]  # at least one folder, which is the data set's
Options = dict[str, str]


class Overlays(BaseModel):
    toygeneration: Options  # that lay files over the configurations of data sets, and of experiments
    rsgan: Options


class Folders(BaseModel):
    views: Path
    classifiers: Path
    experiments: Path
    identities: Path


class Study(BaseModel):
    model_config = ConfigDict(frozen=True)

    seeds: list[NonNegativeInt]
    datasets: list[Item]
    experiments: list[Work]
    baselines: list[Work]
    scale: Overlays
    folders: Folders

    @property
    def runs(self) -> list[tuple[str, int]]:
        return [(experiment, seed) for experiment in self.experiments for seed in self.seeds]

    @property
    def results(self) -> list[Path]:
        """Folders of what is tested: trained experiments, then baselines."""
        names = [*(f"{experiment}/{seed}" for experiment, seed in self.runs), *self.baselines]
        return [self.folders.experiments / name / "eval" for name in names]

    @property
    def used(self) -> list[Path]:
        """Data sets on which anything is tested."""
        return [*dict.fromkeys(Path(name).parent for name in (*self.experiments, *self.baselines))]
