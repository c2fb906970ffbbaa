"""What every trained experiment is: networks, the losses of a step, and what it makes of series."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from src.rsgan.data.datasets import DatasetConfig, Kind
from src.rsgan.data.plans import Frames
from src.rsgan.data.series import Series
from src.rsgan.data.store import Batch
from src.rsgan.experiments import ExperimentSettings, Generated
from src.rsgan.models import Network
from utils.errors import ConfigError
from utils.fields import PathText

Channels = tuple[int, int | None]
Figures = dict[str, Tensor]
Descend = Callable[[str, Tensor], None]  # lets the networks of an optimiser take a step down a loss
Precision = Literal[16, 32, "16", "32", "32-true", "bf16", "bf16-mixed", "16-mixed"]
SYNONYMS = {"16": "16-mixed", "32": "32-true", "bf16": "bf16-mixed"}


class TrainedSettings(ExperimentSettings):
    """An experiment whose networks learn.

    Attributes:
        chkpt: checkpoint to go on from.
        builds: what is trained.
    """

    chkpt: PathText | None = None
    max_epochs: PositiveInt
    precision: Precision = 32

    builds: ClassVar[type["Experiment"]]

    @abstractmethod
    def batching(self, dataset: DatasetConfig) -> Frames | Series:
        """Say what batches are of.

        Raises:
            ConfigError: If the data set is set up for other batches.
        """

    def at_once(self, height: int, width: int) -> tuple[int, int]:
        """Say what part of frames of some size networks are given at once."""
        return height, width

    @property
    def lightning_precision(self) -> Any:  # noqa: ANN401 - one of Lightning's literals
        return SYNONYMS.get(str(self.precision), str(self.precision))

    @property
    def monitors(self) -> list[str]:
        tags = [tag for _, tag in self.builds.figures.values()]
        return [*tags, *(tag.replace("recall", "precision") for tag in tags if "recall" in tag), "val_loss"]

    @abstractmethod
    def channels(self, source: int, target: int) -> dict[str, Channels]:
        """Say how many channels each network takes and gives, from the bands of source and target.

        A generator gives images of its input's height and width, a discriminator, of which None says so, one logit a
        patch.
        """


class FrameSettings(TrainedSettings):
    """An experiment that learns from batches of frames.

    Attributes:
        frames_per_series: equally spaced frames of each series in a training epoch; None for all.
        in_time_order: whether batches run through series in time order.
    """

    frames_per_series: PositiveInt | None = 5

    in_time_order: ClassVar[bool] = False

    def batching(self, dataset: DatasetConfig) -> Frames:
        if dataset.crop is not None:
            raise ConfigError(
                f"dataset.crop: found {dataset.crop}, but {self.name} learns from whole frames; leave it out"
            )
        return Frames(self.in_time_order, self.frames_per_series)


def stay(optimizer: str, loss: Tensor) -> None:
    """Descend nowhere, as in validation."""


class Experiment(nn.Module):
    """Networks that learn to translate frames.

    A subclass computes a batch's figures in `step`: scalars that stay on the device, whose means over an epoch are
    logged under the names of `figures`.

    Attributes:
        kinds: what training and validation samples must hold.
        figures: tags of each figure, in training and in validation. A discriminator's `recall…` and `fooling_rate…`
            are logged with its precision beside them.
        val_loss: the figure that is also logged as `val_loss`, as the published experiments did.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("source", "target")
    figures: ClassVar[dict[str, tuple[str, str]]]
    val_loss: ClassVar[str]

    def __init__(self, settings: TrainedSettings, networks: Mapping[str, Network]) -> None:
        super().__init__()
        self.settings, self.configured = settings, networks
        for name, network in networks.items():
            self.add_module(name, network.build().to(memory_format=torch.channels_last))

    @abstractmethod
    def step(self, sample: Batch, descend: Descend = stay) -> Figures:
        """Work through one batch, losses and their descent; give a scalar for each of `figures`."""

    @abstractmethod
    def translate(self, series: Batch) -> Tensor | Generated:
        """Generate one series; see `Translator`."""

    @abstractmethod
    def pictures(self, series: list[Batch], step: int) -> dict[str, Tensor]:
        """Show what the experiment makes of one step of some series, which hold what must be known for that.

        Returns:
            Images `(N, C, H, W)` in network scale, by title.
        """

    def memory(self) -> dict[str, Tensor | None]:
        """What training remembers from one batch to the next, beside weights."""
        return {}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Take up a memory; what else a mapping holds is left alone.

        Raises:
            ValueError: If it doesn't fit.
        """
