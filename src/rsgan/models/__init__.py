"""Networks, one file each, chosen by name in a configuration."""

from abc import abstractmethod
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator
from torch import nn

from utils.registry import Configured, Registry

Shape = tuple[int, int, int]
# YAML has lists only; tuples cannot be changed by the code that reads them.
InputSize = Annotated[tuple[PositiveInt, PositiveInt, PositiveInt], Field(strict=False)]
Filters = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]


class Network(Configured):
    """The `model.<network>` section of an experiment: what a network is, checked and sized before it is built.

    Attributes:
        input_size: channels, height and width of what goes in.
    """

    input_size: InputSize

    @abstractmethod
    def sizes(self) -> list[Shape]:
        """Compute the sizes after each layer, first to last, by arithmetic: nothing is run.

        Returns:
            Channels, height and width.

        Raises:
            ValueError: If an image vanishes on the way.
        """

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        self.sizes()
        return self

    @property
    def output_size(self) -> Shape:
        """Channels, height and width of what comes out."""
        return self.sizes()[-1]

    @property
    @abstractmethod
    def fewest_normalised(self) -> int | None:
        """Fewest pixels of an image at a batch-normalised layer; None where there is no such layer."""

    @abstractmethod
    def build(self) -> nn.Module:
        """Build the network with random weights, drawn from PyTorch's global generator.

        Returns:
            A module from `(N, *input_size)` to `(N, *output_size)`.
        """


NETWORKS = Registry(__name__)
