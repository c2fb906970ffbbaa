"""The same value everywhere."""

from typing import Literal

import numpy as np

from src.toygeneration.modules.kernels import KERNELS, Floats, Kernel
from utils.ranges import Amount


@KERNELS.register
class Constant(Kernel):
    """`c`: one random offset per cell and band, of variance c² as the separable product of rows and columns.

    Attributes:
        constant_value: c.
    """

    name: Literal["constant"]
    constant_value: Amount

    def __call__(self, lag: Floats) -> Floats:
        """Evaluate the formula; see `Kernel`."""
        return np.full(lag.shape, self.constant_value)
