"""Convolutional layers that networks are made of: their configuration, their sizes, their modules."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt
from torch import nn

from src.rsgan.models import Shape
from utils.registry import Configured

DropoutRate = Annotated[float, Field(ge=0, lt=1)]


class Layer(Configured):
    """A convolution, then batch normalisation, dropout and PReLU; by default one that halves or doubles a side.

    Attributes:
        kernel_size: side of the kernel, in pixels.
        stride: by which the output is smaller (or, transposed, larger) than the input.
        padding: pixels of zeros around the input.
        output_padding: pixels added to one side of a transposed convolution's output.
        dilation: spacing of the kernel's elements.
        bias: whether the convolution has one; by default where no batch normalisation follows, which would undo it.
        bn: whether batch normalisation follows.
        dropout: share of values set to zero in training.
        relu: whether a PReLU follows, with one learnt slope.
    """

    kernel_size: PositiveInt = 4
    stride: PositiveInt = 2
    padding: NonNegativeInt = 1
    output_padding: NonNegativeInt = 0
    dilation: PositiveInt = 1
    bias: bool | None = None
    bn: bool = True
    dropout: DropoutRate = 0
    relu: bool = True

    def output_side(self, side: int, *, transposed: bool) -> int:
        """Compute the size of the output.

        Args:
            side: height or width of the input.
            transposed: whether the convolution is.

        Returns:
            Height or width of the output; 0 or less where nothing is left.
        """
        reach = self.dilation * (self.kernel_size - 1)
        if transposed:
            return (side - 1) * self.stride - 2 * self.padding + reach + self.output_padding + 1
        return (side + 2 * self.padding - reach - 1) // self.stride + 1

    def build(self, in_channels: int, out_channels: int, *, transposed: bool) -> nn.Sequential:
        """Build the modules.

        Args:
            in_channels: channels of the input.
            out_channels: channels of the output.
            transposed: whether the convolution is.

        Returns:
            The layer; weights after Glorot & Bengio (2010), http://proceedings.mlr.press/v9/glorot10a.html.
        """
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        bias = not self.bn if self.bias is None else self.bias
        common = {"dilation": self.dilation, "bias": bias, **sizes}
        convolution: nn.Module
        if transposed:
            convolution = nn.ConvTranspose2d(in_channels, out_channels, output_padding=self.output_padding, **common)
        else:
            convolution = nn.Conv2d(in_channels, out_channels, **common)
        nn.init.xavier_normal_(convolution.weight)
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        modules = [convolution]
        if self.bn:
            modules.append(nn.BatchNorm2d(out_channels))
        if self.dropout:
            modules.append(nn.Dropout(self.dropout))
        if self.relu:
            modules.append(nn.PReLU())
        return nn.Sequential(*modules)


class SameLayer(Layer):
    """A layer that by default leaves the image's size as it is."""

    kernel_size: PositiveInt = 3
    stride: PositiveInt = 1
    padding: NonNegativeInt = 1


class OutputLayer(SameLayer):
    """A network's last layer: by default bare, so that any value can come out."""

    bn: bool = False
    relu: bool = False


def expand(content: Any, filters: str, kwargs: str) -> Any:  # noqa: ANN401 - whatever a YAML file holds
    """Give each layer its own settings: published files give none, one mapping for all, or a list.

    Args:
        content: a network's section.
        filters: key of the list of filters.
        kwargs: key of the layers' settings.

    Returns:
        The section with a list of settings as long as that of filters; other things as they are.

    Raises:
        ValueError: If a list has another length.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get(filters), (list, tuple)):
        return content
    number, given = len(content[filters]), content.get(kwargs)
    if given is None or isinstance(given, Mapping):
        return {**content, kwargs: [given or {}] * number}
    if isinstance(given, Sequence) and len(given) != number:
        raise ValueError(f"{kwargs}: found {len(given)} entries, expected {number}, one for each of {filters}")
    return content


def trace(
    what: str, shape: Shape, filters: Sequence[int], layers: Sequence[Layer], *, transposed: bool = False
) -> list[Shape]:
    """Compute the sizes that a stack of layers goes through.

    Args:
        what: name of the stack, for the message.
        shape: channels, height and width of its input.
        filters: channels of each layer's output.
        layers: the layers.
        transposed: whether their convolutions are.

    Returns:
        The sizes after each layer.

    Raises:
        ValueError: If an image vanishes on the way.
    """
    shapes = [shape]
    for number, (channels, layer) in enumerate(zip(filters, layers, strict=True), 1):
        _, height, width = shapes[-1]
        sides = [layer.output_side(side, transposed=transposed) for side in (height, width)]
        if min(sides) < 1:
            raise ValueError(
                f"{what} {number} of {len(layers)} (kernel_size {layer.kernel_size}, stride {layer.stride}, padding "
                f"{layer.padding}) leaves nothing of its {height}x{width} input; use fewer layers or a larger "
                "input_size"
            )
        shapes.append((channels, *sides))
    return shapes[1:]


def stack(
    in_channels: int, filters: Sequence[int], layers: Sequence[Layer], *, transposed: bool = False
) -> nn.Sequential:
    """Build layers one behind the other.

    Args:
        in_channels: channels of the input.
        filters: channels of each layer's output.
        layers: the layers.
        transposed: whether their convolutions are.

    Returns:
        The modules.
    """
    pairs = zip(pairwise((in_channels, *filters)), layers, strict=True)
    return nn.Sequential(*(layer.build(*channels, transposed=transposed) for channels, layer in pairs))


def fewest_normalised(layers: Sequence[Layer], shapes: Sequence[Shape]) -> int | None:
    """Find the smallest image that is batch-normalised.

    Args:
        layers: the layers.
        shapes: the sizes after each.

    Returns:
        Its number of pixels; None where no layer normalises.
    """
    return min(
        (height * width for layer, (_, height, width) in zip(layers, shapes, strict=True) if layer.bn), default=None
    )
