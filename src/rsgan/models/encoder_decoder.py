"""What networks of an encoder and a decoder share: strided convolutions down, transposed ones up."""

from typing import Any, NamedTuple

from pydantic import PositiveInt, model_validator
from torch import nn

from src.rsgan.models import Filters, Network
from src.rsgan.models.layers import Layers, OutputLayer, PlacedLayer, build, deepen, expand, place


class Stages(NamedTuple):
    """Layers in their places."""

    down: list[PlacedLayer]
    up: list[PlacedLayer]
    last: list[PlacedLayer]


class EncoderDecoder(Network):
    """What the autoencoder and the U-Net are configured by: layers on the way down, on the way up, and a last one."""

    out_channels: PositiveInt | None = None
    enc_filters: Filters
    enc_kwargs: Layers
    dec_filters: Filters
    dec_kwargs: Layers
    out_kwargs: OutputLayer = OutputLayer()

    @model_validator(mode="before")
    @classmethod
    def _settings_of_each_layer(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        return expand(expand(content, "enc_filters", "enc_kwargs"), "dec_filters", "dec_kwargs")

    def skips(self) -> list[int]:
        """Count the channels that join each decoder layer's output."""
        return [0] * len(self.dec_filters)

    def stages(self) -> Stages:
        """Place the layers; see `Network.layers`."""
        down = place("enc_filters: layer", self.input_size, self.enc_filters, self.enc_kwargs)
        inner, skips = down[-1].made, self.skips()
        up = place("dec_filters: layer", inner, self.dec_filters, self.dec_kwargs, transposed=True, joined=skips)
        outer = deepen(up[-1].made, skips[-1])
        return Stages(down, up, place("out_kwargs: layer", outer, [self.out_channels], [self.out_kwargs]))

    def layers(self) -> list[PlacedLayer]:
        return [layer for stage in self.stages() for layer in stage]


class Coder(nn.Module):
    def __init__(self, stages: Stages) -> None:
        super().__init__()
        self.encoder, self.decoder = build(stages.down), build(stages.up)
        self.output = stages.last[0].build()
