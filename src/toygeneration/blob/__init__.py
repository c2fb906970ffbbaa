"""A parcel: its mask, place, class, series and texture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Parcel:
    """One land parcel of a scene."""

    instance: int  # its number, from 1
    label: int  # its class, from 1
    series: Field  # `(horizon, bands)`, one value a time step and band, in [0, 1]
    place: tuple[slice, slice] | None  # rows and columns of its bounding box in the image; None if it covers no pixel
    # `(height, width)` of the bounding box, True on the parcel's pixels; None likewise
    mask: NDArray[np.bool_] | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the bounding box, in pixels."""
        return (0, 0) if self.mask is None else self.mask.shape

    def paint(self, canvas: Field, field: Field) -> None:
        """Put a field `(bands, height, width)` of the bounding box where the parcel is, on a canvas `(bands, H, W)`.

        Both are changed in place; pixels of the canvas beside the parcel stay as they are.
        """
        if self.place is not None:
            field *= self.mask
            canvas[:, *self.place] += field
