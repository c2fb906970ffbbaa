"""Pixel series of views: each foreground pixel's values over time, with its class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.rsgan.data.views import View
from src.rsgan.evaluation.classifiers.chunks import Chunk, Chunks, Series
from utils.errors import DataError

BACKGROUND = 0


def class_map(view: View) -> NDArray[np.int16]:
    """Read a view's land cover, which doesn't change with time: `(H, W)`, 0 for background."""
    return view.read(0, "annotation")[..., 1]


@dataclass(frozen=True, eq=False)
class PixelSample:
    """Foreground pixels of some views, and where their series are.

    Attributes:
        places: of each view, `(n,)`: positions of pixels in the flattened frame, ascending.
        labels: of each view, `(n,)`: their classes.
    """

    views: tuple[View, ...]
    places: tuple[NDArray[np.int64], ...]
    labels: tuple[NDArray[np.int64], ...]
    horizon: int
    nbands: int

    def __len__(self) -> int:
        return sum(map(len, self.places))

    @classmethod
    def draw(cls, views: Sequence[View], size: int | None, *, rng: np.random.Generator) -> "PixelSample":
        """Draw foreground pixels, uniformly and without replacement; all if `size` is None or more than there are.

        Raises:
            DataError: If there is no foreground.
        """
        maps = [class_map(view).ravel() for view in views]
        foreground = [np.flatnonzero(classes != BACKGROUND) for classes in maps]
        there = [len(places) for places in foreground]
        if not sum(there):
            raise DataError(f"found no foreground pixel in {len(views)} views, expected land parcels; make them again")
        if size is not None and size < sum(there):
            counts = rng.multivariate_hypergeometric(there, size)
            foreground = [
                np.sort(rng.choice(places, count, replace=False))
                for places, count in zip(foreground, counts, strict=True)
            ]
        labels = [classes[places].astype(np.int64) for classes, places in zip(maps, foreground, strict=True)]
        nbands = views[0].read(0, "target").shape[-1]
        return cls(tuple(views), tuple(foreground), tuple(labels), views[0].features.horizon, nbands)

    def read(self, number: int) -> Chunk:
        """Read the series of one view, frame by frame: `(n, horizon, bands)` in network scale, and `(n,)` classes."""
        view, places = self.views[number], self.places[number]
        series = np.empty((len(places), self.horizon, self.nbands), np.float32)
        for step in range(self.horizon):
            series[:, step] = view.read(step, "target").reshape(-1, self.nbands)[places]
        return series, self.labels[number]

    def __iter__(self) -> Iterator[Chunk]:
        """Read view by view, those without a pixel left out."""
        return (self.read(number) for number in range(len(self.views)) if len(self.places[number]))

    def chunks(self, number: int, folder: Path) -> Chunks:
        """Read everything once, and deliver it in chunks as often as `ReferenceClassifier.fit` wants.

        One chunk's series stay in memory; of several, which go to a file in a folder, one is in memory at a time.
        """
        every = self._in_memory() if number == 1 else self._on_disk(folder / "series")
        labels = np.concatenate(self.labels)
        edges = np.linspace(0, len(self), min(number, len(self)) + 1).round().astype(int)

        def deliver() -> Iterator[Chunk]:
            for start, stop in pairwise(edges):
                yield np.asarray(every[start:stop]), labels[start:stop]

        return deliver

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(n, horizon, bands)` of all series together."""
        return len(self), self.horizon, self.nbands

    def _in_memory(self) -> Series:
        every, end = np.empty(self.shape, np.float32), 0
        for series, labels in self:
            start, end = end, end + len(labels)
            every[start:end] = series
        return every

    def _on_disk(self, path: Path) -> Series:
        """Written, not mapped and filled: a full disk then is an error, where a mapping would kill the process."""
        with path.open("wb") as stream:
            for series, _ in self:
                stream.write(series.data)
        return np.memmap(path, np.float32, mode="r", shape=self.shape)
