"""Scale mixture of squared exponential covariances."""

from typing import Literal

import numpy as np
from pydantic import PositiveFloat

from src.toygeneration.modules.kernels import KERNELS, Floats, Kernel
from utils.fields import Scale


@KERNELS.register
class RationalQuadratic(Kernel):
    """`(1 + d² / (2 α l²))^-α` (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 4.19)."""

    name: Literal["rational_quadratic"]
    length_scale: Scale  # l, in pixels
    alpha: PositiveFloat  # α, the mixture's shape; the larger, the closer to one RBF

    def __call__(self, lag: Floats) -> Floats:
        # through the logarithm: rounding in 1 + d² / … would be raised to a large power
        return np.exp(-self.alpha * np.log1p((lag / self.length_scale) ** 2 / (2 * self.alpha)))
