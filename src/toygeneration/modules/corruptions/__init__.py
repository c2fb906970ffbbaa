"""What stands between the ground and the sensor, one file each, chosen by name in a configuration."""

from abc import abstractmethod
from collections.abc import Callable, Sequence

from src.toygeneration.frames import Frame, Opacity
from utils.registry import Configured, Registry
from utils.seeding import Streams

Corrupt = Callable[[Frame, int], tuple[Frame, Opacity | None]]


class Corruption(Configured):
    """A random change of the scene at latent resolution."""

    @abstractmethod
    def prepare(self, height: int, width: int, streams: Streams, steps: Sequence[int]) -> Corrupt:
        """Draw what holds for the whole product and compute what all frames share.

        The result is a function of a frame `(H, W, C)` and its time step that returns a new frame and the opacity
        `(H, W)`, in [0, 1], of what hides the ground; None if nothing ever does. It will probably be asked for `steps`
        in their order.
        """


CORRUPTIONS = Registry(__name__)
