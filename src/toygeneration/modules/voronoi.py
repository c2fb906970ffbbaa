"""Land parcels: Voronoi cells of random points, rasterised exactly, and the field borders between them.

Coordinates: the scene is the rectangle [0, W/H] x [0, 1] with y up and row 0 at the top; one unit is H pixels.
Inside this module they are pixels: `(row, column)` with pixel (i, j) centred on (i + 0.5, j + 0.5).
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree, Voronoi

Points = NDArray[np.float64]
_TILE = 32


def draw_points(n_polygons: int, height: int, width: int, *, rng: np.random.Generator) -> Points:
    """Draw the points whose Voronoi cells are the parcels.

    Args:
        n_polygons: how many.
        height: of the image, in pixels.
        width: of the image, in pixels.
        rng: the stream `polygons`.

    Returns:
        Points `(n_polygons, 2)` as (row, column) in pixels: uniform on [0, width / height] x [0, 1] in scene units.
    """
    x = rng.uniform(0, width / height, n_polygons)
    y = rng.uniform(0, 1, n_polygons)
    return np.column_stack([(1 - y) * height, x * height])


def rasterise(points: Points, height: int, width: int) -> NDArray[np.int16]:
    """Assign every pixel to the cell of its nearest point.

    Cells are convex: a rectangle whose four corner pixels lie in one cell lies in that cell whole. So only the
    tiles that a border crosses are searched pixel by pixel.

    Args:
        points: `(n, 2)`, (row, column) in pixels.
        height: of the image.
        width: of the image.

    Returns:
        Cell numbers `(height, width)`, from 1 in the order of the points.
    """
    tree = KDTree(points)
    rows, columns = _edges(height), _edges(width)
    corners = _nearest(tree, rows, columns)
    cells = np.empty((height, width), dtype=np.int16)
    for i, j in np.ndindex(len(rows) - 1, len(columns) - 1):
        top, bottom, left, right = rows[i], rows[i + 1] + 1, columns[j], columns[j + 1] + 1
        corner = corners[i, j]
        if (corners[i : i + 2, j : j + 2] == corner).all():
            cells[top:bottom, left:right] = corner
        else:
            cells[top:bottom, left:right] = _nearest(tree, np.arange(top, bottom), np.arange(left, right))
    return cells


def _edges(size: int) -> NDArray[np.intp]:
    """Pixel indices that cut a side into tiles, first and last pixel included."""
    return np.append(np.arange(0, max(size - 1, 1), _TILE), size - 1)


def _nearest(tree: KDTree, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.int16]:
    centres = np.stack(np.meshgrid(rows + 0.5, columns + 0.5, indexing="ij"), axis=-1)  # (rows, columns, 2)
    return (tree.query(centres)[1] + 1).astype(np.int16)


def shared_edges(points: Points, height: int, width: int) -> NDArray[np.float64]:
    """Find the edges that cells, clipped to the image, share with their neighbours.

    The points are mirrored at the four sides: then the image's own sides are Voronoi edges too, and every cell
    inside is bounded and clipped exactly.

    Args:
        points: `(n, 2)`, (row, column) in pixels.
        height: of the image.
        width: of the image.

    Returns:
        Segments `(m, 2, 2)`: two ends, each (row, column) in pixels.
    """
    extent = np.array([height, width], dtype=float)
    flips = [points * np.where(axis == np.arange(2), -1, 1) for axis in (0, 1)]
    far = [flip + np.where(axis == np.arange(2), 2 * extent, 0) for axis, flip in enumerate(flips)]
    diagram = Voronoi(np.concatenate([points, *flips, *far]))
    shared = (diagram.ridge_points < len(points)).all(axis=1)
    ends = np.array([v for v, inside in zip(diagram.ridge_vertices, shared, strict=True) if inside], dtype=int)
    return diagram.vertices[ends.reshape(-1, 2)]


def border_mask(points: Points, height: int, width: int, border_width: float) -> NDArray[np.bool_]:
    """Mark the field borders: pixels closer than half the border width to an edge shared by two cells.

    Args:
        points: `(n, 2)`, (row, column) in pixels.
        height: of the image.
        width: of the image.
        border_width: in pixels; 0 for no borders.

    Returns:
        `(height, width)`, True on borders.
    """
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
    across = math.ceil(reach * math.hypot(1, slope)) + 1
    columns = np.floor(middle).astype(int)[:, None] + np.arange(-across, across + 1)
    inside = (columns >= 0) & (columns < mask.shape[1])
    offset = np.stack(np.broadcast_arrays(rows[:, None] + 0.5, columns + 0.5), axis=-1) - start
    along = np.clip(offset @ step / max(step @ step, np.finfo(float).tiny), 0, 1)
    distance = np.linalg.norm(offset - along[..., None] * step, axis=-1)
    i, j = np.nonzero((distance < reach) & inside)
    mask[rows[i], columns[i, j]] = True
