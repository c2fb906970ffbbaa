"""Random fields that give parcels their texture, one file each, chosen by name in a configuration."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from utils.registry import Configured, Registry

Field = NDArray[np.float32]
Draw = Callable[[int, int, int, np.random.Generator], Field]


class Sampler(Configured):
    """A law of zero-mean random fields, bands independent."""

    @abstractmethod
    def prepare(self, side: int) -> Draw:
        """Compute what all draws share.

        Args:
            side: the longest side that will be asked for, in pixels.

        Returns:
            A function of (number of bands, height, width, generator) that draws a field `(bands, height, width)`.
        """


SAMPLERS = Registry(__name__, lenient=True)
