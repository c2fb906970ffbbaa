"""Flicker: what changes over time although it should stand still."""

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.evaluation.metrics.compiled import Array, compiled
from src.rsgan.evaluation.metrics.images import single
from src.rsgan.evaluation.metrics.series import check_series, on_all_cores
from src.rsgan.evaluation.metrics.texture import ROUNDING


def flicker(generated: Tensor, real: Tensor, parcels: NDArray[np.integer]) -> float:
    """How restless generated series are within land parcels, over how restless real ones are.

    Pixels of a parcel follow one course, each with its own texture, which doesn't change. So what is left of a frame
    without the parcels' means should be static: its standard deviation over time, averaged over the pixels of parcels
    and bands, is the flicker. Mixed pixels at borders give real series a little.

    Args:
        generated: the series of one view, `(T, C, H, W)`, network scale.
        real: the same shape.
        parcels: `(H, W)`, whole numbers, 0 for background, which doesn't count.

    Returns:
        The ratio, ideally 1; below, generated series are stiller than real ones, as those without detail are. Either
        deviation is at least the rounding of reflectance, `ROUNDING`, so the ratio is finite; NaN without a parcel, or
        of a single frame.

    Raises:
        ValueError: If shapes don't fit, or a parcel's number is negative.
    """
    check_series(generated, real)
    if parcels.shape != real.shape[2:]:
        raise ValueError(f"found parcels of shape {parcels.shape}, expected {tuple(real.shape[2:])} as frames have")
    if parcels.min() < 0:
        raise ValueError(f"found parcel {parcels.min()}, expected numbers from 1, and 0 for background")
    if len(real) < 2 or not parcels.any():
        return math.nan
    one, other = (max(_deviation(frames, parcels), ROUNDING**0.5) for frames in (generated, real))
    return one / other


def _deviation(frames: Tensor, parcels: NDArray[np.integer]) -> float:
    """Mean standard deviation over time of what parcels' means leave, in reflectance."""
    array, places, nparcels = single(frames).contiguous().numpy(), parcels.astype(np.int64, "C"), int(parcels.max()) + 1
    sums = on_all_cores(lambda band: residual_deviations(array, band, places, nparcels), range(array.shape[1]))
    return sum(sums) / len(sums) / np.count_nonzero(parcels) / 2  # reflectance is half as large


@compiled
def residual_deviations(frames: Array, band: int, parcels: NDArray[np.int64], nparcels: int) -> float:
    """Add up, over the pixels of parcels, the standard deviations over time of a band less its parcels' means.

    Args:
        frames: `(T, C, H, W)`.
        parcels: `(H, W)`, 0 to `nparcels` - 1.
    """
    means = _means(frames, band, parcels, nparcels)
    steps, (height, width) = len(frames), parcels.shape
    deviations = 0.0
    for row in range(height):
        sums, squares = np.zeros(width), np.zeros(width)
        for step in range(steps):
            _add_residuals(frames[step, band, row], means[step], parcels[row], sums, squares)
        for column in range(width):
            if parcels[row, column]:
                variance = squares[column] / steps - (sums[column] / steps) ** 2
                deviations += math.sqrt(max(variance, 0.0))
    return deviations


@compiled
def _means(frames: Array, band: int, parcels: NDArray[np.int64], nparcels: int) -> NDArray[np.float64]:
    """Mean of each parcel at each step: `(T, nparcels)`, 0 for one without pixels."""
    sums, counts = np.zeros((len(frames), nparcels)), np.zeros(nparcels)
    for row in range(len(parcels)):
        for column in range(parcels.shape[1]):
            counts[parcels[row, column]] += 1
        for step in range(len(frames)):
            for column in range(parcels.shape[1]):
                sums[step, parcels[row, column]] += frames[step, band, row, column]
    return sums / np.maximum(counts, 1)


@compiled
def _add_residuals(
    row: Array,
    means: NDArray[np.float64],
    parcels: NDArray[np.int64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    """Add what the parcels' means leave of a row, and its squares."""
    for column in range(row.size):
        residual = row[column] - means[parcels[column]]
        sums[column] += residual
        squares[column] += residual * residual
