"""Inner loops of image scores on a CPU, compiled at first use: they read each value once and keep no more than rows.

All are for single precision and contiguous arrays, run on the core that calls them, and let other threads run.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Neither sums in another order nor products added in one rounding: code that was just compiled and the same code from
# numba's cache would round differently. So loops that add up run over columns, each with a sum of its own.
compiled: Callable[..., Any] = njit(nogil=True, cache=True, error_model="numpy", fastmath={"nsz", "arcp"})


@compiled
def structural_similarity(one: Array, other: Array, weights: tuple[float, ...], c1: float, c2: float) -> Array:
    """Mean structural similarity `(B,)` of images `(B, H, W)`, in double precision.

    The window's weights along one axis are an odd number, symmetric, of sum 1; the constants stand beside the squared
    means of sum and difference, and beside their variances.
    """
    scores = np.empty(len(one))
    for image in range(len(one)):
        scores[image] = 1 - 2 * _mean_loss(one[image], other[image], weights, c1, c2)
    return scores


@compiled
def _mean_loss(one: Array, other: Array, weights: tuple[float, ...], c1: float, c2: float) -> float:
    """Mean of (1 - SSIM) / 2 over an image."""
    side, (height, width) = len(weights), one.shape
    levels = _levels(one, other, side)
    # The last `side` rows of sum, difference and their squares, side by side; each row twice, `side` rows apart, so
    # that they follow each other wherever the oldest is.
    rows = np.empty((2 * side, 4 * width), one.dtype)
    mean_rows = np.empty(4 * width, one.dtype)
    losses = np.zeros(width - side + 1)
    for row in range(height):
        place = row % side
        _terms(one[row], other[row], levels, rows[place])
        rows[place + side] = rows[place]
        if row >= side - 1:
            _average_rows(rows[place + 1 : place + 1 + side], weights, mean_rows)
            _add_losses(mean_rows, weights, levels, c1, c2, losses)
    return losses.sum() / (height - side + 1) / (width - side + 1)


@compiled
def _levels(one: Array, other: Array, step: int) -> tuple[float, float]:
    """Means of sum and difference over some rows."""
    total = difference = 0.0
    for row in range(0, len(one), step):
        total += (one[row] + other[row]).sum()
        difference += (one[row] - other[row]).sum()
    count = one[::step].size
    return one.dtype.type(total / count), one.dtype.type(difference / count)


@compiled
def _terms(one: Array, other: Array, levels: tuple[float, float], out: Array) -> None:
    """Sum and difference of a row, less their levels, and the squares of these."""
    # The variance doesn't depend on the level, but the rounding of E[x²] - E[x]² does.
    width = one.size
    for column in range(width):
        total = one[column] + other[column] - levels[0]
        difference = one[column] - other[column] - levels[1]
        out[column] = total
        out[column + width] = difference
        out[column + 2 * width] = total * total
        out[column + 3 * width] = difference * difference


@compiled
def _average_rows(rows: Array, weights: tuple[float, ...], out: Array) -> None:
    """Weighted mean of rows."""
    last = len(weights) - 1
    for column in range(out.size):
        total = weights[last // 2] * rows[last // 2, column]
        for k in range(len(weights) // 2):
            total += weights[k] * (rows[k, column] + rows[last - k, column])
        out[column] = total


@compiled
def _add_losses(
    row: Array,
    weights: tuple[float, ...],
    levels: tuple[float, float],
    c1: float,
    c2: float,
    losses: NDArray[np.float64],
) -> None:
    """Add (1 - SSIM) / 2 of each window of a row, from the means of terms over the rows of the windows."""
    width, last = row.size // 4, len(weights) - 1
    totals, differences = row[:width], row[width : 2 * width]
    total_squares, difference_squares = row[2 * width : 3 * width], row[3 * width :]
    for column in range(width - last):
        a = weights[last // 2] * totals[column + last // 2]
        b = weights[last // 2] * differences[column + last // 2]
        variance_a = weights[last // 2] * total_squares[column + last // 2]
        variance_b = weights[last // 2] * difference_squares[column + last // 2]
        for k in range(len(weights) // 2):
            weight, near, far = weights[k], column + k, column + last - k
            a += weight * (totals[near] + totals[far])
            b += weight * (differences[near] + differences[far])
            variance_a += weight * (total_squares[near] + total_squares[far])
            variance_b += weight * (difference_squares[near] + difference_squares[far])
        variance_a, variance_b = variance_a + c2 - a * a, variance_b - b * b
        a, b = (a + levels[0]) ** 2 + c1, (b + levels[1]) ** 2
        losses[column] += (a * variance_b + b * variance_a) / ((a + b) * (variance_a + variance_b))


@compiled
def spectral_parts(generated: Array, real: Array) -> tuple[Array, Array, Array, Array]:
    """Take spectra of frames `(N, C, H, W)` apart, parallel and perpendicular to real ones.

    Returns:
        `(N, H, W)` each: the product of both norms and the cosine of the angle between the spectra; that product and
        the sine; the squared norms of generated and of real spectra. Where the first is 0, the second is positive
        unless the real spectrum is zero.
    """
    nframes, nbands, height, width = real.shape
    parts = np.zeros((4, nframes, height, width), real.dtype)
    for frame in range(nframes):
        for row in range(height):
            parallel, perpendicular = parts[0, frame, row], parts[1, frame, row]
            square, real_square = parts[2, frame, row], parts[3, frame, row]
            for band in range(nbands):
                _add_products(generated[frame, band, row], real[frame, band, row], parallel, square, real_square)
            for band in range(nbands):
                _add_rests(generated[frame, band, row], real[frame, band, row], parallel, real_square, perpendicular)
            for column in range(width):
                sine = np.sqrt(perpendicular[column]) * np.sqrt(real_square[column])
                perpendicular[column] = real_square[column] if parallel[column] == 0 else sine
    return parts[0], parts[1], parts[2], parts[3]


@compiled
def _add_products(one: Array, other: Array, product: Array, square: Array, other_square: Array) -> None:
    """Add a band's products to a row's."""
    for column in range(one.size):
        product[column] += one[column] * other[column]
        square[column] += one[column] * one[column]
        other_square[column] += other[column] * other[column]


@compiled
def _add_rests(one: Array, other: Array, product: Array, other_square: Array, rest: Array) -> None:
    """Add the square of what a band has beside the projection to a row's."""
    for column in range(one.size):
        share = product[column] / other_square[column] if other_square[column] > 0 else other_square[column]
        rest[column] += (one[column] - share * other[column]) ** 2


@compiled
def region_sums(maps: tuple[Array, ...], region: NDArray[np.int64], nregions: int) -> NDArray[np.float64]:
    """Sum Q maps `(N, H, W)` over R regions of the same shape: number of pixels, then the sums: `(N, Q + 1, R)`.

    Raises:
        ValueError: If a region's number is out of range.
    """
    nframes, height, width = region.shape
    sums = np.zeros((nframes, len(maps) + 1, nregions))
    for frame in range(nframes):
        for row in range(height):
            for column in range(width):
                number = region[frame, row, column]
                if not 0 <= number < nregions:
                    raise ValueError("a pixel's region is out of range")
                sums[frame, 0, number] += 1
                for k in range(len(maps)):
                    sums[frame, k + 1, number] += maps[k][frame, row, column]
    return sums
