"""White noise."""

from typing import Literal

import numpy as np

from src.toygeneration.modules.samplers import SAMPLERS, Draw, Field, Sampler
from utils.fields import Amount


@SAMPLERS.register
class Gaussian(Sampler):
    """Independent pixels."""

    name: Literal["gaussian"]
    std: Amount  # standard deviation; 0 gives parcels without texture

    def prepare(self, side: int) -> Draw:
        def draw(nbands: int, height: int, width: int, rng: np.random.Generator) -> Field:
            return np.float32(self.std) * rng.standard_normal((nbands, height, width), dtype=np.float32)

        return draw
