"""Pixel series that arrive in chunks: checked, surveyed, sampled and cut into blocks, a part in memory at a time.

Nothing here depends on where one chunk ends and the next begins: only the order of the series matters.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.errors import DataError

Series = NDArray[np.float32]
Labels = NDArray[np.integer]
Chunk = tuple[Series, Labels]
Chunks = Callable[[], Iterator[Chunk]]
FEWEST_CLASSES = 2


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass over all chunks tells, and a sample: uniform, without replacement, in the order of arrival."""

    horizon: int
    nbands: int
    classes: NDArray[np.int64]  # (K,), the labels there are, sorted
    count: int  # of all series
    series: Series  # (S, horizon, nbands), the sample
    indices: NDArray[np.int64]  # (S,), its classes as positions in `classes`


def survey(chunks: Chunks, limit: int, *, rng: np.random.Generator) -> Survey:
    """Look at all series once, and keep a sample of at most `limit` of them.

    Each series draws a random number, and those with the smallest ones are kept: every series has the same chance,
    whatever the size and the place of its chunk.

    Raises:
        DataError: If there are fewer than two classes, chunks differ in shape, or values are not finite.
    """
    shape, count, classes = None, 0, np.empty(0, dtype=np.int64)
    for series, labels in chunks():
        shape = check_series(series, shape)
        if labels.shape != (len(series),) or not np.issubdtype(labels.dtype, np.integer):
            raise DataError(
                f"found labels of shape {labels.shape} and type {labels.dtype} for {len(series)} pixel series, "
                "expected one whole number for each"
            )
        if count == 0:
            kept = np.empty(0), series[:0].astype(np.float32), classes
        kept = _smallest(limit, kept, (rng.random(len(series)), series, labels))
        classes = np.union1d(classes, labels)
        count += len(series)
    if len(classes) < FEWEST_CLASSES:
        raise DataError(
            f"found {count} pixel series of {len(classes)} classes, expected {FEWEST_CLASSES} classes or more; take "
            "more training views, or more pixels of them"
        )
    _, series, labels = kept
    return Survey(*shape, classes, count, series, np.searchsorted(classes, labels))


def _smallest(limit: int, *parts: tuple[NDArray, ...]) -> tuple[NDArray, ...]:
    """Join two sets of (key, series, label) and keep those with the smallest keys, in their order."""
    (keys, series, labels), (new_keys, new_series, new_labels) = parts
    every = np.concatenate([keys, new_keys])
    chosen = np.arange(len(every)) if len(every) <= limit else np.sort(np.argpartition(every, limit - 1)[:limit])
    old, new = chosen[chosen < len(keys)], chosen[chosen >= len(keys)] - len(keys)
    return (
        every[chosen],
        np.concatenate([series[old], new_series[new].astype(np.float32, copy=False)]),
        np.concatenate([labels[old], new_labels[new].astype(np.int64, copy=False)]),
    )


def blocks(chunks: Chunks, size: int) -> Iterator[Chunk]:
    """Cut chunks of any size into blocks of one size; the last one may have fewer series."""
    rest: Chunk | None = None
    for chunk in chunks():
        series, labels = (np.concatenate(pair) for pair in zip(rest, chunk, strict=True)) if rest else chunk
        end = len(series) - len(series) % size
        for start in range(0, end, size):
            yield series[start : start + size], labels[start : start + size]
        rest = (series[end:], labels[end:]) if end < len(series) else None
    if rest:
        yield rest


def check_series(series: NDArray, shape: tuple[int, int] | None = None) -> tuple[int, int]:
    """Make sure that an array holds finite pixel series `(n, horizon, bands)`, of a known horizon and bands if given.

    Returns:
        Horizon and number of bands.

    Raises:
        DataError: If it does not.
    """
    if series.ndim != 3 or 0 in series.shape[1:]:
        raise DataError(
            f"found an array of shape {series.shape}, expected pixel series (number, horizon, bands); reshape it"
        )
    if shape is not None and series.shape[1:] != shape:
        raise DataError(
            f"found pixel series of {series.shape[1]} steps and {series.shape[2]} bands, expected {shape[0]} steps and "
            f"{shape[1]} bands as the classifier was made for; make one from views of this kind"
        )
    if not np.isfinite(series).all():
        raise DataError("found pixel series with missing or infinite values, expected finite ones; fill or drop them")
    return series.shape[1:]
