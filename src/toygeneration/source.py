"""What generated, stored and derived products have in common: frames by time step, one at a time."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, NotRequired, TypedDict

from src.toygeneration.modules.corruptions import Opacity
from src.toygeneration.modules.resampling import Frame, Labels


class Sample(TypedDict):
    """One time step of a product.

    Keys:
        frame: `(H, W, C)` float32, reflectance-like, nominally in [0, 1].
        annotation: `(H, W, 2)` int16: instance and class of each pixel, 0 for background.
        cloud: `(H, W)` float32, opacity of the clouds in [0, 1]; only where a derivation made clouds.
    """

    frame: Frame
    annotation: Labels
    cloud: NotRequired[Opacity]


@dataclass(frozen=True)
class Features:
    """Descriptive figures of a product.

    Attributes:
        width: of the frames, in pixels.
        height: of the frames, in pixels.
        nbands: number of bands.
        horizon: number of time steps, those without a frame included.
        ndigit: number of parcels.
    """

    width: int
    height: int
    nbands: int
    horizon: int
    ndigit: int

    def to_index(self, nframes: int) -> dict[str, int]:
        """Put the figures as `index.json` holds them.

        Args:
            nframes: number of time steps that have a frame.

        Returns:
            The figures by name.
        """
        return asdict(self) | {"nframes": nframes}


class FrameSource(ABC):
    """A series of frames with their annotations, made or read when asked for.

    Attributes:
        features: descriptive figures.
        seeds: the product's own seed first, then those of the products that it was derived from.
        steps: the time steps that have a frame, ascending.
        astype: format that its frames are stored in, `h5` or `jpg`.
    """

    features: Features
    seeds: tuple[int, ...]
    steps: list[int]
    astype: str = "h5"
    _last: tuple[int, Sample] | None = None

    def read(self, step: int) -> Sample:
        """Make or read one time step.

        The last one is kept, so that several products derived from one source, stepped through together, share
        the work.

        Args:
            step: one of `steps`.

        Returns:
            The sample. Its arrays are shared: leave them as they are.
        """
        if self._last is None or self._last[0] != step:
            self._last = None  # free the old frame before a new one is made
            self._last = (step, self._make(step))
        return self._last[1]

    @abstractmethod
    def _make(self, step: int) -> Sample: ...

    @abstractmethod
    def provenance(self) -> dict[str, Any]:
        """Say how the product comes about: seed, configuration, library versions, source."""
