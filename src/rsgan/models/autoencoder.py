"""A convolutional autoencoder: strided convolutions down, transposed ones up, nothing between."""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from src.rsgan.models import NETWORKS, Filters, Network, Shape
from src.rsgan.models.layers import Layer, OutputLayer, expand, fewest_normalised, stack, trace

Layers = Annotated[tuple[Layer, ...], Field(strict=False)]


class EncoderDecoder(Network):
    """What the autoencoder and the U-Net are configured by.

    Attributes:
        out_channels: channels of the output.
        enc_filters: channels after each layer on the way down.
        enc_kwargs: settings of these layers (see `Layer`): none, one mapping for all, or a list.
        dec_filters: channels after each layer on the way up.
        dec_kwargs: settings of these layers, whose convolutions are transposed.
        out_kwargs: settings of the last layer (see `OutputLayer`).
    """

    out_channels: PositiveInt
    enc_filters: Filters
    enc_kwargs: Layers
    dec_filters: Filters
    dec_kwargs: Layers
    out_kwargs: OutputLayer = OutputLayer()

    @model_validator(mode="before")
    @classmethod
    def _settings_of_each_layer(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        return expand(expand(content, "enc_filters", "enc_kwargs"), "dec_filters", "dec_kwargs")

    def sizes(self) -> list[Shape]:
        """See `Network`."""
        down = trace("enc_filters: layer", self.input_size, self.enc_filters, self.enc_kwargs)
        up = trace("dec_filters: layer", down[-1], self.dec_filters, self.dec_kwargs, transposed=True)
        return [*down, *up, *trace("out_kwargs: layer", up[-1], [self.out_channels], [self.out_kwargs])]

    @property
    def fewest_normalised(self) -> int | None:
        """See `Network`."""
        return fewest_normalised([*self.enc_kwargs, *self.dec_kwargs, self.out_kwargs], self.sizes())

    def output_layer(self) -> nn.Module:
        """Build the last layer.

        Returns:
            The module.
        """
        return self.out_kwargs.build(self.dec_filters[-1], self.out_channels, transposed=False)


@NETWORKS.register
class AutoEncoderConfig(EncoderDecoder):
    """An autoencoder; see `EncoderDecoder` for its keys."""

    name: Literal["autoencoder"]

    def build(self) -> "AutoEncoder":
        """See `Network`."""
        return AutoEncoder(self)


class AutoEncoder(nn.Module):
    """Encoder, decoder and output layer in a row.

    Args:
        config: its settings.
    """

    def __init__(self, config: AutoEncoderConfig) -> None:
        super().__init__()
        self.encoder = stack(config.input_size[0], config.enc_filters, config.enc_kwargs)
        self.decoder = stack(config.enc_filters[-1], config.dec_filters, config.dec_kwargs, transposed=True)
        self.output = config.output_layer()

    def forward(self, images: Tensor) -> Tensor:
        """Encode and decode.

        Args:
            images: `(N, *input_size)`.

        Returns:
            `(N, *output_size)`.
        """
        return self.output(self.decoder(self.encoder(images)))
