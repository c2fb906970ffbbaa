"""Pixel series of views: each foreground pixel's values over time, with its class."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.data.datasets import Kind
from src.rsgan.data.views import View
from src.rsgan.evaluation.classifiers import UNKNOWN, FittedClassifier, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import Chunk, Chunks, Labels, Series
from utils.errors import DataError
from utils.identity import Identity
from utils.seeding import Streams

BACKGROUND = 0


def class_map(view: View) -> NDArray[np.int16]:
    """Read a view's land cover, which doesn't change with time: `(H, W)`, 0 for background."""
    return view.read(0, "annotation")[..., 1]


def classify(
    frames: Tensor, classes: Labels, judges: Sequence[FittedClassifier], *, njobs: int
) -> list[NDArray[np.int64]]:
    """Predict land cover from a series `(T, C, H, W)` in network scale: `(H, W)` by each judge; background stays 0.

    Raises:
        DataError: If values are not finite.
    """
    foreground = classes != BACKGROUND
    series = frames.detach().float().cpu().permute(2, 3, 0, 1).numpy()[foreground]  # (T, C, H, W) -> (n, T, C)
    maps = [np.zeros(classes.shape, np.int64) for _ in judges]
    for predicted, judge in zip(maps, judges, strict=True):
        predicted[foreground] = judge.predict(series, njobs=njobs)
    return maps


def classify_real(
    number: int, frames: Tensor, classes: Labels, judges: Sequence[FittedClassifier], *, njobs: int
) -> list[NDArray[np.int64]]:
    """The same from the real series of a test view, numbered from 0: what is known is not done again."""
    unknown = [judge for judge in judges if judge.real_maps is None]
    found = iter(classify(frames, classes, unknown, njobs=njobs) if unknown else [])
    return [next(found) if judge in unknown else judge.real_maps[number].astype(np.int64) for judge in judges]


@dataclass(frozen=True, eq=False)
class PixelSample:
    """Foreground pixels of some views, and where their series are."""

    views: tuple[View, ...]
    places: tuple[NDArray[np.int64], ...]  # of each view, (n,): positions of pixels in the flattened frame, ascending
    labels: tuple[NDArray[np.int64], ...]  # of each view, (n,): their classes
    horizon: int
    nbands: int
    kind: Kind = "target"  # of series

    def __len__(self) -> int:
        return sum(map(len, self.places))

    @classmethod
    def draw(
        cls, views: Sequence[View], size: int | None, *, rng: np.random.Generator, kind: Kind = "target"
    ) -> "PixelSample":
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
        nbands = views[0].read(0, kind).shape[-1]
        return cls(tuple(views), tuple(foreground), tuple(labels), views[0].features.horizon, nbands, kind)

    @classmethod
    def to_learn_from(
        cls, settings: ReferenceClassifier, views: Sequence[View], kind: Kind = "target"
    ) -> "PixelSample":
        """Draw what a classifier learns from: the same pixels, whatever their series are of."""
        rng = Streams((settings.seed,)).rng("pixel series")
        return cls.draw(views, settings.train_set_size, rng=rng, kind=kind)

    def __iter__(self) -> Iterator[Chunk]:
        """Read view by view: series `(n, horizon, bands)` in network scale, and classes `(n,)`; n is at least 1."""
        for view, places, labels in zip(self.views, self.places, self.labels, strict=True):
            if len(places):
                series = np.empty((len(places), self.horizon, self.nbands), np.float32)
                for step in range(self.horizon):
                    series[:, step] = view.read(step, self.kind).reshape(-1, self.nbands)[places]
                yield series, labels

    def fit(self, settings: ReferenceClassifier, *, njobs: int, identity: Identity = UNKNOWN) -> FittedClassifier:
        """Let a classifier learn from these series, in as many chunks as it is set to take them."""
        with tempfile.TemporaryDirectory(prefix="pixel-series-") as folder:
            return settings.fit(self.chunks(settings.n_chunks, Path(folder)), njobs=njobs, identity=identity)

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

    def _in_memory(self) -> Series:
        every, end = np.empty((len(self), self.horizon, self.nbands), np.float32), 0
        for series, labels in self:
            start, end = end, end + len(labels)
            every[start:end] = series
        return every

    def _on_disk(self, path: Path) -> Series:
        """Written, not mapped and filled: a full disk then is an error, where a mapping would kill the process."""
        with path.open("wb") as stream:
            for series, _ in self:
                stream.write(series.data)
        return np.memmap(path, np.float32, mode="r", shape=(len(self), self.horizon, self.nbands))
