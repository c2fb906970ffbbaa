"""Gaussian process with a separable covariance, sampled exactly."""

from typing import Literal

import numpy as np

from src.toygeneration.modules.kernels import KERNELS
from src.toygeneration.modules.samplers import SAMPLERS, Draw, Field, Sampler
from utils.memory import check

BYTES_A_COVARIANCE = 20  # matrix and factor in double precision, factor in single precision


@SAMPLERS.register
class GaussianProcess(Sampler):
    """Field `L_r Z L_cᵀ` with covariance `k(r, r') · k(c, c')` on the pixel grid.

    The factor is computed once in double precision, for the longest side: its leading blocks serve every cell.
    """

    name: Literal["gaussian_process"]
    kernel: KERNELS.choice  # k

    def prepare(self, side: int) -> Draw:
        what = f"the covariance of a parcel that is {side} pixels long"
        remedy = "raise product.n_polygons or lower product.size"
        check("random_sampler.kernel", what, BYTES_A_COVARIANCE * side**2, remedy)
        factor = self.kernel.factor(side).astype(np.float32)

        def draw(nbands: int, height: int, width: int, rng: np.random.Generator) -> Field:
            white = rng.standard_normal((nbands, height, width), dtype=np.float32)
            return factor[:height, :height] @ white @ factor[:width, :width].T  # (bands, height, width)

        return draw
