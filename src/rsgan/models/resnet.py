"""A residual generator: down, residual blocks, up."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from src.rsgan.models import NETWORKS, Filters, Network, Shape
from src.rsgan.models.layers import Layer, OutputLayer, SameLayer, expand, fewest_normalised, stack, trace

Layers = Annotated[tuple[Layer, ...], Field(strict=False)]
NoFilters = Annotated[tuple[PositiveInt, ...], Field(strict=False)]


@NETWORKS.register
class ResNetConfig(Network):
    """The residual generator that CycleGAN uses: Johnson et al. (2016), https://doi.org/10.1007/978-3-319-46475-6_43.

    Attributes:
        out_channels: channels of the output.
        enc_filters: channels after each layer on the way down; may be empty.
        enc_kwargs: settings of these layers (see `Layer`): none, one mapping for all, or a list.
        n_filters: channels of each residual block.
        conv_kwargs: settings of the blocks' layers (see `SameLayer`), which must leave sizes as they are.
        dec_filters: channels after each layer on the way up; may be empty.
        dec_kwargs: settings of these layers, whose convolutions are transposed.
        out_kwargs: settings of the last layer (see `OutputLayer`).
    """

    name: Literal["resnet"]
    out_channels: PositiveInt
    enc_filters: NoFilters = ()
    enc_kwargs: Layers = ()
    n_filters: Filters
    conv_kwargs: Annotated[tuple[SameLayer, ...], Field(strict=False)]
    dec_filters: NoFilters = ()
    dec_kwargs: Layers = ()
    out_kwargs: OutputLayer = OutputLayer()

    @model_validator(mode="before")
    @classmethod
    def _settings_of_each_layer(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        content = expand(content, "n_filters", "conv_kwargs")
        return expand(expand(content, "enc_filters", "enc_kwargs"), "dec_filters", "dec_kwargs")

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        down, blocks, _ = self._stages()
        inner = (down or [self.input_size])[-1]
        for number, block in enumerate(blocks, 1):
            if block[1:] != inner[1:]:
                raise ValueError(
                    f"conv_kwargs: block {number} turns {inner[1]}x{inner[2]} into {block[1]}x{block[2]}; a residual "
                    "block must leave the size as it is (stride 1, padding = dilation * (kernel_size - 1) / 2)"
                )
        return self

    def _stages(self) -> tuple[list[Shape], list[Shape], list[Shape]]:
        """Sizes after each layer: down, residual blocks, up with the last layer."""
        down = trace("enc_filters: layer", self.input_size, self.enc_filters, self.enc_kwargs)
        blocks = trace("n_filters: block", (down or [self.input_size])[-1], self.n_filters, self.conv_kwargs)
        up = trace("dec_filters: layer", blocks[-1], self.dec_filters, self.dec_kwargs, transposed=True)
        last = trace("out_kwargs: layer", (up or blocks)[-1], [self.out_channels], [self.out_kwargs])
        return down, blocks, up + last

    def sizes(self) -> list[Shape]:
        """See `Network`."""
        return [shape for stage in self._stages() for shape in stage]

    @property
    def fewest_normalised(self) -> int | None:
        """See `Network`."""
        layers = [*self.enc_kwargs, *self.conv_kwargs, *self.dec_kwargs, self.out_kwargs]
        return fewest_normalised(layers, self.sizes())

    def build(self) -> "ResNet":
        """See `Network`."""
        return ResNet(self)


class ResidualBlock(nn.Module):
    """Two layers whose result is added to what went in (He et al. 2016, https://doi.org/10.1109/CVPR.2016.90).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; where they differ, a 1x1 convolution adapts the input.
        layer: settings of both layers; the second has no activation.
    """

    def __init__(self, in_channels: int, out_channels: int, layer: SameLayer) -> None:
        super().__init__()
        second = layer.model_copy(update={"relu": False})
        self.residual = nn.Sequential(
            layer.build(in_channels, out_channels, transposed=False),
            second.build(out_channels, out_channels, transposed=False),
        )
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Add the residual.

        Args:
            images: `(N, in_channels, H, W)`.

        Returns:
            `(N, out_channels, H, W)`.
        """
        return self.shortcut(images) + self.residual(images)


class ResNet(nn.Module):
    """Encoder, residual blocks, decoder and output layer in a row.

    Args:
        config: its settings.
    """

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.encoder = stack(config.input_size[0], config.enc_filters, config.enc_kwargs)
        inner = (config.input_size[0], *config.enc_filters)[-1]
        blocks = zip(pairwise((inner, *config.n_filters)), config.conv_kwargs, strict=True)
        self.blocks = nn.Sequential(*(ResidualBlock(*pair, layer) for pair, layer in blocks))
        self.decoder = stack(config.n_filters[-1], config.dec_filters, config.dec_kwargs, transposed=True)
        channels = (config.n_filters[-1], *config.dec_filters)[-1]
        self.output = config.out_kwargs.build(channels, config.out_channels, transposed=False)

    def forward(self, images: Tensor) -> Tensor:
        """Translate images.

        Args:
            images: `(N, *input_size)`.

        Returns:
            `(N, *output_size)`.
        """
        return self.output(self.decoder(self.blocks(self.encoder(images))))
