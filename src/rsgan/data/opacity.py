"""How opaque the cloud over a pixel is, as the pixel's own values tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from src.rsgan.data.views import View
from utils.number_lists import equally_spaced

CELLS, BINS, BANDS = 2**14, 64, 14  # of the table, in all, of one band, and bands looked at: two bins each at least
TAIL = 0.001  # share of the values at either end that have no bins of their own
VIEWS, STEPS, PIXELS = 16, 8, 2**16  # looked at: training views, steps of each, and about as many pixels of a frame


@dataclass(frozen=True, eq=False)
class OpacityTable:
    """A regression table: E[opacity | values of the bands], constant in each cell of a grid of values."""

    edges: tuple[NDArray[np.float32], ...]  # of each band, between bins
    means: NDArray[np.float32]  # one for each cell

    @classmethod
    def fit(cls, values: NDArray[np.float32], opacity: NDArray[np.float32]) -> Self:
        """Average the opacity `(N,)` of all pixels with values `(N, C)` in a cell; empty cells take the nearest's."""
        bands = values[:, :BANDS].T
        bins = min(int(CELLS ** (1 / len(bands)) + 1e-9), BINS)
        limits = [np.quantile(band, (TAIL, 1 - TAIL)) for band in bands]
        edges = tuple(np.linspace(*limit, bins + 1)[1:-1].astype(np.float32) for limit in limits)
        shape = (bins,) * len(bands)
        cells = _cells(values, edges)
        counts = np.bincount(cells, minlength=bins ** len(bands))
        means = np.bincount(cells, opacity, minlength=len(counts)) / np.maximum(counts, 1)
        nearest = distance_transform_edt(counts.reshape(shape) == 0, return_distances=False, return_indices=True)
        return cls(edges, means.reshape(shape)[tuple(nearest)].ravel().astype(np.float32))

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Estimate opacity `(…,)` from values `(…, C)`."""
        return self.means[_cells(values, self.edges)]


def _cells(values: NDArray[np.float32], edges: Sequence[NDArray[np.float32]]) -> NDArray[np.int64]:
    """Number the cell of the grid that values `(…, C)` are in."""
    numbers = [np.searchsorted(bins, values[..., band], side="right") for band, bins in enumerate(edges)]
    return np.ravel_multi_index(numbers, [len(bins) + 1 for bins in edges])


def fit_opacity(views: Sequence[View]) -> OpacityTable:
    """Fit a table to the clouded frames of some views, a bounded number of equally spaced pixels of them."""
    chosen = views[:VIEWS]
    shape = chosen[0].features
    stride = int(np.ceil(np.sqrt(shape.height * shape.width / PIXELS)))
    spaced = (slice(None, None, stride), slice(None, None, stride))
    places = [(view, step) for view in chosen for step in equally_spaced(view.clouded_numbers(), STEPS)]
    values, opacity = (
        np.concatenate([view.read(step, kind)[spaced] for view, step in places]) for kind in ("clouded", "cloud")
    )  # (views * steps * rows, columns, bands)
    return OpacityTable.fit(values.reshape(-1, values.shape[-1]), opacity.ravel())
