"""A residual generator: down, residual blocks, up."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from src.rsgan.models import NETWORKS, Filters
from src.rsgan.models.encoder_decoder import EncoderDecoder
from src.rsgan.models.layers import Layers, PlacedLayer, SameLayer, Shape, build, expand, place

NoFilters = Annotated[tuple[PositiveInt, ...], Field(strict=False)]
ADAPTER = SameLayer(kernel_size=1, padding=0, bias=False, bn=False, relu=False)


class Block(NamedTuple):
    """Two layers, and a 1x1 convolution that adapts what bypasses them where channels differ."""

    layers: list[PlacedLayer]
    shortcut: list[PlacedLayer]


class ResNetStages(NamedTuple):
    """Layers in their places."""

    down: list[PlacedLayer]
    blocks: list[Block]
    up: list[PlacedLayer]
    last: list[PlacedLayer]


@NETWORKS.register
class ResNetConfig(EncoderDecoder):
    """The residual generator that CycleGAN uses: Johnson et al. (2016), https://doi.org/10.1007/978-3-319-46475-6_43.

    The ways down and up may be empty; the blocks' layers must leave sizes as they are.
    """

    name: Literal["resnet"]
    enc_filters: NoFilters = ()
    enc_kwargs: Layers = ()
    n_filters: Filters
    conv_kwargs: Annotated[tuple[SameLayer, ...], Field(strict=False)]
    dec_filters: NoFilters = ()
    dec_kwargs: Layers = ()

    @model_validator(mode="before")
    @classmethod
    def _settings_of_each_block(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        return expand(content, "n_filters", "conv_kwargs")

    def stages(self) -> ResNetStages:
        down = place("enc_filters: layer", self.input_size, self.enc_filters, self.enc_kwargs)
        shape, blocks = _end(down, self.input_size), []
        for channels, layer in zip(self.n_filters, self.conv_kwargs, strict=True):
            blocks.append(_block(len(blocks) + 1, shape, channels, layer))
            shape = blocks[-1].layers[-1].made
        up = place("dec_filters: layer", shape, self.dec_filters, self.dec_kwargs, transposed=True)
        last = place("out_kwargs: layer", _end(up, shape), [self.out_channels], [self.out_kwargs])
        return ResNetStages(down, blocks, up, last)

    def layers(self) -> list[PlacedLayer]:
        down, blocks, up, last = self.stages()
        return [*down, *(layer for block in blocks for part in block for layer in part), *up, *last]

    def build(self) -> "ResNet":
        return ResNet(self.stages())


def _end(layers: list[PlacedLayer], given: Shape) -> Shape:
    return layers[-1].made if layers else given


def _block(number: int, given: Shape, channels: int, layer: SameLayer) -> Block:
    """Two layers of the same settings; the second has no activation."""
    second = layer.model_copy(update={"relu": False})
    layers = place(f"n_filters: block {number}, layer", given, [channels] * 2, [layer, second])
    (_, height, width), (_, made_height, made_width) = given, layers[0].made
    if (height, width) != (made_height, made_width):
        raise ValueError(
            f"conv_kwargs: block {number} turns {height}x{width} into {made_height}x{made_width}; a residual block "
            "must leave the size as it is (stride 1, padding = dilation * (kernel_size - 1) / 2)"
        )
    return Block(layers, [] if given[0] == channels else [ADAPTER.place(given, channels)])


class ResidualBlock(nn.Module):
    """He et al. (2016), https://doi.org/10.1109/CVPR.2016.90."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.residual, self.shortcut = build(block.layers), build(block.shortcut)

    def forward(self, images: Tensor) -> Tensor:
        return self.shortcut(images) + self.residual(images)


class ResNet(nn.Module):
    def __init__(self, stages: ResNetStages) -> None:
        super().__init__()
        self.encoder = build(stages.down)
        self.blocks = nn.Sequential(*map(ResidualBlock, stages.blocks))
        self.decoder = build(stages.up)
        self.output = stages.last[0].build()

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.decoder(self.blocks(self.encoder(images))))
