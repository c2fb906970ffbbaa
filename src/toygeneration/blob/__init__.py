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

    def paint(self, canvas: Field, field: Field) -> None:
        """Put a field where the parcel is; pixels beside the parcel stay as they are.

        Args:
            canvas: `(bands, H, W)` of the scene, 0 where the parcel is; changed in place.
            field: `(bands, height, width)` of the bounding box; changed in place.
        """
        if self.place is not None:
            field *= self.mask
            canvas[:, *self.place] += field
