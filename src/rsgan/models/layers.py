"""Convolutional layers that networks are made of: their configuration, their sizes, their modules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt
from torch import nn

from utils.fields import Share
from utils.registry import Configured

Shape = tuple[int, int, int]  # channels, height, width


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
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0
    relu: Literal[True, False, "learn"] = "learn"
    leak: Share = 0

    def place(self, given: Shape, channels: int, *, transposed: bool = False) -> "PlacedLayer":
        """Compute the size of the output, `channels` deep.

        Raises:
            ValueError: If nothing is left of the image, or the settings contradict each other.
        """
        _, height, width = given
        reach = self.dilation * (self.kernel_size - 1)
        if transposed:
            more = reach + self.output_padding + 1 - 2 * self.padding
            sides = [(side - 1) * self.stride + more for side in (height, width)]
        else:
            sides = [(side + 2 * self.padding - reach - 1) // self.stride + 1 for side in (height, width)]
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
        common = self.layer.model_dump(include={"kernel_size", "stride", "padding", "dilation"}) | {"bias": self.bias}
        channels = self.given[0], self.made[0]
        if self.transposed:
            convolution = nn.ConvTranspose2d(*channels, output_padding=self.layer.output_padding, **common)
        else:
            convolution = nn.Conv2d(*channels, **common)
        nn.init.xavier_normal_(convolution.weight)
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        modules = [convolution]
        if self.layer.bn:
            modules.append(nn.BatchNorm2d(self.made[0]))
        if self.layer.dropout:
            modules.append(nn.Dropout(self.layer.dropout))
        if self.layer.relu == "learn":
            modules.append(nn.PReLU())
        elif self.layer.relu:
            modules.append(nn.LeakyReLU(self.layer.leak) if self.layer.leak else nn.ReLU())
        return nn.Sequential(*modules)


def place(
    what: str,
    given: Shape,
    filters: Sequence[int],
    layers: Sequence[Layer],
    *,
    transposed: bool = False,
    skips: Sequence[Shape] = (),
) -> tuple[list[PlacedLayer], Shape]:
    """Place layers one behind the other; the images that leave the last have a shape, too.

    Args:
        what: key of the filters and what they are of, for the message.
        skips: shapes of what joins the first layers' outputs on the way to the next, from an encoder's layers, the last
            of which comes first.

    Raises:
        ValueError: If an image vanishes on the way, or what joins is of another size.
    """
    placed: list[PlacedLayer] = []
    for number, (channels, layer) in enumerate(zip(filters, layers, strict=True)):
        try:
            placed.append(layer.place(given, channels, transposed=transposed))
        except ValueError as error:
            raise ValueError(f"{what} {number + 1} of {len(layers)} {error}") from None
        given = placed[-1].made
        if number < len(skips):
            made, height, width = given
            joining, skip_height, skip_width = skips[number]
            if (height, width) != (skip_height, skip_width):
                raise ValueError(
                    f"{what} {number + 1} makes {height}x{width}, but the skip connection from layer "
                    f"{len(skips) - number} of enc_filters brings {skip_height}x{skip_width}; use an input_size that "
                    "the strides divide, or mirror the encoder's kernels, strides and paddings"
                )
            given = made + joining, height, width
    return placed, given


def build(layers: Sequence[PlacedLayer]) -> nn.Sequential:
    return nn.Sequential(*(layer.build() for layer in layers))
