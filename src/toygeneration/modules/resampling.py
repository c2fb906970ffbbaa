"""Separable resampling: what distortion and point spread function do to frames, one sparse matrix per axis.

Both are linear, static and separable, so they are computed once and combined into one matrix for the rows and
one for the columns; a frame is then a gather and a weighted sum.
"""

import functools
import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from src.toygeneration.frames import Frame, Labels


@dataclass(frozen=True)
class AxisMap:
    """Where the pixels along one axis come from."""

    weights: csr_array  # `(output size, input size)`; each row sums to 1
    nearest: NDArray[np.intp]  # for each output pixel the index of the nearest input pixel

    @classmethod
    def from_coordinates(cls, coordinates: NDArray[np.float64], size: int) -> "AxisMap":
        """Interpolate linearly between `size` pixels, at coordinates in pixels; beyond the ends, repeat them."""
        inside = np.clip(coordinates, 0, size - 1)
        left = np.minimum(inside.astype(np.intp), max(size - 2, 0))
        right = np.minimum(left + 1, size - 1)
        share = inside - left
        rows = np.arange(len(inside))
        entries = (np.r_[1 - share, share], (np.r_[rows, rows], np.r_[left, right]))
        nearest = np.floor(inside + 0.5).astype(np.intp)
        return cls(csr_array(entries, shape=(len(inside), size)), nearest)


def chain(first: csr_array | None, second: csr_array | None) -> csr_array | None:
    """Combine two resamplings of one axis, each of which may be None, into one matrix in single precision."""
    present = [matrix for matrix in (second, first) if matrix is not None]
    return csr_array(functools.reduce(operator.matmul, present)).astype(np.float32) if present else None


def resample(image: Frame, rows: csr_array | None, columns: csr_array | None) -> Frame:
    """Resample an image `(H, W)` or `(H, W, C)` by matrices `(h, H)` and `(w, W)`; None leaves an axis as it is."""
    if rows is not None:
        flat = image.reshape(len(image), -1)  # (H, W * C)
        image = (rows @ flat).reshape(rows.shape[0], *image.shape[1:])  # (h, W, C)
    if columns is not None:
        turned = _turn(image)  # (W, h, C)
        made = columns @ turned.reshape(len(turned), -1)  # (w, h * C)
        image = _turn(made.reshape(columns.shape[0], *turned.shape[1:]))  # (h, w, C)
    return image


def _turn(image: Frame) -> Frame:
    """Swap rows and columns, band by band: a copy of long strides is three times as fast as one of short runs."""
    turned = np.empty((image.shape[1], image.shape[0], *image.shape[2:]), image.dtype)
    for band in np.ndindex(image.shape[2:]):
        turned[:, :, *band] = image[:, :, *band].T
    return turned


def majority(labels: Labels, block_height: int, block_width: int) -> Labels:
    """Take the most frequent label of each block, the smallest on a tie: `(H, W)` to `(H / height, W / width)`."""
    from scipy.stats import mode  # slow to import, and only used where there is aggregation

    height, width = labels.shape[0] // block_height, labels.shape[1] // block_width
    blocks = labels.reshape(height, block_height, width, block_width).swapaxes(1, 2).reshape(height, width, -1)
    winner = blocks[..., 0].copy()
    mixed = (blocks != winner[..., None]).any(axis=-1)  # few: pixels along the borders of parcels
    winner[mixed] = mode(blocks[mixed], axis=-1).mode
    return winner
