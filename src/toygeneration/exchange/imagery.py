"""Series of real images, read by time step and window."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.exchange.settings import ImportConfig
from src.toygeneration.frames import Frame, Georeference, Sample
from utils.errors import DataError

Window = tuple[slice, slice]  # rows and columns, within the scene
LARGEST = 10  # of a reflectance, far beyond what bright snow and glint reach


class Imagery(ABC):
    """Images of one scene at several dates.

    Attributes:
        steps: the time steps that there are images of, ascending.
        dates: of all time steps, None where one isn't known; None if none is.
        block: height and width of what the files hold in one piece.
        files: that it is read from.
    """

    height: int
    width: int
    nbands: int
    steps: tuple[int, ...]
    horizon: int
    dates: tuple[datetime | None, ...] | None = None
    georeference: Georeference | None = None
    block: tuple[int, int] = (1, 1)
    files: list[Path]

    def __init__(self, settings: ImportConfig) -> None:
        self._settings = settings

    @property
    def whole(self) -> Window:
        return slice(0, self.height), slice(0, self.width)

    def _check_bands(self, file: Path, known: Sequence[str]) -> None:
        missing = [band for band in self._settings.bands or () if band not in known]
        if missing:
            raise DataError(f"{file}: --bands: found no band {missing[0]!r}, expected some of {', '.join(known)}")

    @abstractmethod
    def read(self, step: int, window: Window) -> Sample:
        """Read a time step: its frame, NaN where it has no value, and labels and opacity if they are known.

        Raises:
            DataError: If a file cannot be read, or its values are no reflectances.
        """

    def _to_reflectance(
        self, values: NDArray[np.generic], nodata: float | None, mask: NDArray[np.generic] | None, where: object
    ) -> Frame:
        """Scale values `(h, w, C)`; a pixel has none where a band has none, or its mask `(h, w)` says so."""
        settings = self._settings
        frame = np.empty(values.shape, np.float32)
        np.multiply(values, np.float32(settings.scale), out=frame, casting="same_kind")
        frame += np.float32(settings.offset)
        # Band by band, since a reduction over an axis this short is slow.
        missing = ~functools.reduce(np.logical_and, np.moveaxis(np.isfinite(frame), 2, 0))
        nodata = nodata if settings.nodata is None else settings.nodata
        if nodata is not None:
            missing |= (values == values.dtype.type(nodata)).any(axis=2) if _fits(nodata, values.dtype) else False
        if mask is not None:
            missing |= mask != 0 if settings.masked is None else np.isin(mask, settings.masked)
        frame[missing] = np.nan
        low, high = np.fmin.reduce(frame, axis=None), np.fmax.reduce(frame, axis=None)
        if low < -LARGEST or high > LARGEST:
            raise DataError(
                f"{where}: found values from {low:g} to {high:g}, expected reflectances, nominally 0 to 1; bring them "
                "there with --scale and --offset, such as --scale=0.0001"
            )
        return frame


def _fits(number: float, dtype: np.dtype) -> bool:
    """Whether an array may hold that number at all."""
    if dtype.kind == "f":
        return not np.isnan(number)
    limits = np.iinfo(dtype)
    return number == int(number) and limits.min <= number <= limits.max
