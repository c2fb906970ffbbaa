"""Which frames make up which batch: pure functions of the epoch's random stream."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


class BatchIndex(NamedTuple):
    """One batch: the index of its frames, `view * horizon + step`, and whether they are the first of their series."""

    index: Index
    first: bool


def frame_plan(
    views: int, horizon: int, batch_size: int, *, per_series: int | None = None, rng: np.random.Generator | None = None
) -> list[BatchIndex]:
    """Plan batches of frames on their own, as equal as they can be.

    Args:
        per_series: equally spaced frames taken of each series, from a start drawn for each; None for all.
        rng: shuffles frames and draws starts; without it, frames come in order.
    """
    index = np.arange(views)[:, None] * horizon + spaced_steps(views, horizon, per_series, rng)  # (views, per_series)
    frames = index.ravel()
    return [
        BatchIndex(part, first=True) for part in _parts(frames if rng is None else rng.permutation(frames), batch_size)
    ]


def series_plan(
    views: int, horizon: int, batch_size: int, *, per_series: int | None = None, rng: np.random.Generator | None = None
) -> list[BatchIndex]:
    """Plan batches that run through series in time order: each holds one time step of the same series.

    Arguments are those of `frame_plan`; a batch has at most `batch_size` series, and is `first` where a group of series
    begins.
    """
    index = np.arange(views)[:, None] * horizon + spaced_steps(views, horizon, per_series, rng)
    groups = _parts(index if rng is None else rng.permutation(index), batch_size)
    return [BatchIndex(group[:, step], first=step == 0) for group in groups for step in range(group.shape[1])]


def spaced_steps(views: int, horizon: int, per_series: int | None, rng: np.random.Generator | None) -> Index:
    """Choose equally spaced time steps of each series: `(views, per_series)`, ascending along rows.

    None, or more than there are, is all; without `rng`, which draws where each series starts, it is at its first step.
    """
    number = min(per_series or horizon, horizon)
    stride = horizon // number
    room = horizon - stride * (number - 1)
    starts = np.zeros(views, np.int64) if rng is None else rng.integers(room, size=views)
    return starts[:, None] + stride * np.arange(number)


def _parts(items: Index, batch_size: int) -> list[Index]:
    return np.array_split(items, -(-len(items) // batch_size))


def share(batches: list[BatchIndex], rank: int, world: int, *, equal: bool) -> list[BatchIndex]:
    """Deal a plan out to processes that train together, keeping series whole.

    If all must get `equal` numbers of batches (in training, where they wait for each other), what is left over is
    dropped. Otherwise a process for which nothing is left does the part of another again.
    """
    groups = _groups(batches)
    if equal:
        groups = groups[: len(groups) // world * world]
    mine = groups[rank::world] or ([] if equal else [groups[rank % len(groups)]])
    return [batch for group in mine for batch in group]


def _groups(batches: Iterable[BatchIndex]) -> list[list[BatchIndex]]:
    """Runs of batches that belong together: each begins with a `first`."""
    groups: list[list[BatchIndex]] = []
    for batch in batches:
        if batch.first:
            groups.append([])
        groups[-1].append(batch)
    return groups
