"""Convolutional layers that networks are made of: their configuration, their sizes, their modules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt
from torch import nn

from utils.ranges import Share
from utils.registry import Configured

Shape = tuple[int, int, int]  # channels, height, width
DropoutRate = Annotated[float, Field(ge=0, lt=1)]


class Layer(Configured):
    """A convolution, batch normalisation, dropout and an activation; by default it halves or doubles an image's sides.

    Attributes:
        bias: whether the convolution has one; by default where no batch normalisation follows, which would undo it.
        relu: what follows: a ReLU (true), a PReLU with one slope (`learn`) or nothing (false).
        leak: slope of a ReLU for negative values.
    """

    kernel_size: PositiveInt = 4
    stride: PositiveInt = 2
    padding: NonNegativeInt = 1
    output_padding: NonNegativeInt = 0
    dilation: PositiveInt = 1
    bias: bool | None = None
    bn: bool = True
    dropout: DropoutRate = 0
    relu: Literal[True, False, "learn"] = "learn"
    leak: Share = 0

    def place(self, given: Shape, channels: int, *, transposed: bool = False) -> "PlacedLayer":
        """Compute the size of the output, `channels` deep.

        Raises:
            ValueError: If nothing is left of the image, or the settings contradict each other.
        """
        _, height, width = given
        sides = [self._side(side, transposed=transposed) for side in (height, width)]
        if min(sides) < 1:
            raise ValueError(
                f"(kernel_size {self.kernel_size}, stride {self.stride}, padding {self.padding}) leaves nothing of its "
                f"{height}x{width} input; use fewer layers or a larger input_size"
            )
        if transposed and self.output_padding >= max(self.stride, self.dilation):
            raise ValueError(
                f"has output_padding {self.output_padding}, expected less than stride {self.stride} or dilation "
                f"{self.dilation}"
            )
        return PlacedLayer(self, given, (channels, *sides), transposed)

    def _side(self, side: int, *, transposed: bool) -> int:
        reach = self.dilation * (self.kernel_size - 1)
        if transposed:
            return (side - 1) * self.stride - 2 * self.padding + reach + self.output_padding + 1
        return (side + 2 * self.padding - reach - 1) // self.stride + 1


class SameLayer(Layer):
    """A layer that by default leaves the image's size as it is."""

    kernel_size: PositiveInt = 3
    stride: PositiveInt = 1
    padding: NonNegativeInt = 1


class OutputLayer(SameLayer):
    """A network's last layer: by default bare, so that any value can come out."""

    bn: bool = False
    relu: Literal[True, False, "learn"] = False


Layers = Annotated[tuple[Layer, ...], Field(strict=False)]


@dataclass(frozen=True)
class PlacedLayer:
    """A layer in its place in a network: its settings, and the shapes of its input and of its output."""

    layer: Layer
    given: Shape
    made: Shape
    transposed: bool

    @property
    def bias(self) -> bool:
        return not self.layer.bn if self.layer.bias is None else self.layer.bias

    @property
    def parameters(self) -> int:
        weights = self.given[0] * self.made[0] * self.layer.kernel_size**2
        return weights + self.made[0] * (self.bias + 2 * self.layer.bn) + (self.layer.relu == "learn")

    def build(self) -> nn.Sequential:
        """Build the modules; weights after Glorot & Bengio (2010), http://proceedings.mlr.press/v9/glorot10a.html."""
        modules = [self._convolution()]
        if self.layer.bn:
            modules.append(nn.BatchNorm2d(self.made[0]))
        if self.layer.dropout:
            modules.append(nn.Dropout(self.layer.dropout))
        if self.layer.relu == "learn":
            modules.append(nn.PReLU())
        elif self.layer.relu:
            modules.append(nn.LeakyReLU(self.layer.leak) if self.layer.leak else nn.ReLU())
        return nn.Sequential(*modules)

    def _convolution(self) -> nn.Module:
        common = self.layer.model_dump(include={"kernel_size", "stride", "padding", "dilation"}) | {"bias": self.bias}
        channels = self.given[0], self.made[0]
        if self.transposed:
            convolution = nn.ConvTranspose2d(*channels, output_padding=self.layer.output_padding, **common)
        else:
            convolution = nn.Conv2d(*channels, **common)
        nn.init.xavier_normal_(convolution.weight)
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        return convolution


def expand(content: Any, filters: str, kwargs: str) -> Any:  # noqa: ANN401 - whatever a YAML file holds
    """Give each layer its own settings: published files give none, one mapping for all, or a list.

    Raises:
        ValueError: If there are more or fewer settings than filters.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get(filters, []), list | tuple):
        return content
    number, given = len(content.get(filters, [])), content.get(kwargs)
    if given is None or isinstance(given, Mapping):
        return {**content, kwargs: [given or {}] * number}
    if isinstance(given, list | tuple) and len(given) != number:
        raise ValueError(f"{kwargs}: found {len(given)} entries, expected {number}, one for each of {filters}")
    return content


def place(
    what: str,
    given: Shape,
    filters: Sequence[int],
    layers: Sequence[Layer],
    *,
    transposed: bool = False,
    joined: Sequence[int] = (),
) -> list[PlacedLayer]:
    """Place layers one behind the other.

    Args:
        what: key of the filters and what they are of, for the message.
        joined: channels that join each layer's output on its way to the next; none by default.

    Raises:
        ValueError: If an image vanishes on the way.
    """
    placed: list[PlacedLayer] = []
    for channels, layer, extra in zip(filters, layers, joined or [0] * len(layers), strict=True):
        try:
            placed.append(layer.place(given, channels, transposed=transposed))
        except ValueError as error:
            raise ValueError(f"{what} {len(placed) + 1} of {len(layers)} {error}") from None
        given = deepen(placed[-1].made, extra)
    return placed


def deepen(shape: Shape, channels: int) -> Shape:
    return shape[0] + channels, *shape[1:]


def build(layers: Sequence[PlacedLayer]) -> nn.Sequential:
    return nn.Sequential(*(layer.build() for layer in layers))
