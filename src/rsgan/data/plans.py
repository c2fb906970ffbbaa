"""Which frames make up which batch: pure functions of the epoch's random stream."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


class Batch(NamedTuple):
    """One batch of a plan.

    Attributes:
        index: of its frames: `view * horizon + step`.
        first: whether it holds the first frames of their series.
    """

    index: Index
    first: bool


def frame_plan(
    views: int, horizon: int, batch_size: int, *, per_series: int | None = None, rng: np.random.Generator | None = None
) -> list[Batch]:
    """Plan batches of frames on their own.

    Args:
        views: number of series.
        horizon: time steps of each.
        batch_size: most frames to a batch; batches are as equal as they can be.
        per_series: equally spaced frames taken of each series, from a start drawn for each; None for all.
        rng: shuffles frames and draws starts; without it, frames come in order.

    Returns:
        The batches.
    """
    index = np.arange(views)[:, None] * horizon + spaced_steps(views, horizon, per_series, rng)  # (views, per_series)
    frames = index.ravel()
    return [Batch(part, first=True) for part in _parts(frames if rng is None else rng.permutation(frames), batch_size)]


def series_plan(
    views: int, horizon: int, batch_size: int, *, per_series: int | None = None, rng: np.random.Generator | None = None
) -> list[Batch]:
    """Plan batches that run through series in time order: each holds one time step of the same series.

    Args:
        views: number of series.
        horizon: time steps of each.
        batch_size: most series to a batch; groups are as equal as they can be.
        per_series: equally spaced steps taken of each series, from a start drawn for each; None for all.
        rng: shuffles series and draws starts; without it, series come in order.

    Returns:
        The batches; `first` where a group of series begins.
    """
    index = np.arange(views)[:, None] * horizon + spaced_steps(views, horizon, per_series, rng)
    groups = _parts(index if rng is None else rng.permutation(index), batch_size)
    return [Batch(group[:, step], first=step == 0) for group in groups for step in range(group.shape[1])]


def spaced_steps(views: int, horizon: int, per_series: int | None, rng: np.random.Generator | None) -> Index:
    """Choose equally spaced time steps of each series.

    Args:
        views: number of series.
        horizon: time steps of each.
        per_series: number of steps chosen; None or more than there are for all.
        rng: draws where each series starts; without it, each starts at its first step.

    Returns:
        `(views, per_series)`, ascending along rows.
    """
    number = min(per_series or horizon, horizon)
    stride = horizon // number
    room = horizon - stride * (number - 1)
    starts = np.zeros(views, np.int64) if rng is None else rng.integers(room, size=views)
    return starts[:, None] + stride * np.arange(number)


def _parts(items: Index, batch_size: int) -> list[Index]:
    return np.array_split(items, -(-len(items) // batch_size))


def share(batches: list[Batch], rank: int, world: int, *, equal: bool) -> list[Batch]:
    """Deal a plan out to processes that train together, keeping series whole.

    Args:
        batches: the plan of all.
        rank: number of this process.
        world: number of processes.
        equal: whether all must get the same number of batches (in training, where they wait for each other); then
            what is left over is dropped. Otherwise a process for which nothing is left does the part of another again.

    Returns:
        This process's batches.
    """
    groups = _groups(batches)
    if equal:
        groups = groups[: len(groups) // world * world]
    mine = groups[rank::world] or ([] if equal else [groups[rank % len(groups)]])
    return [batch for group in mine for batch in group]


def _groups(batches: Iterable[Batch]) -> list[list[Batch]]:
    """Runs of batches that belong together: each begins with a `first`."""
    groups: list[list[Batch]] = []
    for batch in batches:
        if batch.first:
            groups.append([])
        groups[-1].append(batch)
    return groups
