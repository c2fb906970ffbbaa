"""What generators share: strided convolutions down, perhaps residual blocks, transposed convolutions up."""

from typing import NamedTuple

from pydantic import PositiveInt
from torch import Tensor, nn

from src.rsgan.models import Filters, LayeredNetwork
from src.rsgan.models.layers import Layers, OutputLayer, PlacedLayer, Shape, build, place


class Block(NamedTuple):
    """Layers, and a 1x1 convolution that adapts what bypasses them where channels differ."""

    layers: list[PlacedLayer]
    shortcut: list[PlacedLayer]


class Stages(NamedTuple):
    """Layers in their places."""

    down: list[PlacedLayer]
    blocks: list[Block]
    up: list[PlacedLayer]
    last: list[PlacedLayer]


class EncoderDecoder(LayeredNetwork):
    """What a generator is configured by: layers on the way down, on the way up, and a last one."""

    out_channels: PositiveInt | None = None
    enc_filters: Filters
    enc_kwargs: Layers
    dec_filters: Filters
    dec_kwargs: Layers
    out_kwargs: OutputLayer = OutputLayer()

    def skips(self, down: list[PlacedLayer]) -> list[Shape]:
        """Choose what of the encoder's outputs joins those of the decoder's first layers."""
        return []

    def blocks(self, given: Shape) -> tuple[list[Block], Shape]:
        """Place what comes between encoder and decoder; it is given images of a shape, and makes some of another."""
        return [], given

    def stages(self) -> Stages:
        """Place the layers; see `LayeredNetwork.layers`."""
        down, shape = place("enc_filters: layer", self.input_size, self.enc_filters, self.enc_kwargs)
        blocks, shape = self.blocks(shape)
        skips = self.skips(down)
        up, shape = place("dec_filters: layer", shape, self.dec_filters, self.dec_kwargs, transposed=True, skips=skips)
        last, _ = place("out_kwargs: layer", shape, [self.out_channels], [self.out_kwargs])
        return Stages(down, blocks, up, last)

    def layers(self) -> list[PlacedLayer]:
        down, blocks, up, last = self.stages()
        return [*down, *(layer for block in blocks for part in block for layer in part), *up, *last]

    def build(self) -> nn.Module:
        return Coder(self.stages())


class ResidualBlock(nn.Module):
    """He et al. (2016), https://doi.org/10.1109/CVPR.2016.90."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.residual, self.shortcut = build(block.layers), build(block.shortcut)

    def forward(self, images: Tensor) -> Tensor:
        return self.shortcut(images) + self.residual(images)


class Coder(nn.Module):
    def __init__(self, stages: Stages) -> None:
        super().__init__()
        self.encoder = build(stages.down)
        self.blocks = nn.Sequential(*map(ResidualBlock, stages.blocks))
        self.decoder = build(stages.up)
        self.output = stages.last[0].build()

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.decoder(self.blocks(self.encoder(images))))
