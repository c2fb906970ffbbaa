"""How far a mean over views may be from the mean over all views that could have been drawn."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    Attributes:
        mean: of the values.
        low: lower end of the interval.
        high: upper end.
        count: number of values.
    """

    mean: float
    low: float
    high: float
    count: int


def bootstrap_mean(values: ArrayLike, *, rng: np.random.Generator, nresamples: int = 10_000) -> Interval:
    """Estimate a mean with its 95 % percentile bootstrap interval.

    The interval holds the middle 95 % of the means of `nresamples` samples drawn from the values with replacement
    (Efron 1979, doi:10.1214/aos/1176344552). Its ends are two of these means, without interpolation, so values may be
    infinite.

    Args:
        values: `(V,)`, one for each view; NaN, a score that a view doesn't have, is left out.
        rng: a generator.
        nresamples: number of samples.

    Returns:
        Mean and interval; both ends equal the value if there is one only; all NaN if there is none.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    values = values[~np.isnan(values)]
    count = values.size
    if count == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    means = np.sort(values[rng.integers(count, size=(nresamples, count))].mean(axis=1))
    tail = math.floor((1 - LEVEL) / 2 * nresamples)
    return Interval(float(values.mean()), float(means[tail]), float(means[-1 - tail]), count)
