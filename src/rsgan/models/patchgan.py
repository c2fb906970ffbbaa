"""PatchGAN: a discriminator that judges overlapping patches."""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from src.rsgan.models import NETWORKS, Filters, LayeredNetwork
from src.rsgan.models.layers import Layer, PlacedLayer, build, place
from utils.fields import Share


class PatchLayer(Layer):
    relu: Literal[True, False, "learn"] = True
    leak: Share = 0.2


@NETWORKS.register
class PatchGANConfig(LayeredNetwork):
    """The discriminator of Isola et al. (2017), https://doi.org/10.1109/CVPR.2017.632.

    Of its filters, the last is 1: one logit a patch, positive for "real".
    """

    name: Literal["patchgan"]
    n_filters: Filters
    conv_kwargs: Annotated[tuple[PatchLayer, ...], Field(strict=False)]

    def layers(self) -> list[PlacedLayer]:
        return place("n_filters: layer", self.input_size, self.n_filters, self.conv_kwargs)[0]

    def build(self) -> nn.Sequential:
        return build(self.layers())
