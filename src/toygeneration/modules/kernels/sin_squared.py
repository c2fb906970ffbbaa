"""Periodic covariance."""

from typing import Literal

import numpy as np

from src.toygeneration.modules.kernels import KERNELS, Floats, Kernel
from utils.fields import Scale


@KERNELS.register
class SinSquared(Kernel):
    """`exp(-2 sin²(π d / p) / l²)` (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 4.31)."""

    name: Literal["sin_squared"]
    length_scale: Scale  # l, relative to the amplitude of the sine, without unit
    periodicity: Scale  # p, in pixels

    def __call__(self, lag: Floats) -> Floats:
        return np.exp(-2 * (np.sin(np.pi * lag / self.periodicity) / self.length_scale) ** 2)
