"""The inner loop of decision trees, compiled at first use. It runs on the core that calls it, and lets others run."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 256  # series that go through a tree while both are in a core's cache


@njit(nogil=True, cache=True)
def add_up(series: NDArray[np.float32], trees: tuple[NDArray[np.number], ...], out: NDArray[np.float64]) -> None:
    """Add up what trees say of series `(n, P)`, tree after tree: sums `(n, K)` in `out`."""
    roots, feature, threshold, left, right, values, start = trees
    nsums, width = len(start), values.shape[1]
    out[:] = start
    for begin in range(0, len(series), BLOCK):
        first = 0
        for root in roots:
            for row in range(begin, min(begin + BLOCK, len(series))):
                node = root
                while feature[node] >= 0:
                    node = left[node] if series[row, feature[node]] <= threshold[node] else right[node]
                for k in range(width):
                    out[row, first + k] += values[node, k]
            first = (first + width) % nsums
