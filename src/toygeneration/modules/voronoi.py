"""Land parcels: Voronoi cells of random points, rasterised exactly, and the field borders between them.

Coordinates: the scene is the rectangle [0, W/H] x [0, 1] with y up and row 0 at the top; one unit is H pixels.
Inside this module they are pixels: `(row, column)` with pixel (i, j) centred on (i + 0.5, j + 0.5).
"""

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi

Points = NDArray[np.float64]  # (n, 2): row, column
TILE = 32  # pixels; all distances within a tile are in memory at once


def draw_points(n_polygons: int, height: int, width: int, *, rng: np.random.Generator) -> Points:
    """Draw the points whose Voronoi cells are the parcels, uniform on [0, width / height] x [0, 1] in scene units."""
    x = rng.uniform(0, width / height, n_polygons)
    y = rng.uniform(0, 1, n_polygons)
    return np.column_stack([(1 - y) * height, x * height])


def rasterise(points: Points, height: int, width: int) -> NDArray[np.int16]:
    """Number every pixel `(height, width)` by its nearest point, from 1 in their order.

    Works tile by tile. By the triangle inequality, a point farther from a tile's centre than the nearest one by more
    than the tile's diameter is nearest to no pixel of the tile; the few others are compared pixel by pixel.
    """
    cells = np.empty((height, width), dtype=np.int16)
    rows, columns = np.arange(height)[:, None, None] + 0.5, np.arange(width)[:, None] + 0.5
    for top, left in itertools.product(range(0, height, TILE), range(0, width, TILE)):
        tile = slice(top, top + TILE), slice(left, left + TILE)
        distance = np.hypot(*(points - (top + TILE / 2, left + TILE / 2)).T)
        near = np.flatnonzero(distance <= distance.min() + TILE * math.sqrt(2))
        squared = (rows[tile[0]] - points[near, 0]) ** 2 + (columns[tile[1]] - points[near, 1]) ** 2
        cells[tile] = near[squared.argmin(axis=-1)] + 1  # (rows, columns, points) to (rows, columns)
    return cells


def shared_edges(points: Points, height: int, width: int) -> NDArray[np.float64]:
    """Find the edges `(m, 2, 2)` that cells, clipped to the image, share: two ends, each (row, column) in pixels.

    The points are mirrored at the four sides: then the image's own sides are edges too, and every cell is clipped.
    """
    down, across = points * (-1, 1), points * (1, -1)
    far = down + np.array([2 * height, 0]), across + np.array([0, 2 * width])
    diagram = Voronoi(np.concatenate([points, down, across, *far]))
    shared = (diagram.ridge_points < len(points)).all(axis=1)
    ends = np.array([v for v, inside in zip(diagram.ridge_vertices, shared, strict=True) if inside], dtype=int)
    return diagram.vertices[ends.reshape(-1, 2)]


def border_mask(points: Points, height: int, width: int, border_width: float) -> NDArray[np.bool_]:
    """Mark the field borders, `(height, width)`: pixels closer than half their width to an edge shared by two cells."""
    mask = np.zeros((height, width), dtype=bool)
    if border_width > 0:
        for start, end in shared_edges(points, height, width):
            _mark(mask, start, end, border_width / 2)
    return mask


def _mark(mask: NDArray[np.bool_], start: NDArray[np.float64], end: NDArray[np.float64], reach: float) -> None:
    """Mark the pixels closer than `reach` to a segment, looking only into a band along it."""
    step = end - start
    if abs(step[0]) < abs(step[1]):  # walk along the longer side, so that the band across it stays narrow
        _mark(mask.T, start[::-1], end[::-1], reach)
        return
    first, last = sorted((start[0], end[0]))
    rows = np.arange(max(math.floor(first - reach), 0), min(math.ceil(last + reach), mask.shape[0]))
    slope = step[1] / step[0] if step[0] else 0.0
    middle = start[1] + (np.clip(rows + 0.5, first, last) - start[0]) * slope
    across = min(math.ceil(reach * math.hypot(1, slope)) + 1, mask.shape[1])
    columns = np.floor(middle).astype(int)[:, None] + np.arange(-across, across + 1)
    inside = (columns >= 0) & (columns < mask.shape[1])
    offset = np.stack(np.broadcast_arrays(rows[:, None] + 0.5, columns + 0.5), axis=-1) - start
    along = np.clip(offset @ step / max(step @ step, np.finfo(float).tiny), 0, 1)
    distance = np.linalg.norm(offset - along[..., None] * step, axis=-1)
    i, j = np.nonzero((distance < reach) & inside)
    mask[rows[i], columns[i, j]] = True
