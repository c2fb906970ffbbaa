"""The U-Net: an encoder and a decoder with a skip connection at each scale."""

from typing import Literal

import torch
from torch import Tensor

from src.rsgan.models import NETWORKS
from src.rsgan.models.encoder_decoder import Coder, EncoderDecoder, Stages


@NETWORKS.register
class UNetConfig(EncoderDecoder):
    """A U-Net.

    What the decoder's first layer makes is joined by what the encoder's last but one made, and so on outwards, so
    the two must be of one size.
    """

    name: Literal["unet"]

    def skips(self) -> list[int]:
        skips = list(self.enc_filters[-2::-1])[: len(self.dec_filters)]
        return skips + [0] * (len(self.dec_filters) - len(skips))

    def stages(self) -> Stages:
        stages = super().stages()
        for number, (skip, layer) in enumerate(zip(stages.down[-2::-1], stages.up, strict=False), 1):
            (_, height, width), (_, skip_height, skip_width) = layer.made, skip.made
            if (height, width) != (skip_height, skip_width):
                raise ValueError(
                    f"dec_filters: layer {number} makes {height}x{width}, but the skip connection from layer "
                    f"{len(stages.down) - number} of enc_filters brings {skip_height}x{skip_width}; use an input_size "
                    "that the strides divide, or mirror the encoder's kernels, strides and paddings"
                )
        return stages

    def build(self) -> "UNet":
        return UNet(self.stages())


class UNet(Coder):
    """Ronneberger et al. (2015), https://doi.org/10.1007/978-3-319-24574-4_28, as pix2pix uses it."""

    def forward(self, images: Tensor) -> Tensor:
        skips = []
        features = images
        for layer in self.encoder:
            features = layer(features)
            skips.append(features)
        skips.pop()  # the innermost goes into the decoder itself
        for layer in self.decoder:
            features = layer(features)
            if skips:
                features = torch.cat([features, skips.pop()], dim=1)
        return self.output(features)
