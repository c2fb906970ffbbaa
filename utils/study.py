"""What a study consists of, as `params.yaml` says, and where its results are."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

Item = Annotated[str, Field(pattern=r"^[^/.][^/]*(/[^/.][^/]*)*$")]
Work = Annotated[str, Field(pattern=r"^[^/.][^/]*(/[^/.][^/]*)+$")]  # at least one folder, which is the data set's
Options = dict[str, str]


class Overlays(BaseModel):
    """Options that lay files over the configurations of data sets and of experiments."""

    toygeneration: Options
    rsgan: Options


class Folders(BaseModel):
    """Where a study keeps what."""

    views: Path
    classifiers: Path
    experiments: Path
    identities: Path


class Study(BaseModel):
    """A study: data sets, what is trained and tested on them, and with which seeds."""

    model_config = ConfigDict(frozen=True)

    seeds: list[NonNegativeInt]
    datasets: list[Item]
    experiments: list[Work]
    baselines: list[Work]
    scale: Overlays
    folders: Folders

    @property
    def runs(self) -> list[tuple[str, int]]:
        """Each experiment with each seed."""
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
