"""A parcel: its mask, place, class, series and texture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Parcel:
    """One land parcel of a scene.

    Attributes:
        instance: its number, from 1.
        label: its class, from 1.
        series: `(horizon, bands)`, one value a time step and band, in [0, 1].
        place: rows and columns of its bounding box in the image; None if it covers no pixel.
        mask: `(height, width)` of the bounding box, True on the parcel's pixels; None likewise.
    """

    instance: int
    label: int
    series: Field
    place: tuple[slice, slice] | None
    mask: NDArray[np.bool_] | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the bounding box, in pixels."""
        return (0, 0) if self.mask is None else self.mask.shape

    def paint(self, canvas: Field, texture: Field) -> None:
        """Put a texture where the parcel is.

        Args:
            canvas: the scene's texture `(H, W, bands)`, changed in place.
            texture: `(height, width, bands)` of the bounding box.
        """
        if self.place is not None:
            canvas[self.place][self.mask] = texture[self.mask]
