"""Random fields that give parcels their texture, one file each, chosen by name in a configuration."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from utils.registry import Configured, Registry

Field = NDArray[np.float32]
Draw = Callable[[int, int, int, np.random.Generator], Field]  # of number of bands, height, width: (bands, H, W)


class Sampler(Configured):
    """A law of zero-mean random fields, bands independent."""

    @abstractmethod
    def prepare(self, side: int) -> Draw:
        """Compute what all draws share, for sides of up to `side` pixels."""


SAMPLERS = Registry(__name__, lenient=True)
