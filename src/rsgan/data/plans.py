"""Which frames make up which batch: pure functions of the epoch's random stream."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.rsgan.data.views import ViewShape

Index = NDArray[np.int64]


class BatchIndex(NamedTuple):
    """One batch: the index of its frames, `view * horizon + step`, and whether they are the first of their series."""

    index: Index
    first: bool

    @property
    def samples(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Frames:
    """Batches of frames: see `plan_epoch`."""

    in_time_order: bool = False
    per_series: int | None = None

    def plan(
        self, views: int, shape: ViewShape, batch_size: int, rng: np.random.Generator | None
    ) -> list[list[BatchIndex]]:
        per_series = None if rng is None else self.per_series
        order = self.in_time_order
        return plan_epoch(views, shape.horizon, batch_size, in_time_order=order, per_series=per_series, rng=rng)

    def context(self, step: int, horizon: int) -> slice:
        """Of a series, what must be known to translate one step."""
        return slice(0 if self.in_time_order else step, step + 1)


def plan_epoch(
    views: int,
    horizon: int,
    batch_size: int,
    *,
    in_time_order: bool = False,
    per_series: int | None = None,
    rng: np.random.Generator | None = None,
) -> list[list[BatchIndex]]:
    """Plan batches, as equal as they can be, in groups that must stay together: each begins with a `first`.

    Args:
        in_time_order: whether a group runs through at most `batch_size` series, each batch holding one time step of
            all; otherwise, each batch holds frames on their own, and is a group by itself.
        per_series: equally spaced frames taken of each series, from a start drawn for each; None for all.
        rng: shuffles series or frames and draws starts; without it, they come in order.
    """
    index = np.arange(views)[:, None] * horizon + _spaced_steps(views, horizon, per_series, rng)  # (views, per_series)
    rows = index if in_time_order else index.reshape(-1, 1)
    rows = rows if rng is None else rng.permutation(rows)
    groups = np.array_split(rows, -(-len(rows) // batch_size))
    return [[BatchIndex(group[:, step], first=step == 0) for step in range(group.shape[1])] for group in groups]


def _spaced_steps(views: int, horizon: int, per_series: int | None, rng: np.random.Generator | None) -> Index:
    """Choose equally spaced time steps of each series: `(views, per_series)`, ascending along rows.

    None, or more than there are, is all; without `rng`, which draws where each series starts, it is at its first step.
    """
    number = min(per_series or horizon, horizon)
    stride = horizon // number
    room = horizon - stride * (number - 1)
    starts = np.zeros(views, np.int64) if rng is None else rng.integers(room, size=views)
    return starts[:, None] + stride * np.arange(number)


def share(groups: list[list[BatchIndex]], rank: int, world: int, *, equal: bool) -> list[BatchIndex]:
    """Deal a plan out to processes that train together, group by group.

    If all must get `equal` numbers of batches (in training, where they wait for each other), what is left over is
    dropped. Otherwise a process for which nothing is left does the part of another again.
    """
    if equal:
        groups = groups[: len(groups) // world * world]
    mine = groups[rank::world] or ([] if equal else [groups[rank % len(groups)]])
    return [batch for group in mine for batch in group]
