"""What happens to a frame last, at its final resolution, one file each, chosen by name in a configuration."""

from abc import abstractmethod

import numpy as np

from src.toygeneration.modules.resampling import Frame
from utils.registry import Configured, Registry


class Postprocess(Configured):
    """A random change of the finished frame."""

    @abstractmethod
    def __call__(self, frame: Frame, *, rng: np.random.Generator) -> Frame:
        """Change a frame.

        Args:
            frame: `(H, W, C)`; left as it is.
            rng: the stream `speckle` of the frame's time step.

        Returns:
            A new frame of the same shape.
        """


POSTPROCESSES = Registry(__name__)
