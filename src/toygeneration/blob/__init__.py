"""A parcel: its place, class and series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parcel:
    """One land parcel of a scene."""

    instance: int  # its number, from 1
    label: int  # its class, from 1
    series: NDArray[np.float32]  # `(horizon, bands)`, one value a time step and band
    place: tuple[slice, slice]  # rows and columns of its bounding box in the image, empty if it covers no pixel
    mask: NDArray[np.bool_]  # `(height, width)` of the bounding box, True on the parcel's pixels
