"""The same value everywhere."""

from typing import Literal

import numpy as np

from src.toygeneration.modules.kernels import KERNELS, Floats, Kernel
from utils.fields import Amount


@KERNELS.register
class Constant(Kernel):
    """`c`: one random offset per cell and band, of variance c² as the separable product of rows and columns."""

    name: Literal["constant"]
    constant_value: Amount  # c

    def __call__(self, lag: Floats) -> Floats:
        return np.full(lag.shape, self.constant_value)
