"""What experiment files may hold."""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.evaluation.classifiers import CLASSIFIERS, DEFAULT, ReferenceClassifier
from src.rsgan.experiments import EXPERIMENTS, ExperimentSettings
from src.rsgan.experiments.optimization import Adam, ExponentialDecay
from src.rsgan.models import NETWORKS
from utils.config import join, load, names, validate
from utils.errors import ConfigError, DataError
from utils.paths import PathText
from utils.registry import Configured, nearest

DEFAULT_MONITOR = "Metric/val_mae"


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
    reference_classifier_path: PathText | None = None


class ExperimentConfig(Configured):
    """An experiment file; docs/experiments.md explains all keys."""

    experiment: EXPERIMENTS.choice
    dataset: DatasetConfig
    model: dict[str, NETWORKS.choice] = Field(default_factory=dict)
    optimizer: dict[str, Adam] = Field(default_factory=dict)
    lr_scheduler: dict[str, ExponentialDecay] | None = None
    early_stopping: EarlyStopping | None = None
    model_checkpoint: ModelCheckpoint = ModelCheckpoint()
    reference_classifier: CLASSIFIERS.choice | None = None
    testing: Testing | None = None

    @model_validator(mode="after")
    def _sections_fit(self) -> Self:
        settings: ExperimentSettings = self.experiment
        problems = [
            *_differences("model", self.model, settings.networks, settings.networks),
            *_differences("optimizer", self.optimizer, settings.optimizers, settings.optimizers),
            *_differences("lr_scheduler", self.lr_scheduler or {}, settings.optimizers, ()),
        ]
        for section in ("model_checkpoint", "early_stopping"):
            watched, known = getattr(self, section), settings.monitors
            if known and watched is not None and watched.monitor not in known:
                found = f"{watched.monitor!r}{nearest(watched.monitor, known)}"
                problems.append(f"{section}.monitor: found {found}, expected one of {', '.join(known)}")
        if problems:
            raise ValueError(join(problems))
        return self


class SplitSeed(Configured):
    """The part of an `experiment` section that a reference classifier depends on."""

    seed: NonNegativeInt


class CommonConfig(Configured):
    """What experiments on a data set have in common: an experiment file without an experiment."""

    experiment: SplitSeed
    dataset: DatasetConfig
    reference_classifier: CLASSIFIERS.choice | None = None
    testing: Testing | None = None


def read_classifier_settings(*cfg: Path) -> ExperimentConfig | CommonConfig:
    """Read what a reference classifier is made from: experiment files, or those that they are based on, without a name.

    Raises:
        ConfigError: With all problems of the files.
    """
    content = load(*cfg)
    experiment = content.get("experiment")
    is_whole = isinstance(experiment, dict) and "name" in experiment
    return validate(ExperimentConfig if is_whole else CommonConfig, content, names(cfg))


def classifier_of(config: ExperimentConfig | CommonConfig) -> ReferenceClassifier:
    return config.reference_classifier or CLASSIFIERS.entries[DEFAULT]()


def read_experiment(*cfg: Path) -> ExperimentConfig:
    """Read an experiment's files, later ones merged over earlier ones; a `ConfigError` names all their problems."""
    return validate(ExperimentConfig, load(*cfg), names(cfg))


@contextlib.contextmanager
def named(*cfg: Path) -> Iterator[None]:
    """Put the files that asked for what cannot be before configuration and data errors that are raised in the block."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(f"{names(cfg)}: {error}") from error


def _differences(section: str, found: Collection[str], known: Collection[str], needed: Iterable[str]) -> list[str]:
    """Name the entries of a section that are too many or missing."""
    strangers = [
        f"unknown key '{section}.{name}'{nearest(name, known)}; known here: {', '.join(known)}"
        for name in found
        if name not in known
    ]
    return strangers + [f"missing key '{section}.{name}'" for name in needed if name not in found]
