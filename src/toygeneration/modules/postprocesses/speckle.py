"""Salt and pepper, the published stand-in for speckle."""

from typing import Literal

import numpy as np

from src.toygeneration.frames import Frame
from src.toygeneration.modules.postprocesses import POSTPROCESSES, Postprocess
from utils.fields import ShareRange


@POSTPROCESSES.register
class Speckle(Postprocess):
    """Each pixel, all bands at once, is replaced with probability p by a Beta(0.5, 0.5) draw."""

    name: Literal["speckle"]
    salt_pepper_proportion: ShareRange  # p is uniform in this range, once per frame

    def __call__(self, frame: Frame, *, rng: np.random.Generator) -> Frame:
        share = rng.uniform(self.salt_pepper_proportion.min, self.salt_pepper_proportion.max)
        hit = rng.random(frame.shape[:2], dtype=np.float32) < share
        # Beta(0.5, 0.5) is the arcsine law: sin² of a uniform angle.
        grey = np.sin(rng.random(np.count_nonzero(hit), dtype=np.float32) * np.float32(np.pi / 2)) ** 2
        speckled = frame.copy()
        speckled[hit] = grey[:, None]
        return speckled
