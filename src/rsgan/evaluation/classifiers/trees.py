"""Decision trees as arrays. Evaluating them needs no scikit-learn, whose import takes longer than a view's scores.

A model is of trees that add up. Their nodes follow each other, those of a tree from its root to its leaves:

    roots      (T,)    the first node of each tree
    feature    (N,)    what a node compares; `LEAF` in a leaf
    threshold  (N,)    up to which one goes left
    left       (N,)    the next node there, as is `right`
    values     (N, W)  what a leaf adds to W of the K sums: tree by tree to the next W, and to the first ones again
    start      (K,)    what the sums start from; K is 1 for two classes that a sign tells apart
    classes            positions of the classes in those of the classifier, sorted; it is the one with the largest sum
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from src.rsgan.evaluation.classifiers import Model, ReferenceClassifier, highest
from src.rsgan.evaluation.classifiers.chunks import Series

LEAF = -1
NAMES = ("roots", "feature", "threshold", "left", "right", "values", "start", "classes")
FLOATS = ("threshold", "values", "start")


def join(trees: Sequence[Model], start: NDArray[np.floating], classes: NDArray[np.integer]) -> Model:
    """Put trees together: `feature`, `threshold`, `left`, `right` and `values` of each, nodes numbered from 0."""
    parts = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    sizes = [len(tree["feature"]) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    for side in ("left", "right"):
        parts[side] = np.where(parts["feature"] == LEAF, 0, parts[side] + np.repeat(roots, sizes))
    arrays = {"roots": roots, **parts, "start": start, "classes": classes}
    return {name: array.astype(np.float64 if name in FLOATS else np.int32) for name, array in arrays.items()}


class TreeClassifier(ReferenceClassifier):
    """Trees, grown from a uniform sample of the series of all chunks, which they need in memory."""

    n_trees: PositiveInt = 100

    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        """Evaluation must stay inside of arrays, and end."""
        roots, feature, threshold, left, right, values, start, classes = (model[name] for name in NAMES)
        nodes, inner = np.arange(len(feature)), feature != LEAF
        nsums = len(start)
        fine = (
            len(model) == len(NAMES)
            and all(array.dtype == (np.float64 if name in FLOATS else np.int32) for name, array in model.items())
            and all(array.ndim == (2 if name == "values" else 1) for name, array in model.items())
            and all(len(array) == len(nodes) for array in (threshold, left, right, values))
            and nsums > 0
            and values.shape[1] > 0
            and nsums % values.shape[1] == 0
            and len(classes) == (2 if nsums == 1 else nsums)
            and _within(classes, 0, nclasses)
            and _within(roots, 0, len(nodes))
            and _within(feature, LEAF, horizon * nbands)
            and all(_within(side[inner], nodes[inner] + 1, len(nodes)) for side in (left, right))
        )
        if not fine:
            raise ValueError("found nodes that make no trees")

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        from src.rsgan.evaluation.compiled_trees import add_up  # numba, which reading a configuration can do without

        series, sums = series.reshape(len(series), -1), np.empty((len(series), len(model["start"])))
        *trees, classes = (model[name] for name in NAMES)
        # Each thread goes through all trees with its own share of the series. scikit-learn's wait for each other after
        # each tree: where other programs use the cores, for a hundred times as long as the work takes.
        with ThreadPoolExecutor(njobs) as pool:
            shares = zip(np.array_split(series, njobs), np.array_split(sums, njobs), strict=True)
            list(pool.map(lambda share: add_up(np.ascontiguousarray(share[0]), tuple(trees), share[1]), shares))
        return classes[highest(sums)]


def _within(numbers: NDArray[np.int32], low: int | NDArray[np.integer], high: int) -> bool:
    return bool(((numbers >= low) & (numbers < high)).all())
