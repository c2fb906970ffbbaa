"""Squared exponential covariance."""

from typing import Literal

import numpy as np
from pydantic import PositiveFloat

from src.toygeneration.modules.kernels import KERNELS, Floats, Kernel


@KERNELS.register
class RBF(Kernel):
    """`exp(-d² / (2 l²))` (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 4.9).

    Attributes:
        length_scale: l, in pixels.
    """

    name: Literal["rbf"]
    length_scale: PositiveFloat

    def __call__(self, lag: Floats) -> Floats:
        """Evaluate the formula; see `Kernel`."""
        return np.exp(-0.5 * (lag / self.length_scale) ** 2)
