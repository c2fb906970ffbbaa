"""What everything here passes on: frames, labels, opacities, and the protocol of what makes or reads them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveInt

from utils.registry import Configured

Frame = NDArray[np.float32]  # (H, W, C), reflectance-like, nominally in [0, 1]
Opacity = NDArray[np.float32]  # (H, W), in [0, 1]
Mask = Literal["cloud", "shadow"]  # opacity of clouds; share of the ground's light that shadows take
Masks = dict[Mask, Opacity]
MASKS = get_args(Mask)
Labels = NDArray[np.int16]  # (H, W) or (H, W, 2): instance and class, 0 for background
LARGEST_LABEL = 2**15 - 1


class Size(Configured):
    """A frame's size in pixels, as configurations give it."""

    width: PositiveInt
    height: PositiveInt


class Sample(TypedDict):
    """One time step of a product; the `Masks` only where a derivation made clouds, or shadows."""

    frame: Frame
    annotation: Labels
    cloud: NotRequired[Opacity]
    shadow: NotRequired[Opacity]


@dataclass(frozen=True)
class Features:
    width: int  # of the frames, in pixels
    height: int  # of the frames, in pixels
    nbands: int  # number of bands
    horizon: int  # number of time steps, those without a frame included
    ndigit: int  # number of parcels


class Georeference(BaseModel):
    """Where frames lie on Earth."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    crs: str | None  # coordinate reference system as WKT; None where it isn't known
    # a, b, c, d, e, f: the corner of a pixel lies at x = a column + b row + c, y = d column + e row + f
    transform: tuple[float, float, float, float, float, float]

    def window(self, row: float, column: float, height: float = 1, width: float = 1) -> "Georeference":
        """Of frames that begin at a pixel, and whose pixels are blocks of so many."""
        a, b, c, d, e, f = self.transform
        corner = c + a * column + b * row, f + d * column + e * row
        transform = (a * width, b * height, corner[0], d * width, e * height, corner[1])
        return Georeference(crs=self.crs, transform=transform)


class FrameSource(ABC):
    """A series of frames with their annotations, made or read when asked for."""

    features: Features
    seeds: tuple[int, ...]  # the product's own seed first, then those of the products that it was derived from
    steps: list[int]  # the time steps that have a frame, ascending
    astype: str = "h5"  # format that its frames are stored in, `h5` or `jpg`
    has_shadows: bool = False  # whether some step has a mask of shadows
    georeference: Georeference | None = None  # of real images
    dates: tuple[datetime | None, ...] | None = None  # of all time steps of real images, as far as they are known
    _last: tuple[int, Sample] | None = None

    def read(self, step: int) -> Sample:
        """Make or read one of `steps`. Its arrays are shared: leave them as they are.

        The last one is kept, so that several products derived from one source, stepped through together, share
        the work.
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
