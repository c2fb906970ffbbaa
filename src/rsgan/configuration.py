"""What experiment files may hold."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.evaluation.classifiers import CLASSIFIERS, DEFAULT, ReferenceClassifier
from src.rsgan.experiments import EXPERIMENTS, ExperimentSettings
from src.rsgan.experiments.optimization import Adam, Schedule
from src.rsgan.models import NETWORKS, Network
from utils.config import Paths, join, load, names, validate
from utils.fields import PathText
from utils.registry import Configured, nearest
from utils.scores import Sees

DEFAULT_MONITOR = "Metric/val_mae"


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - whatever a YAML file holds
    return value if isinstance(value, list) else [value]


def _with_names_of_their_own(value: Any) -> Any:  # noqa: ANN401 - one section or several
    found = [settings.name for settings in _as_list(value)]
    if len(set(found)) < len(found):
        raise ValueError(f"found {', '.join(found)}, expected different names, which tell judges apart")
    return value


Judges = Annotated[CLASSIFIERS.choices, AfterValidator(_with_names_of_their_own)]


class EarlyStopping(Configured):
    """When to stop before the last epoch; `name` is accepted for the published files' sake, unused."""

    name: str | None = None
    monitor: str = DEFAULT_MONITOR
    patience: PositiveInt = 3
    mode: Literal["min", "max"] = "min"


class ModelCheckpoint(Configured):
    """Which checkpoints are kept, beside the last; of `save_top_k`, -1 is all."""

    monitor: str = DEFAULT_MONITOR
    save_top_k: Annotated[int, Field(ge=-1)] = 1
    mode: Literal["min", "max"] = "min"
    every_n_epochs: PositiveInt = 1

    @model_validator(mode="after")
    def _keeps_one(self) -> Self:
        if self.save_top_k == 0:
            raise ValueError("save_top_k: found 0, expected 1 or more, or -1 for all; nothing would be left to test")
        return self


class Testing(Configured):
    """What a trained experiment is tested with."""

    chkpt: PathText | None = None
    reference_classifier_path: Annotated[list[PathText], BeforeValidator(_as_list)] | None = None


class SplitSeed(Configured):
    """The part of an `experiment` section that a reference classifier depends on."""

    seed: NonNegativeInt


class CommonConfig(Configured):
    """What experiments on a data set have in common."""

    experiment: SplitSeed
    dataset: DatasetConfig
    reference_classifier: Judges | None = None
    testing: Testing | None = None


class ExperimentConfig(CommonConfig):
    """An experiment file; docs/experiments.md explains all keys."""

    experiment: EXPERIMENTS.choice
    model: dict[str, NETWORKS.choice] = Field(default_factory=dict)
    optimizer: dict[str, Adam] = Field(default_factory=dict)
    lr_scheduler: dict[str, Schedule] | None = None
    early_stopping: EarlyStopping | None = None
    model_checkpoint: ModelCheckpoint = ModelCheckpoint()

    @model_validator(mode="after")
    def _sections_fit(self) -> Self:
        settings: ExperimentSettings = self.experiment
        problems = [
            *_differences("model", self.model, settings.networks, settings.networks),
            *_differences("optimizer", self.optimizer, settings.optimizers, settings.optimizers),
            *_differences("lr_scheduler", self.lr_scheduler or {}, settings.optimizers, ()),
            *_unfit(self.model, settings),
        ]
        for section in ("model_checkpoint", "early_stopping"):
            watched, known = getattr(self, section), settings.monitors
            if known and watched is not None and watched.monitor not in known:
                found = f"{watched.monitor!r}{nearest(watched.monitor, known)}"
                problems.append(f"{section}.monitor: found {found}, expected one of {', '.join(known)}")
        if problems:
            raise ValueError(join(problems))
        return self


def read_common(cfg: Paths) -> CommonConfig:
    """Read what needs no network: experiment files, or those that they are based on, without an experiment's name.

    Raises:
        ConfigError: With all problems of the files.
    """
    content = load(cfg)
    experiment = content.get("experiment")
    is_whole = isinstance(experiment, dict) and "name" in experiment
    return validate(ExperimentConfig if is_whole else CommonConfig, content, names(cfg))


def classifiers_of(config: CommonConfig) -> list[ReferenceClassifier]:
    return _as_list(config.reference_classifier or CLASSIFIERS.entries[DEFAULT]())


def _differences(section: str, found: Collection[str], known: Collection[str], needed: Iterable[str]) -> list[str]:
    """Name the entries of a section that are too many or missing."""
    strangers = [
        f"unknown key '{section}.{name}'{nearest(name, known)}; known here: {', '.join(known)}"
        for name in found
        if name not in known
    ]
    return strangers + [f"missing key '{section}.{name}'" for name in needed if name not in found]


def _unfit(networks: Mapping[str, Network], settings: ExperimentSettings) -> Iterator[str]:
    """Name networks of frames where one of series is needed, and the other way round."""
    for name, network in networks.items():
        needed: Sees = "series" if name in settings.of_series else "frame"
        if name in settings.networks and network.takes != needed:
            fit = ", ".join(known for known, entry in NETWORKS.entries.items() if entry.takes == needed)
            found = f"{network.name}, which is given one {network.takes} at a time"
            yield f"model.{name}: found {found}, expected what is given one {needed}: {fit}"
