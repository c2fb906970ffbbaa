"""Fully developed speckle of multi-look SAR intensity."""

from typing import Literal

import numpy as np

from src.toygeneration.frames import Frame
from src.toygeneration.modules.postprocesses import POSTPROCESSES, Postprocess
from utils.fields import Scale


@POSTPROCESSES.register
class GammaSpeckle(Postprocess):
    """Multiplication by a Gamma variable of mean 1 and shape L, independent in every pixel and band.

    Source: Goodman 1976, Some fundamental properties of speckle, doi:10.1364/JOSA.66.001145. On a homogeneous patch
    the equivalent number of looks, mean² / variance, is L.
    """

    name: Literal["gamma_speckle"]
    looks: Scale  # L

    def __call__(self, frame: Frame, *, rng: np.random.Generator) -> Frame:
        gamma = rng.standard_gamma(self.looks, size=frame.shape, dtype=np.float32)
        return frame * (gamma / np.float32(self.looks))
