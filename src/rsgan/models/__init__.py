"""Networks, one file each, chosen by name in a configuration."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, PositiveInt, model_validator
from torch import nn

from src.rsgan.models.layers import PlacedLayer, Shape
from utils.registry import Configured, Registry
from utils.scores import Sees

# YAML has lists only; tuples cannot be changed by the code that reads them.
InputSize = Annotated[tuple[PositiveInt, PositiveInt, PositiveInt], Field(strict=False)]
Filters = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
# Keys of filters, one for each layer, and of what else the layers are told.
SETTINGS = {"enc_filters": "enc_kwargs", "n_filters": "conv_kwargs", "dec_filters": "dec_kwargs"}


class Network(Configured):
    """The `model.<network>` section of an experiment: what a network is, checked and sized before it is built."""

    input_size: InputSize | None = None

    takes: ClassVar[Sees] = "frame"  # what it is given at once

    @abstractmethod
    def build(self) -> nn.Module:
        """Build the network; weights are drawn from PyTorch's own stream."""

    @property
    @abstractmethod
    def output_size(self) -> Shape:
        """What it makes of an image of `input_size`, by arithmetic: nothing is run.

        Raises:
            ValueError: If sizes don't fit.
        """

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Number of those that are learnt."""

    @property
    @abstractmethod
    def values(self) -> int:
        """Number of those that its layers make of one image."""

    @property
    def fewest_normalised(self) -> int | None:
        """Fewest pixels of an image at a batch-normalised layer; None where there is no such layer."""
        return None

    def _missing(self) -> list[str]:
        # What a discriminator gives follows from its filters: it has no key `out_channels`.
        return [name for name in ("input_size", "out_channels") if getattr(self, name, 1) is None]

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if not self._missing():
            _ = self.output_size
        return self

    def sized(self, input_size: Shape, out_channels: int) -> Self:
        """Fill in the sizes that were left out.

        Raises:
            ValueError: If the network cannot have them.
        """
        sizes = {"input_size": input_size, "out_channels": out_channels}
        network = self.model_copy(update={name: sizes[name] for name in self._missing()})
        _ = network.output_size
        return network


class LayeredNetwork(Network):
    """A network of convolutional layers, each with its own settings."""

    @abstractmethod
    def layers(self) -> list[PlacedLayer]:
        """Put all layers in their places, first to last.

        Raises:
            ValueError: If sizes don't fit.
        """

    @model_validator(mode="before")
    @classmethod
    def _settings_of_each_layer(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        """Give each layer its own settings: published files give none, one mapping for all, or a list."""
        if not isinstance(content, Mapping):
            return content
        expanded = dict(content)
        for filters, kwargs in SETTINGS.items():
            layers, given = content.get(filters, []), content.get(kwargs)
            if filters not in cls.model_fields or not isinstance(layers, list | tuple):
                continue
            if given is None or isinstance(given, Mapping):
                expanded[kwargs] = [given or {}] * len(layers)
            elif isinstance(given, list | tuple) and len(given) != len(layers):
                found = f"found {len(given)} entries, expected {len(layers)}, one for each of {filters}"
                raise ValueError(f"{kwargs}: {found}")
        return expanded

    @property
    def output_size(self) -> Shape:
        return self.layers()[-1].made

    @property
    def fewest_normalised(self) -> int | None:
        sides = (placed.made[1:] for placed in self.layers() if placed.layer.bn)
        return min((height * width for height, width in sides), default=None)

    @property
    def parameters(self) -> int:
        return sum(placed.parameters for placed in self.layers())

    @property
    def values(self) -> int:
        return sum(math.prod(placed.made) for placed in self.layers())


NETWORKS = Registry(__name__)
