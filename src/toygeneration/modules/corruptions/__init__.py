"""What stands between the ground and the sensor, one file each, chosen by name in a configuration."""

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.modules.resampling import Frame
from utils.registry import Configured, Registry
from utils.seeding import Streams

Opacity = NDArray[np.float32]
Corrupt = Callable[[Frame, int], tuple[Frame, Opacity | None]]


class Corruption(Configured):
    """A random change of the scene at latent resolution."""

    @abstractmethod
    def prepare(self, height: int, width: int, streams: Streams, steps: Sequence[int]) -> Corrupt:
        """Draw what holds for the whole product and compute what all frames share.

        Args:
            height: of the frames.
            width: of the frames.
            streams: the product's random streams.
            steps: the time steps that will be asked for, in the order in which they probably will.

        Returns:
            A function of a frame `(H, W, C)` and its time step that returns a new frame and the opacity `(H, W)`,
            in [0, 1], of what hides the ground; None if nothing ever does.
        """


CORRUPTIONS = Registry(__name__)
