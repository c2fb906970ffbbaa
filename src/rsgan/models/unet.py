"""The U-Net: an encoder and a decoder with a skip connection at each scale."""

from typing import Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from src.rsgan.models import NETWORKS
from src.rsgan.models.autoencoder import EncoderDecoder
from src.rsgan.models.layers import stack


@NETWORKS.register
class UNetConfig(EncoderDecoder):
    """A U-Net; see `EncoderDecoder` for its keys.

    What the decoder's first layer makes is joined by what the encoder's last but one made, and so on outwards, so
    the two must be of one size.
    """

    name: Literal["unet"]

    @model_validator(mode="after")
    def _skips_fit(self) -> Self:
        sizes = self.sizes()
        down, up = sizes[: len(self.enc_filters)], sizes[len(self.enc_filters) : -1]
        for number, (skip, made) in enumerate(zip(reversed(down[:-1]), up, strict=False), 1):
            if skip[1:] != made[1:]:
                raise ValueError(
                    f"dec_filters: layer {number} makes {made[1]}x{made[2]}, but the skip connection from layer "
                    f"{len(down) - number} of enc_filters brings {skip[1]}x{skip[2]}; use an input_size that the "
                    "strides divide, or mirror the encoder's kernels, strides and paddings"
                )
        return self

    def skip_channels(self) -> list[int]:
        """Count the channels that join each decoder layer's output.

        Returns:
            One number a decoder layer; 0 where nothing is left to join.
        """
        skips = list(reversed(self.enc_filters[:-1]))[: len(self.dec_filters)]
        return skips + [0] * (len(self.dec_filters) - len(skips))

    def build(self) -> "UNet":
        """See `Network`."""
        return UNet(self)

    def output_layer(self) -> nn.Module:
        """See `EncoderDecoder`."""
        channels = self.dec_filters[-1] + self.skip_channels()[-1]
        return self.out_kwargs.build(channels, self.out_channels, transposed=False)


class UNet(nn.Module):
    """Ronneberger et al. (2015), https://doi.org/10.1007/978-3-319-24574-4_28, as pix2pix uses it.

    Args:
        config: its settings.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.encoder = stack(config.input_size[0], config.enc_filters, config.enc_kwargs)
        joined = [made + skip for made, skip in zip(config.dec_filters, config.skip_channels(), strict=True)]
        inputs = (config.enc_filters[-1], *joined)
        layers = zip(inputs, config.dec_filters, config.dec_kwargs, strict=False)
        self.decoder = nn.Sequential(*(layer.build(given, made, transposed=True) for given, made, layer in layers))
        self.output = config.output_layer()

    def forward(self, images: Tensor) -> Tensor:
        """Encode, decode, and join what both made at each scale.

        Args:
            images: `(N, *input_size)`.

        Returns:
            `(N, *output_size)`.
        """
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
