"""PatchGAN: a discriminator that judges overlapping patches."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import nn

from src.rsgan.models import NETWORKS, Filters, Network, Shape
from src.rsgan.models.layers import Layer, expand, fewest_normalised, stack, trace


@NETWORKS.register
class PatchGANConfig(Network):
    """The discriminator of Isola et al. (2017), https://doi.org/10.1109/CVPR.2017.632.

    Attributes:
        n_filters: channels after each layer; the last is 1: one logit a patch, positive for "real".
        conv_kwargs: settings of these layers (see `Layer`): none, one mapping for all, or a list.
    """

    name: Literal["patchgan"]
    n_filters: Filters
    conv_kwargs: Annotated[tuple[Layer, ...], Field(strict=False)]

    @model_validator(mode="before")
    @classmethod
    def _settings_of_each_layer(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        return expand(content, "n_filters", "conv_kwargs")

    def sizes(self) -> list[Shape]:
        """See `Network`."""
        return trace("n_filters: layer", self.input_size, self.n_filters, self.conv_kwargs)

    @property
    def fewest_normalised(self) -> int | None:
        """See `Network`."""
        return fewest_normalised(self.conv_kwargs, self.sizes())

    def build(self) -> nn.Sequential:
        """See `Network`."""
        return stack(self.input_size[0], self.n_filters, self.conv_kwargs)
