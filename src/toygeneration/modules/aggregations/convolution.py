"""Aggregation under a Gaussian point spread function."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.frames import Size
from src.toygeneration.modules.aggregations import AGGREGATIONS, Aggregation
from utils.errors import ConfigError
from utils.fields import Scale
from utils.registry import Configured


class PointSpreadFunction(Configured):
    """A Gaussian, centred in the block and cut at its edges."""

    sigma: Scale  # standard deviation, in pixels of the source


@AGGREGATIONS.register
class Convolution(Aggregation):
    """Each output pixel is the mean of its block, weighted by the point spread function."""

    name: Literal["convolution"]
    kernel: PointSpreadFunction
    latent_size: Size | None = None  # size of the frames before aggregation; checked, where given

    def profile(self, block: int) -> NDArray[np.float64]:
        offset = np.arange(block) - (block - 1) / 2
        # Nearest pixels weigh 1 before normalisation, however narrow the Gaussian: no division of 0 by 0.
        exponent = (offset**2 - (offset**2).min()) / (2 * self.kernel.sigma**2)
        weights = np.exp(-np.minimum(exponent, 700))
        return weights / weights.sum()

    def check(self, height: int, width: int) -> None:
        given = self.latent_size
        if given is not None and (given.height, given.width) != (height, width):
            raise ConfigError(
                f"aggregation.latent_size: found {given.width}x{given.height} (width x height), expected "
                f"{width}x{height}, the size of the frames to aggregate; correct it or leave it out"
            )
