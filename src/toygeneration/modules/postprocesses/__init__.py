"""What happens to a frame last, at its final resolution, one file each, chosen by name in a configuration."""

from abc import abstractmethod

import numpy as np

from src.toygeneration.frames import Frame
from utils.registry import Configured, Registry


class Postprocess(Configured):
    """A random change of the finished frame."""

    @abstractmethod
    def __call__(self, frame: Frame, *, rng: np.random.Generator) -> Frame:
        """Make a changed copy of a frame `(H, W, C)`; `rng` is the stream `speckle` of its time step."""


POSTPROCESSES = Registry(__name__)
