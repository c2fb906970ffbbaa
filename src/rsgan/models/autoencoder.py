"""A convolutional autoencoder: strided convolutions down, transposed ones up, nothing between."""

from typing import Literal

from torch import Tensor

from src.rsgan.models import NETWORKS
from src.rsgan.models.encoder_decoder import Coder, EncoderDecoder


@NETWORKS.register
class AutoEncoderConfig(EncoderDecoder):
    """An autoencoder."""

    name: Literal["autoencoder"]

    def build(self) -> "AutoEncoder":
        return AutoEncoder(self.stages())


class AutoEncoder(Coder):
    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.decoder(self.encoder(images)))
