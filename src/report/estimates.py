"""Scores in words and tables: means with their 95 % intervals, and which method is best."""

import math

from src.report.tasks import Shown, Task
from utils import comparison
from utils.comparison import Method, best, having
from utils.results import ConfusionRow
from utils.scores import (
    COMPETITORS,
    CONFUSION,
    JUDGES,
    ORIGINAL,
    REFLECTANCE,
    TABLES,
    UNCERTAINTY,
    Score,
    digits,
)

BY_KEY = {score.key: score for scores in TABLES.values() for score in scores}
RATIO, GENERATED, REAL, RMSE = (BY_KEY[key] for key in ("jaccard_ratio", "jaccard_generated", "jaccard_real", "rmse"))
THEMES = {"Land cover": "jaccard", "Errors": ("mae", "mse", "rmse"), "Structure, spectra and time": ""}  # by name


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


def without_generation(task: Task, method: Shown | None = None, score: Score = RATIO) -> Shown | None:
    return comparison.without_generation(task.methods, method, score)


def score_tables(task: Task) -> dict[str, list[Score]]:
    """The reflectance protocol by theme, what counts first, and the original one; columns are what was measured."""
    found: dict[str, list[Score]] = {f"{theme}, reflectance protocol.": [] for theme in THEMES}
    for score in task.comparison.columns(REFLECTANCE):
        theme = next(theme for theme, starts in THEMES.items() if score.name.startswith(starts))
        found[f"{theme}, reflectance protocol."].append(score)
    found["All scores, original protocol (network scale)."] = task.comparison.columns(ORIGINAL)
    found = {caption: sorted(scores, key=_importance) for caption, scores in found.items()}
    found["Land cover by judge; TSTR: train on synthetic, test on real."] = task.comparison.columns(JUDGES)
    found["How uncertain, where a method says so; in reflectance."] = task.comparison.columns(UNCERTAINTY)
    return {caption: scores for caption, scores in found.items() if scores}


def _importance(score: Score) -> tuple[bool, bool]:
    return "jaccard" not in score.name, "ratio" not in score.name


def winner(task: Task, score: Score) -> Shown | None:
    """The method to emphasise: references compete with nobody, and real images are those of all."""
    compared = having(task.of(*COMPETITORS), [score])
    return best(compared, score) if len(compared) > 1 and not score.of_real_frames else None


def published(task: Task, method: Shown) -> dict[Score, float]:
    return dict(zip(TABLES[ORIGINAL], task.comparison.published(method), strict=False))


def confusion(task: Task) -> list[tuple[str, list[ConfusionRow]]]:
    """Matrices of real frames, and of each method's first seed."""
    shown = [("Real frames", task.methods[0], "real")]
    shown += [(method.title, method, "generated") for method in task.methods]
    found = [(title, method.results[0].rows(CONFUSION[kind], ConfusionRow)) for title, method, kind in shown]
    return [(title, rows) for title, rows in found if rows]
