"""How far a mean may be from that of all that could have been drawn: of views by bootstrap, of seeds by Student's t."""

import math
from collections.abc import Sequence
from statistics import stdev

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator

from utils.tables import Number

LEVEL = 0.95
RESAMPLES = 10_000


class Interval(BaseModel):
    """A mean of `count` values and its 95 % confidence interval."""

    model_config = ConfigDict(frozen=True, strict=True)
    mean: Number
    low: Number
    high: Number
    count: NonNegativeInt

    def cells(self, name: str) -> dict[str, float]:
        """Of a row of a table: the mean under a name, and the ends under names that start with it."""
        return {name: self.mean, f"{name}_low": self.low, f"{name}_high": self.high}

    @model_validator(mode="after")
    def _ordered(self) -> "Interval":
        if self.low > self.high:
            raise ValueError(f"found an interval from {self.low} to {self.high}, expected the lower end first")
        return self


def bootstrap_mean(values: ArrayLike, *, rng: np.random.Generator, nresamples: int = RESAMPLES) -> Interval:
    """Estimate a mean over views of `(V,)` values; NaN, a score that a view doesn't have, is left out."""
    return bootstrap_ratio(values, np.ones(np.shape(values)), rng=rng, nresamples=nresamples)


def bootstrap_ratio(
    numerators: ArrayLike, denominators: ArrayLike, *, rng: np.random.Generator, nresamples: int = RESAMPLES
) -> Interval:
    """Estimate the ratio of two means over the same views, `(V,)` each, with its percentile bootstrap interval.

    Views in which either is NaN are left out; the ratio is NaN where no views are left, or the denominators' mean is 0.
    The interval holds the middle 95 % of the ratios of `nresamples` samples of views drawn with replacement (Efron
    1979, doi:10.1214/aos/1176344552). Its ends are two of these, without interpolation, so they may be infinite.
    """
    pairs = np.stack([np.asarray(values, dtype=np.float64).ravel() for values in (numerators, denominators)])
    above, below = pairs[:, ~np.isnan(pairs).any(axis=0)]
    if above.size == 0:
        return Interval(mean=math.nan, low=math.nan, high=math.nan, count=0)

    def ratio(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        mean = below[chosen].mean(axis=-1)
        return above[chosen].mean(axis=-1) / np.where(mean == 0, np.nan, mean)

    found = np.sort(ratio(rng.integers(above.size, size=(nresamples, above.size))))
    tail = math.floor((1 - LEVEL) / 2 * nresamples)
    mean = float(ratio(np.arange(above.size)))
    return Interval(mean=mean, low=float(found[tail]), high=float(found[-1 - tail]), count=above.size)


def half_width(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of the mean over all seeds by Student's t; NaN for a single seed."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return math.nan
    from scipy.special import stdtrit  # of scipy.stats, the import alone takes a second

    return float(stdtrit(len(values) - 1, (1 + LEVEL) / 2)) * stdev(values) / math.sqrt(len(values))
