"""What experiments share whose network sees whole series."""

import itertools
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeInt, PositiveInt, model_validator
from torch import Tensor

from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.series import Series
from src.rsgan.data.store import Batch
from src.rsgan.experiments.experiment import Experiment, TrainedSettings
from src.rsgan.experiments.utils import losses
from utils.fields import Amount
from utils.scores import Sees

LOG_VARIANCES = (-12.0, 4.0)  # that a network can claim, in network scale


class SeriesExperiment(Experiment):
    """Translates series at once."""

    def fidelity(self, generated: Tensor, target: Tensor) -> Tensor:
        return losses.smooth_l1(generated, target, beta=self.settings.smooth_l1_beta)

    def in_tiles(self, frames: Tensor, times: Tensor) -> Tensor:
        """Run the generator over complete series `(B, T, C, H, W)`, in parts that memory is large enough for."""
        exists = torch.ones_like(times, dtype=torch.bool)
        return in_tiles(
            lambda tile: self.generator(tile, times, exists),
            frames,
            tile=self.settings.tile,
            margin=self.settings.margin,
        )

    @abstractmethod
    def stages(self, series: Batch) -> dict[str, Tensor]:
        """Show what comes of a series `(T, C, H, W)` and what on the way, by title."""

    def pictures(self, series: list[Batch], step: int) -> dict[str, Tensor]:
        every = [{"Source": sample["source"], **self.stages(sample), "Target": sample["target"]} for sample in series]
        return {title: torch.stack([shown[title][step] for shown in every]) for title in every[0]}


class SeriesSettings(TrainedSettings):
    """An experiment whose network is given a whole series and makes a whole series.

    Attributes:
        crops_per_series: windows of each series in a training epoch, of `dataset.crop` pixels.
        reversals: whether windows are shown backwards in time too: more to learn from, unless series have a direction
            that the source doesn't tell.
        smooth_l1_beta: error from which on the loss grows linearly.
        tile: height and width, in pixels, that larger frames are cut into when they are translated.
        margin: pixels of a tile, at each of its sides, that are made for the sake of the others alone.
    """

    crops_per_series: PositiveInt = 1
    reversals: bool = True
    smooth_l1_beta: Amount = 0.1
    tile: PositiveInt = 256
    margin: NonNegativeInt = 32

    sees: ClassVar[Sees] = "series"
    of_series: ClassVar = ("generator",)
    keeps_source: ClassVar[bool] = False  # whether a source begins with the target under clouds

    @model_validator(mode="after")
    def _tiles_advance(self) -> "SeriesSettings":
        if 2 * self.margin >= self.tile:
            raise ValueError(f"margin: found {self.margin}, expected less than half of tile, {self.tile}")
        return self

    def at_once(self, height: int, width: int) -> tuple[int, int]:
        return min(height, self.tile), min(width, self.tile)

    def told(self, dataset: DatasetConfig, networks: Mapping[str, Any]) -> dict[str, Any]:
        alone = all(kind == "none" for kind in networks["generator"].in_time)
        return super().told(dataset, networks) | ({"sees": "frame"} if alone else {})

    def batching(self, dataset: DatasetConfig) -> Series:
        return Series(dataset.crop, self.crops_per_series, self.reversals)


def let_pass(source: Tensor, passing: Tensor, added: Tensor) -> Tensor:
    """Keep as much of the clouded bands, the first of a source `(B, T, C, H, W)`, as a generator lets pass."""
    return added + passing.sigmoid() * source[:, :, : added.shape[2]]


def in_tiles(run: Callable[[Tensor], Tensor], frames: Tensor, *, tile: int, margin: int) -> Tensor:
    """Translate `(…, H, W)` in tiles that overlap.

    Args:
        run: translates `(…, h, w)`.
        tile: largest height and width that is translated at once.
        margin: pixels at each side of a tile, apart from the frame's own sides, of which nothing is kept.
    """
    height, width = frames.shape[-2:]
    rows = []
    for top, upper, lower in _cuts(height, tile, margin):
        row = []
        for left, first, last in _cuts(width, tile, margin):
            made = run(frames[..., top : top + tile, left : left + tile])
            row.append(made[..., upper - top : lower - top, first - left : last - left])
        rows.append(torch.cat(row, dim=-1) if len(row) > 1 else row[0])
    return torch.cat(rows, dim=-2) if len(rows) > 1 else rows[0]


def _cuts(side: int, tile: int, margin: int) -> list[tuple[int, int, int]]:
    """Place tiles along a side: where each begins, and from where to where it is kept."""
    number = max(1, -(-(side - 2 * margin) // (tile - 2 * margin)))
    starts = [round(place * max(side - tile, 0) / max(number - 1, 1)) for place in range(number)]
    between = [(before + tile + after) // 2 for before, after in itertools.pairwise(starts)]
    return list(zip(starts, [0, *between], [*between, side], strict=True))
