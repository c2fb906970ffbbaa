"""How far a mean may be from that of all that could have been drawn: of views by bootstrap, of seeds by Student's t."""

import math
from collections.abc import Callable, Sequence
from statistics import stdev

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

from utils.tables import Number

LEVEL = 0.95
RESAMPLES = 10_000
Statistic = Callable[[NDArray[np.int64]], NDArray[np.float64]]


class Interval(BaseModel):
    """A mean of `count` values and its 95 % confidence interval."""

    model_config = ConfigDict(frozen=True, strict=True)
    mean: Number
    low: Number
    high: Number
    count: NonNegativeInt

    @model_validator(mode="after")
    def _ordered(self) -> "Interval":
        if self.low > self.high:
            raise ValueError(f"found an interval from {self.low} to {self.high}, expected the lower end first")
        return self


def bootstrap_mean(values: ArrayLike, *, rng: np.random.Generator, nresamples: int = RESAMPLES) -> Interval:
    """Estimate a mean over views of `(V,)` values; NaN, a score that a view doesn't have, is left out."""
    values = np.asarray(values, dtype=np.float64).ravel()
    values = values[~np.isnan(values)]
    return bootstrap(lambda chosen: values[chosen].mean(axis=-1), values.size, rng=rng, nresamples=nresamples)


def bootstrap_ratio(
    numerators: ArrayLike, denominators: ArrayLike, *, rng: np.random.Generator, nresamples: int = RESAMPLES
) -> Interval:
    """Estimate the ratio of two means over the same views, `(V,)` each; NaN where the denominators' mean is 0.

    Views in which either is NaN are left out.
    """
    pairs = np.stack([np.asarray(values, dtype=np.float64).ravel() for values in (numerators, denominators)])
    above, below = pairs[:, ~np.isnan(pairs).any(axis=0)]

    def ratio(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        mean = below[chosen].mean(axis=-1)
        return above[chosen].mean(axis=-1) / np.where(mean == 0, np.nan, mean)

    return bootstrap(ratio, above.size, rng=rng, nresamples=nresamples)


def bootstrap(statistic: Statistic, count: int, *, rng: np.random.Generator, nresamples: int = RESAMPLES) -> Interval:
    """Estimate any statistic of views with its percentile bootstrap interval.

    The interval holds the middle 95 % of the statistics of `nresamples` samples of views drawn with replacement (Efron
    1979, doi:10.1214/aos/1176344552). Its ends are two of these, without interpolation, so they may be infinite; all
    is NaN where there are no views.

    Args:
        statistic: takes numbers of views along the last axis, `(…, count)`, and gives `(…)`.
        count: number of views.
        rng: draws the samples.
        nresamples: their number.
    """
    if count == 0:
        return Interval(mean=math.nan, low=math.nan, high=math.nan, count=0)
    found = np.sort(statistic(rng.integers(count, size=(nresamples, count))))
    tail = math.floor((1 - LEVEL) / 2 * nresamples)
    mean = float(statistic(np.arange(count)))
    return Interval(mean=mean, low=float(found[tail]), high=float(found[-1 - tail]), count=count)


def half_width(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean over all seeds by Student's t; NaN for a single seed."""
    from scipy.stats import t

    if len(values) < 2 or not all(map(math.isfinite, values)):
        return math.nan
    return float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
