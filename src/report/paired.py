"""Two methods on the same test views: how far apart they are, whatever the views."""

import numpy as np

from utils.comparison import Method
from utils.intervals import Interval, bootstrap_ratio
from utils.results import ViewRow
from utils.scores import VIEWS

SEED = 0


def ratio_difference(one: Method, other: Method) -> Interval | None:
    """Estimate `one`'s Jaccard ratio less `other`'s on other views; None if not all views' scores are known.

    Both are tested on the same views, and the same real frames, so views are drawn together for both (paired
    bootstrap); a view's score is its mean over seeds.
    """
    ours, others, real = _by_view(one, "generated"), _by_view(other, "generated"), _by_view(one, "real")
    if len(real) < 2 or not ours.keys() == others.keys() == real.keys():
        return None
    values = [np.array([found[view] for view in sorted(real)]) for found in (ours, others, real)]
    if not np.isfinite(values).all() or not values[2].all():
        return None
    return bootstrap_ratio(values[0] - values[1], values[2], rng=np.random.default_rng(SEED))


def _by_view(method: Method, kind: str) -> dict[str, float]:
    """Average a Jaccard index over seeds, view by view."""
    found: dict[str, list[float]] = {}
    for result in method.results:
        for row in result.rows(VIEWS, ViewRow):
            found.setdefault(row.view, []).append(row.value(f"jaccard_{kind}"))
    return {view: sum(values) / len(values) for view, values in found.items() if len(values) == len(method.results)}
