"""Pixel series of views: each foreground pixel's values over time, with its class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.rsgan.data.views import View
from src.rsgan.evaluation.classifiers.chunks import Chunk, Chunks
from utils.errors import DataError

BACKGROUND = 0


def class_map(view: View) -> NDArray[np.int16]:
    """Read a view's land cover, which doesn't change with time.

    Args:
        view: the view.

    Returns:
        `(H, W)`: class, 0 for background.

    Raises:
        DataError: If the annotations cannot be read.
    """
    return view.read(0, "annotation")[..., 1]


@dataclass(frozen=True, eq=False)
class PixelSample:
    """Foreground pixels of some views, and where their series are.

    Attributes:
        views: the views.
        places: of each view, `(n,)`: positions of pixels in the flattened frame, ascending.
        labels: of each view, `(n,)`: their classes.
        horizon: time steps of a series.
        nbands: bands of a series.
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
        """Draw foreground pixels, uniformly and without replacement.

        Args:
            views: to draw from.
            size: number of pixels; None, or more than there are, for all.
            rng: a generator.

        Returns:
            The sample.

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
        """Read the series of one view, frame by frame.

        Args:
            number: of the view, from 0.

        Returns:
            `(n, horizon, bands)` float32 in network scale, and `(n,)` classes.

        Raises:
            DataError: If a file is missing, truncated or of another size.
        """
        view, places = self.views[number], self.places[number]
        series = np.empty((len(places), self.horizon, self.nbands), np.float32)
        for step in range(self.horizon):
            series[:, step] = view.read(step, "target").reshape(-1, self.nbands)[places]
        return series, self.labels[number]

    def __iter__(self) -> Iterator[Chunk]:
        """Read view by view, those without a pixel left out."""
        return (self.read(number) for number in range(len(self.views)) if len(self.places[number]))

    def chunks(self, number: int, folder: Path) -> Chunks:
        """Read everything once, and deliver it in chunks as often as wanted.

        Args:
            number: of chunks. With one, the series stay in memory; with more, they go to a file, and one chunk is in
                memory at a time.
            folder: an existing one for that file.

        Returns:
            What `ReferenceClassifier.fit` takes.

        Raises:
            DataError: If a file is missing, truncated or of another size.
            OSError: If the file cannot be written.
        """
        shape = (len(self), self.horizon, self.nbands)
        if number == 1:
            every = np.empty(shape, np.float32)
        else:
            every = np.lib.format.open_memmap(folder / "series.npy", mode="w+", dtype=np.float32, shape=shape)
        end = 0
        for series, labels in self:
            start, end = end, end + len(labels)
            every[start:end] = series
        labels = np.concatenate(self.labels)
        edges = np.linspace(0, len(self), min(number, len(self)) + 1).round().astype(int)

        def deliver() -> Iterator[Chunk]:
            for start, stop in pairwise(edges):
                yield np.asarray(every[start:stop]), labels[start:stop]

        return deliver
