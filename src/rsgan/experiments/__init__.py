"""Experiments, one file each, chosen by name in a configuration: networks that learn, and rules that need not."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from utils.registry import Configured, Registry

if TYPE_CHECKING:
    from src.rsgan.configuration import ExperimentConfig
    from src.rsgan.experiments.baseline import Baseline
    from src.rsgan.experiments.experiment import Experiment

Channels = tuple[int, int | None]
Precision = Literal[16, 32, "16", "32", "32-true", "bf16", "bf16-mixed", "16-mixed"]
SYNONYMS = {"16": "16-mixed", "32": "32-true", "bf16": "bf16-mixed"}


class ExperimentSettings(Configured):
    """The `experiment` section of a file, and what an experiment asks of the other sections.

    Attributes:
        seed: draws the split of the views, and everything else unless the command line gives another.
        networks: names that `model` must have.
        optimizers: names that `optimizer` must and `lr_scheduler` may have, each with its networks.
        dataset: name of the data set.
        monitors: what `model_checkpoint` and `early_stopping` may watch.
    """

    seed: NonNegativeInt

    networks: ClassVar[tuple[str, ...]] = ()
    optimizers: ClassVar[dict[str, tuple[str, ...]]] = {}
    dataset: ClassVar[str]
    monitors: ClassVar[tuple[str, ...]] = ()


class TrainedSettings(ExperimentSettings):
    """An experiment whose networks learn.

    Attributes:
        chkpt: checkpoint to go on from.
        max_epochs: epochs to train for.
        precision: of the computation; `bf16-mixed` and `16-mixed` keep weights in single precision.
        frames_per_series: equally spaced frames of each series in a training epoch; None for all.
        in_time_order: whether batches run through series in time order.
    """

    chkpt: str | None = None
    max_epochs: PositiveInt
    precision: Precision = 32
    frames_per_series: PositiveInt | None = 5

    in_time_order: ClassVar[bool] = False

    @property
    def lightning_precision(self) -> Any:  # noqa: ANN401 - one of Lightning's literals
        """The precision under the name that Lightning 2 gives it."""
        return SYNONYMS.get(str(self.precision), str(self.precision))

    @abstractmethod
    def channels(self, source: int, target: int) -> dict[str, Channels]:
        """Say what each network must take and give.

        Args:
            source: bands of the source.
            target: bands of the target.

        Returns:
            For each network, channels of its input and of its output; None for a discriminator, whose output has one
            and any size. A generator's output has its input's height and width.
        """

    @abstractmethod
    def build(self, config: "ExperimentConfig", *, seed: int) -> "Experiment":
        """Build the experiment with fresh networks.

        Args:
            config: the whole configuration.
            seed: of what is random in training.

        Returns:
            The experiment.
        """


class BaselineSettings(ExperimentSettings):
    """A rule that needs no training: what networks have to beat."""

    @abstractmethod
    def build(self, bands: int) -> "Baseline":
        """Build the baseline.

        Args:
            bands: number of the target's.

        Returns:
            The baseline.
        """


EXPERIMENTS = Registry(__name__)
Weight = Annotated[float, Field(ge=0, le=1e6)]
