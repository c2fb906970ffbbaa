"""The U-Net: an encoder and a decoder with a skip connection at each scale."""

from typing import Literal

import torch
from torch import Tensor, nn

from src.rsgan.models import NETWORKS
from src.rsgan.models.encoder_decoder import Coder, EncoderDecoder
from src.rsgan.models.layers import PlacedLayer, Shape


@NETWORKS.register
class UNetConfig(EncoderDecoder):
    """A U-Net.

    What the decoder's first layer makes is joined by what the encoder's last but one made, and so on outwards, so
    the two must be of one size.
    """

    name: Literal["unet"]

    def skips(self, down: list[PlacedLayer]) -> list[Shape]:
        return [layer.made for layer in down[-2::-1]]

    def build(self) -> nn.Module:
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
