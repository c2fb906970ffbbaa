"""A residual generator: down, residual blocks, up."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from src.rsgan.models import NETWORKS, Filters
from src.rsgan.models.encoder_decoder import Block, EncoderDecoder
from src.rsgan.models.layers import Layers, SameLayer, Shape, place

NoFilters = Annotated[tuple[PositiveInt, ...], Field(strict=False)]
ADAPTER = SameLayer(kernel_size=1, padding=0, bias=False, bn=False, relu=False)


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

    def blocks(self, given: Shape) -> tuple[list[Block], Shape]:
        """Place two layers of the same settings each; the second has no activation."""
        placed: list[Block] = []
        for number, (channels, layer) in enumerate(zip(self.n_filters, self.conv_kwargs, strict=True), 1):
            both = [layer, layer.model_copy(update={"relu": False})]
            layers, made = place(f"n_filters: block {number}, layer", given, [channels] * 2, both)
            (_, height, width), (_, made_height, made_width) = given, layers[0].made
            if (height, width) != (made_height, made_width):
                raise ValueError(
                    f"conv_kwargs: block {number} turns {height}x{width} into {made_height}x{made_width}; a residual "
                    "block must leave the size as it is (stride 1, padding = dilation * (kernel_size - 1) / 2)"
                )
            placed.append(Block(layers, [] if given[0] == channels else [ADAPTER.place(given, channels)]))
            given = made
        return placed, given
