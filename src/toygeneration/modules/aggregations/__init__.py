"""How a coarser sensor gathers light from blocks of pixels, one file each, chosen by name in a configuration."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from utils.registry import Configured, Registry


class Aggregation(Configured):
    """A separable weighted mean over non-overlapping blocks."""

    @abstractmethod
    def profile(self, block: int) -> NDArray[np.float64]:
        """Weights of the pixels across a block, `(block,)`; they sum to 1."""

    @abstractmethod
    def check(self, height: int, width: int) -> None:
        """Raise `ConfigError` if the configuration does not fit the size of the frames that will be aggregated."""


AGGREGATIONS = Registry(__name__)
