"""What experiment files may hold."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from src.rsgan.data.datasets import DATASETS, DatasetConfig
from src.rsgan.data.views import Features
from src.rsgan.evaluation.classifiers import CLASSIFIERS
from src.rsgan.experiments import EXPERIMENTS, ExperimentSettings
from src.rsgan.models import NETWORKS, Network
from utils.config import join, load, validate
from utils.errors import ConfigError, DataError
from utils.registry import Configured, nearest

Beta = Annotated[float, Field(ge=0, lt=1)]
DEFAULT_MONITOR = "Metric/val_mae"


class Adam(Configured):
    """An optimiser: Kingma & Ba (2015), https://arxiv.org/abs/1412.6980.

    Attributes:
        lr: learning rate.
        betas: decay rates of the moments' averages.
        eps: added to the denominator.
        weight_decay: of the weights' squared norm.
    """

    lr: PositiveFloat
    betas: Annotated[tuple[Beta, Beta], Field(strict=False)] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0


class ExponentialDecay(Configured):
    """A learning rate's schedule.

    Attributes:
        gamma: what it is multiplied by after each epoch.
    """

    gamma: Annotated[float, Field(gt=0, le=1)]


class EarlyStopping(Configured):
    """When to stop before the last epoch.

    Attributes:
        name: accepted for the published files' sake, unused.
        monitor: figure that should improve.
        patience: epochs without improvement.
        mode: whether lower or higher is better.
    """

    name: str | None = None
    monitor: str = DEFAULT_MONITOR
    patience: PositiveInt = 3
    mode: Literal["min", "max"] = "min"


class ModelCheckpoint(Configured):
    """Which checkpoints are kept, beside the last.

    Attributes:
        monitor: figure that decides.
        save_top_k: number of the best ones kept; -1 for all.
        mode: whether lower or higher is better.
        every_n_epochs: epochs between checkpoints, the last one included.
    """

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
    """What a trained experiment is tested with.

    Attributes:
        chkpt: checkpoint.
        reference_classifier_path: classifier.
    """

    chkpt: str | None = None
    reference_classifier_path: str | None = None


class ExperimentConfig(Configured):
    """An experiment file.

    Attributes:
        experiment: what is trained and how long.
        dataset: what it is trained on.
        model: its networks, by name.
        optimizer: its optimisers, by name.
        lr_scheduler: their learning rates' schedules, by the optimiser's name; constant without.
        early_stopping: when to stop early; empty for never.
        model_checkpoint: which checkpoints are kept.
        reference_classifier: the classifier that judges generated series.
        testing: what it is tested with.
    """

    experiment: EXPERIMENTS.choice
    dataset: DATASETS.choice
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
        if self.dataset.name != settings.dataset:
            problems.append(
                f"dataset.name: found {self.dataset.name!r}, but {settings.name} needs {settings.dataset!r}"
            )
        for section in ("model_checkpoint", "early_stopping"):
            watched = getattr(self, section)
            if settings.monitors and watched is not None and watched.monitor not in settings.monitors:
                known = ", ".join(settings.monitors)
                hint = nearest(watched.monitor, settings.monitors)
                problems.append(f"{section}.monitor: found {watched.monitor!r}{hint}, expected one of {known}")
        if problems:
            raise ValueError(join(problems))
        return self

    def check_data(self, features: Features, smallest_batch: int | None = None) -> None:
        """Make sure that the networks fit the data, and each other.

        Args:
            features: of the data set's views.
            smallest_batch: frames in the smallest training batch; None where nothing is trained.

        Raises:
            ConfigError: Naming every size that doesn't fit.
        """
        dataset: DatasetConfig = self.dataset
        source, target = dataset.bands(dict(features.nbands))
        problems = []
        for name, (given, wanted) in self.experiment.channels(source, target).items():
            network: Network = self.model[name]
            problems += _misfits(name, network, (given, features.height, features.width), wanted)
            pixels = network.fewest_normalised
            if pixels is not None and smallest_batch is not None and pixels * smallest_batch == 1:
                problems.append(
                    f"model.{name}: a batch of one frame leaves a single pixel to batch normalisation; use a larger "
                    "dataset.dataloader.batch_size or fewer layers"
                )
        if problems:
            bands = f"{source} source and {target} target bands of {features.height}x{features.width} pixels"
            raise ConfigError(f"{join(problems)} (the data set {dataset.root} has {bands})")


class SplitSeed(Configured):
    """The part of an `experiment` section that a reference classifier depends on.

    Attributes:
        seed: draws the split of the views.
    """

    seed: NonNegativeInt


class CommonConfig(Configured):
    """What experiments on a data set have in common: an experiment file without an experiment.

    Attributes:
        experiment: seed of the split.
        dataset: the data.
        reference_classifier: the classifier that judges generated series.
        testing: where experiments will look for it.
    """

    experiment: SplitSeed
    dataset: DATASETS.choice
    reference_classifier: CLASSIFIERS.choice | None = None
    testing: Testing | None = None


def read_classifier_settings(cfg: Path) -> ExperimentConfig | CommonConfig:
    """Read what a reference classifier is made from.

    Args:
        cfg: an experiment file, or one that experiments on a data set are based on, without `experiment.name`.

    Returns:
        The configuration.

    Raises:
        ConfigError: With all problems of the file.
    """
    content = load(cfg)
    experiment = content.get("experiment")
    named = isinstance(experiment, dict) and "name" in experiment
    return validate(ExperimentConfig if named else CommonConfig, content, cfg)


def read_experiment(cfg: Path) -> ExperimentConfig:
    """Read an experiment file.

    Args:
        cfg: the file.

    Returns:
        The configuration.

    Raises:
        ConfigError: With all problems of the file.
    """
    return validate(ExperimentConfig, load(cfg), cfg)


@contextlib.contextmanager
def named(cfg: Path) -> Iterator[None]:
    """Say in errors which file asked for what cannot be.

    Args:
        cfg: the file.

    Yields:
        Nothing.

    Raises:
        ConfigError: Raised in the block, with the file's name before it.
        DataError: The same.
    """
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(f"{cfg}: {error}") from error


def _differences(section: str, found: Iterable[str], known: Iterable[str], needed: Iterable[str]) -> list[str]:
    """Name the entries of a section that are too many or missing."""
    found, known = list(found), list(known)
    strangers = [
        f"unknown key '{section}.{name}'{nearest(name, known)}; known here: {', '.join(known)}"
        for name in found
        if name not in known
    ]
    return strangers + [f"missing key '{section}.{name}'" for name in needed if name not in found]


def _misfits(name: str, network: Network, expected: tuple[int, int, int], out_channels: int | None) -> list[str]:
    """Name what a network takes or gives that isn't what the data need."""
    problems = []
    if network.input_size != expected:
        problems.append(
            f"model.{name}.input_size: found {list(network.input_size)}, expected {list(expected)} "
            "(channels, height, width)"
        )
    if out_channels is None:
        if network.output_size[0] != 1:
            problems.append(f"model.{name}: gives {network.output_size[0]} channels, expected 1, a logit a patch")
    elif network.output_size != (out_channels, *network.input_size[1:]):
        wanted: list[Any] = [out_channels, *network.input_size[1:]]
        problems.append(f"model.{name}: makes {list(network.output_size)} of its input, expected {wanted}")
    return problems
