"""Decision trees as arrays. Evaluating them needs no scikit-learn, whose import takes longer than a view's scores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from src.rsgan.evaluation.classifiers import Model, ReferenceClassifier, highest
from src.rsgan.evaluation.classifiers.chunks import Series

LEAF = -1
FLOATS = ("threshold", "values", "start")
Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees that add up: their nodes follow each other, those of a tree from its root to its leaves.

    Attributes:
        roots: `(T,)`, the first node of each tree.
        feature: `(N,)`, what a node compares; `LEAF` in a leaf.
        threshold: `(N,)`, up to which one goes left.
        left: `(N,)`, the next node there, as is `right`.
        values: `(N, W)`, what a leaf adds to W of the K sums: tree by tree to the next W, and to the first ones again.
        start: `(K,)`, what the sums start from; K is 1 for two classes that a sign tells apart.
        classes: positions of the classes in those of the classifier, sorted; it is the one with the largest sum.
    """

    roots: Integers
    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    values: Floats
    start: Floats
    classes: Integers

    @classmethod
    def join(
        cls, trees: Sequence[dict[str, NDArray[np.number]]], start: NDArray[np.floating], classes: NDArray[np.integer]
    ) -> "Trees":
        """Put trees together: `feature`, `threshold`, `left`, `right` and `values` of each, nodes numbered from 0."""
        parts = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
        sizes = [len(tree["feature"]) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        for side in ("left", "right"):
            parts[side] = np.where(parts["feature"] == LEAF, 0, parts[side] + np.repeat(roots, sizes))
        arrays = {"roots": roots, **parts, "start": start, "classes": classes}
        return cls(**{name: array.astype(np.float64 if name in FLOATS else np.int32) for name, array in arrays.items()})

    def arrays(self) -> dict[str, NDArray[np.number]]:
        """Take apart what the constructor puts together."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def check(self, nfeatures: int, nclasses: int) -> None:
        """Raise a ValueError unless evaluation stays inside of arrays and ends, whatever file they are from."""
        arrays = self.arrays()
        nodes, inner = np.arange(len(self.feature)), self.feature != LEAF
        nsums = len(self.start)
        fine = (
            all(array.dtype == (np.float64 if name in FLOATS else np.int32) for name, array in arrays.items())
            and all(array.ndim == (2 if name == "values" else 1) for name, array in arrays.items())
            and all(len(arrays[name]) == len(nodes) for name in ("threshold", "left", "right", "values"))
            and nsums > 0
            and self.values.shape[1] > 0
            and nsums % self.values.shape[1] == 0
            and len(self.classes) == (2 if nsums == 1 else nsums)
            and _within(self.classes, 0, nclasses)
            and _within(self.roots, 0, len(nodes))
            and _within(self.feature, LEAF, nfeatures)
            and all(_within(side[inner], nodes[inner] + 1, len(nodes)) for side in (self.left, self.right))
        )
        if not fine:
            raise ValueError("found nodes that make no trees")

    def decide(self, series: NDArray[np.float32], *, njobs: int) -> Integers:
        """Classify finite series `(n, horizon, bands)` on some threads: `(n,)`, positions of classes."""
        return self.classes[highest(self.sums(series.reshape(len(series), -1), njobs=njobs))]

    def sums(self, series: NDArray[np.float32], *, njobs: int) -> Floats:
        """Add up what the trees say of finite series `(n, P)`, on some threads: `(n, K)`."""
        from src.rsgan.evaluation.compiled_trees import add_up  # numba, which reading a configuration can do without

        found = np.empty((len(series), len(self.start)))
        trees = (self.roots, self.feature, self.threshold, self.left, self.right, self.values, self.start)
        # Each thread goes through all trees with its own share of the series. scikit-learn's wait for each other after
        # each tree: where other programs use the cores, for a hundred times as long as the work takes.
        with ThreadPoolExecutor(njobs) as pool:
            shares = zip(np.array_split(series, njobs), np.array_split(found, njobs), strict=True)
            list(pool.map(lambda share: add_up(np.ascontiguousarray(share[0]), *trees, share[1]), shares))
        return found


class TreeClassifier(ReferenceClassifier):
    """Trees, grown from a uniform sample of the series of all chunks, which they need in memory."""

    n_trees: PositiveInt = 100

    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        Trees(**model).check(horizon * nbands, nclasses)

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        return Trees(**model).decide(series, njobs=njobs)


def _within(numbers: Integers, low: int | NDArray[np.integer], high: int) -> bool:
    return bool(((numbers >= low) & (numbers < high)).all())
