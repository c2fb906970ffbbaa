"""What stands between the ground and the sensor, one file each, chosen by name in a configuration."""

from abc import abstractmethod
from collections.abc import Callable, Sequence

from src.toygeneration.frames import Frame, Masks
from utils.registry import Configured, Registry
from utils.seeding import Streams

Corrupt = Callable[[Frame, int], tuple[Frame, Masks]]


class Corruption(Configured):
    """A random change of the scene at latent resolution."""

    @property
    def casts_shadows(self) -> bool:
        """Whether the masks that it makes hold one of shadows."""
        return False

    @abstractmethod
    def prepare(self, shape: tuple[int, int, int], streams: Streams, steps: Sequence[int]) -> Corrupt:
        """Draw what holds for the whole product and compute what all its frames, of that shape, share.

        The result is a function of a frame `(H, W, C)` and its time step that returns a new frame and the exact masks
        of what was done to it; none of what never is. It will probably be asked for `steps` in their order.
        """


CORRUPTIONS = Registry(__name__)
