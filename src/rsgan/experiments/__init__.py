"""Experiments, one file each, chosen by name in a configuration: networks that learn, and rules that need not."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import NonNegativeInt

from utils.registry import Configured, Registry


class ExperimentSettings(Configured):
    """The `experiment` section of a file, and what an experiment asks of the other sections.

    Attributes:
        seed: draws the split of the views, and everything else unless the command line gives another.
        optimizers: names of its optimisers, each with the networks that it moves.
    """

    seed: NonNegativeInt

    optimizers: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @property
    def networks(self) -> list[str]:
        return [network for networks in self.optimizers.values() for network in networks]

    @property
    def monitors(self) -> list[str]:
        """What `model_checkpoint` and `early_stopping` may watch."""
        return []


EXPERIMENTS = Registry(__name__, "src.rsgan.baselines")
