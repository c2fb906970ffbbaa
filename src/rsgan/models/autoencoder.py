"""A convolutional autoencoder: strided convolutions down, transposed ones up, nothing between."""

from typing import Literal

from src.rsgan.models import NETWORKS
from src.rsgan.models.encoder_decoder import EncoderDecoder


@NETWORKS.register
class AutoEncoderConfig(EncoderDecoder):
    """An autoencoder."""

    name: Literal["autoencoder"]
