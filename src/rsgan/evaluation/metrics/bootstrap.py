"""How far a mean over views may be from the mean over all views that could have been drawn."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    return _interval(lambda chosen: values[chosen].mean(axis=-1), values.size, rng, nresamples)


def bootstrap_ratio(
    numerators: ArrayLike, denominators: ArrayLike, *, rng: np.random.Generator, nresamples: int = 10_000
) -> Interval:
    """Estimate the ratio of two means over the same views with its 95 % percentile bootstrap interval.

    Args:
        numerators: `(V,)`, one for each view.
        denominators: `(V,)`, of the same views; views in which either is NaN are left out.
        rng: a generator.
        nresamples: number of samples of views.

    Returns:
        Ratio and interval; NaN where the denominators' mean is 0.
    """
    pairs = np.stack([np.asarray(values, dtype=np.float64).ravel() for values in (numerators, denominators)])
    above, below = pairs[:, ~np.isnan(pairs).any(axis=0)]

    def ratio(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        mean = below[chosen].mean(axis=-1)
        return above[chosen].mean(axis=-1) / np.where(mean == 0, np.nan, mean)

    return _interval(ratio, above.size, rng, nresamples)


def _interval(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    count: int,
    rng: np.random.Generator,
    nresamples: int,
) -> Interval:
    """Estimate a statistic of views, given by their numbers along the last axis."""
    if count == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    found = np.sort(statistic(rng.integers(count, size=(nresamples, count))))
    tail = math.floor((1 - LEVEL) / 2 * nresamples)
    return Interval(float(statistic(np.arange(count))), float(found[tail]), float(found[-1 - tail]), count)
