"""Scores in words and cells: means with their 95 % intervals, and which method is best."""

import math
from collections.abc import Iterable
from typing import TypeVar

from utils.comparison import Method
from utils.scores import TABLES, Score, digits

BY_KEY = {score.key: score for scores in TABLES.values() for score in scores}
RATIO, GENERATED, REAL, RMSE = (BY_KEY[key] for key in ("jaccard_ratio", "jaccard_generated", "jaccard_real", "rmse"))
AnyMethod = TypeVar("AnyMethod", bound=Method)


def show(value: float, *, like: float | None = None) -> str:
    """Write a score, with the decimals of `like` if that is given; a dash for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    places = digits(value if like is None or not math.isfinite(like) else like)
    return f"{value:.{places}f}".replace("-", "−")


def spread(method: Method, score: Score) -> str:
    """Write a score's interval: `± half` over seeds, `[low, high]` over test views; nothing where there is none."""
    found = method.interval(score)
    if math.isnan(found.mean) or not (math.isfinite(found.low) and math.isfinite(found.high)):
        return ""
    if len(method.results) > 1:
        return f"± {show(found.high - found.mean, like=found.mean)}"
    return f"[{show(found.low, like=found.mean)}, {show(found.high, like=found.mean)}]"


def in_words(method: Method, score: Score) -> str:
    """Write a score and its interval."""
    return f"{show(method.mean(score))} {spread(method, score)}".rstrip()


def best(methods: Iterable[AnyMethod], score: Score) -> AnyMethod | None:
    """Find the first of the methods that are best in a score; None if it is undefined for all."""
    sign = -1 if score.lower_is_better else 1
    defined = [method for method in methods if not math.isnan(method.mean(score))]
    return max(defined, key=lambda method: sign * method.mean(score), default=None)
