"""Two methods on the same test views: how far apart they are, whatever the views."""

import math
from pathlib import Path

from utils.report.results import Method, parse, read_rows

FILE = "views.csv"
RESAMPLES = 10_000
SEED = 0


def ratio_difference(one: Method, other: Method) -> tuple[float, float] | None:
    """Estimate how far apart the Jaccard ratios of two methods may be on other views.

    Both are tested on the same views, and the same real frames, so views are drawn together for both (paired percentile
    bootstrap); a view's score is its mean over seeds.

    Args:
        one: a method.
        other: another.

    Returns:
        The ends of the 95 % interval of `one`'s ratio less `other`'s; None if not all views' scores are known.

    Raises:
        DataError: If a table of views is malformed.
    """
    import numpy as np

    ours, others, real = _by_view(one, "generated"), _by_view(other, "generated"), _by_view(one, "real")
    views = sorted(real)
    values = np.array([[ours.get(view, math.nan), others.get(view, math.nan), real[view]] for view in views])
    if len(views) < 2 or not np.isfinite(values).all() or not values[:, 2].all():
        return None
    chosen = np.random.default_rng(SEED).integers(len(views), size=(RESAMPLES, len(views)))
    means = values[chosen].mean(axis=1)  # (V, 3) -> (RESAMPLES, V, 3) -> (RESAMPLES, 3)
    low, high = np.quantile((means[:, 0] - means[:, 1]) / means[:, 2], (0.025, 0.975))
    return float(low), float(high)


def _by_view(method: Method, kind: str) -> dict[str, float]:
    """Average a Jaccard index over seeds, view by view."""
    found: dict[str, list[float]] = {}
    for result in method.results:
        file = result.folder / FILE
        for view, value in parse(file, lambda file=file: _values(file, f"jaccard_{kind}")):
            found.setdefault(view, []).append(value)
    complete = {view: values for view, values in found.items() if len(values) == len(method.results)}
    return {view: sum(values) / len(values) for view, values in complete.items()}


def _values(file: Path, column: str) -> list[tuple[str, float]]:
    return [(row["view"], float(row[column] or math.nan)) for row in read_rows(file)]
