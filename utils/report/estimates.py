"""Means with their intervals: over seeds where there are several, over test views where there is one."""

import math
from dataclasses import dataclass

from utils import score_table
from utils.report.blocks import Cell
from utils.report.results import Method

LOWER_IS_BETTER = {"mae", "mse", "rmse", "sam"}
REAL = {"jaccard_real", "test_jaccard_real_samples"}  # the same for all methods
# Where a published key's interval over views is, if its name doesn't say.
SAME_SCORE = {
    "test_jaccard_generated_samples": "jaccard_generated",
    "test_jaccard_real_samples": "jaccard_real",
    "test_jaccard_ratio": "jaccard_ratio",
}


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval.

    Attributes:
        mean: NaN if undefined.
        low: lower end; NaN if there is no interval.
        high: upper end.
        seeds: how many there are; with one, the interval is over test views.
    """

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def has_interval(self) -> bool:
        """Whether both ends are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def __str__(self) -> str:
        return " ".join(filter(None, (show(self.mean), self.spread())))

    def spread(self) -> str:
        """Write the interval: `± half` over seeds, `[low, high]` over views."""
        if not self.has_interval or math.isnan(self.mean):
            return ""
        if self.seeds > 1:
            return f"± {show(self.high - self.mean, like=self.mean)}"
        return f"[{show(self.low, like=self.mean)}, {show(self.high, like=self.mean)}]"

    def cell(self, *, strong: bool = False) -> Cell:
        """Make a table's cell.

        Args:
            strong: whether to emphasise it.

        Returns:
            The mean, and below it the interval.
        """
        return Cell(show(self.mean), self.spread(), strong)


def estimate(method: Method, key: str) -> Estimate:
    """Average a score of a method.

    Args:
        method: network or baseline.
        key: of a column of `score_table`.

    Returns:
        The mean over seeds, with Student's interval over seeds if there are several, otherwise with the bootstrap
        interval over views that testing found.
    """
    mean, seeds = method.mean(key), len(method.results)
    if seeds > 1:
        half = score_table.half_width(method.values(key))
        return Estimate(mean, mean - half, mean + half, seeds)
    return Estimate(mean, *_over_views(method.results[0].scores, key), seeds)


def _over_views(scores: score_table.Scores, key: str) -> tuple[float, float]:
    name = SAME_SCORE.get(key, key.removeprefix("test_"))
    protocol = "original" if key in score_table.ORIGINAL and key not in SAME_SCORE else "reflectance"
    found = scores.get(protocol, {}).get(name, {})
    low, high = (math.nan if found.get(end) is None else float(found[end]) for end in ("low", "high"))
    return low, high


def lower_is_better(key: str) -> bool:
    """Say which way a score points.

    Args:
        key: of a column of `score_table`.

    Returns:
        True for errors.
    """
    return key.removeprefix("test_").split("_")[0] in LOWER_IS_BETTER


def best(methods: list[Method], key: str) -> Method | None:
    """Find the method that is best in one score.

    Args:
        methods: to choose from.
        key: the score.

    Returns:
        The first of the best; None if the score is undefined for all.
    """
    defined = [method for method in methods if not math.isnan(method.mean(key))]
    sign = -1 if lower_is_better(key) else 1
    return max(defined, key=lambda method: sign * method.mean(key), default=None)


def show(value: float, *, like: float | None = None) -> str:
    """Write a score.

    Args:
        value: any number.
        like: a number to take the decimals of.

    Returns:
        Plain text; a dash for NaN.
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    digits = score_table.digits(value if like is None or not math.isfinite(like) else like)
    return f"{value:.{digits}f}".replace("-", "−")
