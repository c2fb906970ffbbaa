"""What a study consists of, as `params.yaml` says, and where its results are."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

Item = Annotated[str, Field(pattern=r"^[^/.][^/]*(/[^/.][^/]*)*$")]
Work = Annotated[str, Field(pattern=r"^[^/.][^/]*(/[^/.][^/]*)+$")]  # at least one folder, which is the data set's
Options = dict[str, str]
JUDGES = "judges"


class Overlays(BaseModel):
    toygeneration: Options  # that lay files over the configurations of data sets, and of experiments
    rsgan: Options


class Sweep(BaseModel):
    """One key of a data set over values, each of which makes a data set of its own; without values there is none."""

    values: list[int | float] = Field(default_factory=list)
    experiments: list[Item] = Field(default_factory=list)  # of the task, trained at each value
    baselines: list[Item] = Field(default_factory=list)
    task: str = ""  # folder of experiments
    dataset: str = ""  # folder of scenes and sensors
    file: str = ""  # configuration that the key is in, in the folder of all data sets
    key: str = ""  # with dots, such as `lost.share`

    @property
    def levels(self) -> dict[str, int | float]:
        """Values, the least first, by the names of their data sets."""
        return {f"{self.key}={value}": value for value in sorted(self.values)}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"task": self.task, "dataset": self.dataset, "file": self.file, "key": self.key}
        missing = [name for name, value in needed.items() if self.values and not value]
        if missing:
            raise ValueError(f"found values without {', '.join(missing)}; see the profile difficulty")
        return self


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
    sweep: Sweep = Sweep()
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

    def results_at(self, level: str) -> list[Path]:
        """The same of the sweep, at one of its levels."""
        trained = [f"{experiment}/{seed}" for experiment in self.sweep.experiments for seed in self.seeds]
        return [self.folders.experiments / level / name / "eval" for name in (*trained, *self.sweep.baselines)]

    def judges_at(self, level: str) -> Path:
        """Folder of classifiers, in one of the level's name: that may look like a file's, with a suffix."""
        return self.folders.classifiers / level / JUDGES

    @property
    def used(self) -> list[Path]:
        """Data sets on which anything is tested."""
        return [*dict.fromkeys(Path(name).parent for name in (*self.experiments, *self.baselines))]
