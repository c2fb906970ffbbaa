"""Squared exponential covariance."""

from typing import Literal

import numpy as np

from src.toygeneration.modules.kernels import KERNELS, Floats, Kernel
from utils.fields import Scale


@KERNELS.register
class RBF(Kernel):
    """`exp(-d² / (2 l²))` (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 4.9)."""

    name: Literal["rbf"]
    length_scale: Scale  # l, in pixels

    def __call__(self, lag: Floats) -> Floats:
        return np.exp(-0.5 * (lag / self.length_scale) ** 2)
