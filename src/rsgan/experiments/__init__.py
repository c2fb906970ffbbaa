"""Experiments, one file each, chosen by name in a configuration: networks that learn, and rules that need not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import NonNegativeInt
from torch import Tensor

from src.rsgan.data.datasets import DatasetConfig, Kind
from src.rsgan.data.store import Batch
from utils.registry import Configured, Registry
from utils.scores import Sees


class ExperimentSettings(Configured):
    """The `experiment` section of a file, and what an experiment asks of the other sections.

    Attributes:
        seed: draws the split of the views, and everything else unless the command line gives another.
        optimizers: names of its optimisers, each with the networks that it moves.
        sees: whether each frame is made from one of the source or from several.
        of_series: its networks that are given whole series; all others, single frames.
    """

    seed: NonNegativeInt

    optimizers: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    sees: ClassVar[Sees] = "frame"
    of_series: ClassVar[Collection[str]] = ()

    @property
    def networks(self) -> list[str]:
        return [network for networks in self.optimizers.values() for network in networks]

    @property
    def monitors(self) -> list[str]:
        """What `model_checkpoint` and `early_stopping` may watch."""
        return []

    def sensors(self, dataset: DatasetConfig) -> Sequence[str]:
        """Name the products of a data set that it looks at."""
        return dataset.sources

    def told(self, dataset: DatasetConfig, networks: Mapping[str, Any]) -> dict[str, Any]:
        """Say what it is told of a view; see `utils.results.Told`."""
        return {"sensors": [*self.sensors(dataset)], "opacity": dataset.opacity, "sees": self.sees}


@dataclass(frozen=True, eq=False)
class Generated:
    """A generated series in network scale, and how uncertain its values are, where that is known.

    Attributes:
        frames: `(T, C, H, W)`, float32: what is scored as images and judged.
        std: of the same shape, each value's standard deviation.
        samples: `(S, T, C, H, W)`, equally likely series, at least two.

    Raises:
        ValueError: If there are both, of which only one can be scored.
    """

    frames: Tensor
    std: Tensor | None = None
    samples: Tensor | None = None

    def __post_init__(self) -> None:
        if self.std is not None and self.samples is not None:
            raise ValueError("found both a standard deviation and samples, expected one of them")


class Translator(Protocol):
    """What is tested: it generates series of source series, which must hold `kinds`."""

    kinds: Sequence[Kind]

    def translate(self, series: Batch) -> Tensor | Generated:
        """Generate one series, whose first axis is time: its frames alone, as `Generated.frames`, if it is certain."""


EXPERIMENTS = Registry(__name__, "src.rsgan.baselines")
