"""Batches of whole series: windows of them, turned and mirrored, and reversed in time."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.data.plans import Index
from src.rsgan.data.views import ViewShape
from utils.errors import ConfigError


class SeriesIndex(NamedTuple):
    """A batch of series: of which views, and what of each is shown, and how. One entry a series, `(B,)`, or two.

    Attributes:
        views: numbers of the views.
        corners: `(B, 2)`, first row and column of a window.
        size: height and width of all windows.
        turns: quarter turns of the window, counterclockwise.
        mirrored: whether it is mirrored, left to right, afterwards.
        reversed: whether it goes backwards in time.
    """

    views: Index
    corners: Index
    size: tuple[int, int]
    turns: Index
    mirrored: NDArray[np.bool_]
    reversed: NDArray[np.bool_]

    @property
    def samples(self) -> int:
        return len(self.views)


@dataclass(frozen=True)
class Series:
    """Batches of series: see `plan_series`."""

    crop: int | None = None
    per_series: int = 1
    reversals: bool = True

    def plan(
        self, views: int, shape: ViewShape, batch_size: int, rng: np.random.Generator | None
    ) -> list[list[SeriesIndex]]:
        smaller = min(shape.height, shape.width)
        if self.crop is not None and self.crop > smaller:
            raise ConfigError(
                f"dataset.crop: found {self.crop}, expected at most {smaller}, the smaller side of frames"
            )
        size = shape.height, shape.width
        return plan_series(
            views, size, batch_size, crop=self.crop, per_series=self.per_series, reversals=self.reversals, rng=rng
        )

    def context(self, step: int, horizon: int) -> slice:
        """Of a series, what must be known to translate one step."""
        return slice(0, horizon)


def plan_series(
    views: int,
    size: tuple[int, int],
    batch_size: int,
    *,
    crop: int | None = None,
    per_series: int = 1,
    reversals: bool = True,
    rng: np.random.Generator | None = None,
) -> list[list[SeriesIndex]]:
    """Plan batches, as equal as they can be, each a group of its own; see `plans.plan_epoch`.

    Args:
        size: height and width of the frames.
        crop: height and width of the windows; None for whole frames.
        per_series: windows of each series.
        reversals: whether every other window, by chance, goes backwards in time.
        rng: shuffles series, and draws windows, turns, mirrors and directions in time; without it, whole series come in
            order, one a batch.
    """
    if rng is None:
        nothing, every = np.zeros(1, np.int64), np.arange(views)[:, None]
        never = nothing.astype(bool)
        return [[SeriesIndex(view, nothing[:, None].repeat(2, 1), size, nothing, never, never)] for view in every]
    order = rng.permutation(np.repeat(np.arange(views), per_series))
    window = size if crop is None else (crop, crop)
    corners = rng.integers(np.subtract(size, window) + 1, size=(len(order), 2))
    halves = 1 if window[0] == window[1] else 2  # a quarter turn would change the shape of others
    turns = rng.integers(4 // halves, size=len(order)) * halves
    mirrored, backwards = rng.integers(2, size=(2, len(order))).astype(bool)
    backwards &= reversals
    groups = np.array_split(np.arange(len(order)), -(-len(order) // batch_size))
    return [
        [SeriesIndex(order[group], corners[group], window, turns[group], mirrored[group], backwards[group])]
        for group in groups
    ]


def transformed(frames: Tensor, batch: SeriesIndex, number: int) -> Tensor:
    """Turn, mirror and reverse the window `(T, H, W, …)` of one series of a batch."""
    frames = torch.rot90(frames, int(batch.turns[number]), (1, 2))
    flipped = [0] * bool(batch.reversed[number]) + [2] * bool(batch.mirrored[number])
    return frames.flip(flipped) if flipped else frames


def padded(series: Tensor, horizon: int) -> Tensor:
    """Add zeros behind a series of fewer steps than others."""
    missing = series.new_zeros((horizon - len(series), *series.shape[1:]))
    return torch.cat([series, missing]) if len(missing) else series
