"""Pixels without a value: filled from other dates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.frames import Frame


def has_value(frames: Frame) -> NDArray[np.bool_]:
    """Say which pixels of frames `(…, C)` have a value."""
    return ~np.isnan(frames[..., 0])


def fill_gaps(frames: Frame, times: NDArray[np.float64], method: Literal["previous", "linear"]) -> None:
    """Fill pixels of a series `(T, h, w, C)` in place, from the values before and after them in time.

    `previous` takes the last value, `linear` lies on a line between the last and the next; where there is none on one
    side, both take the closest one. Pixels without any value stay without.
    """
    known = has_value(frames)  # (T, h, w)
    order = np.arange(len(frames))[:, None, None]
    before = np.maximum.accumulate(np.where(known, order, -1))
    after = np.minimum.accumulate(np.where(known, order, len(frames))[::-1])[::-1]
    step, row, column = np.nonzero(~known & known.any(axis=0))
    last, following = before[step, row, column], after[step, row, column]
    last, following = np.where(last < 0, following, last), np.where(following == len(frames), last, following)
    values = frames[last, row, column]  # (n, C)
    if method == "linear":
        span = times[following] - times[last]
        weight = np.where(span > 0, times[step] - times[last], 0) / np.where(span > 0, span, 1)
        values += (frames[following, row, column] - values) * weight[:, None].astype(np.float32)
    frames[step, row, column] = values


def times_of(steps: Sequence[int], dates: Sequence[datetime | None] | None) -> NDArray[np.float64]:
    """Times of steps: days since the first where dates are known, else their numbers."""
    known = [None] if dates is None else [dates[step] for step in steps]
    if None in known:
        return np.array(steps, np.float64)
    return np.array([(date - known[0]).total_seconds() / 86400 for date in known])
