"""Views on disk: scenes seen through several products that share size, time steps and land cover."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.rsgan.data.datasets import DatasetConfig, Kind
from src.toygeneration.export import ProductDataset
from utils.config import join
from utils.errors import DataError
from utils.files import natural

SHOWN = 5  # views named in an error


@dataclass(frozen=True)
class Features:
    """What all views of a data set agree on.

    Attributes:
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        steps: the time steps at which every product has a frame.
        nbands: bands of each product.
    """

    height: int
    width: int
    steps: tuple[int, ...]
    nbands: tuple[tuple[str, int], ...]

    @property
    def horizon(self) -> int:
        """Number of time steps that can be used."""
        return len(self.steps)

    def __str__(self) -> str:
        bands = ", ".join(f"{name} {number}" for name, number in self.nbands)
        return f"{self.width}x{self.height} pixels (width x height), {self.horizon} common time steps, bands: {bands}"


class View:
    """One view.

    Args:
        folder: of its products.
        config: which of them are source and target.

    Raises:
        DataError: If a product is missing or malformed, or its products differ in size.
    """

    def __init__(self, folder: Path, config: DatasetConfig) -> None:
        self._config = config
        self._products = {name: ProductDataset(folder / name) for name in config.products()}
        sizes = {name: (item.features.width, item.features.height) for name, item in self._products.items()}
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{name} {width}x{height}" for name, (width, height) in sizes.items())
            raise DataError(f"{folder}: products differ in size ({found}); make the view again")
        steps = set.intersection(*(set(product.steps) for product in self._products.values()))
        if not steps:
            raise DataError(f"{folder}: there is no time step at which every product has a frame; make the view again")
        width, height = next(iter(sizes.values()))
        nbands = tuple((name, product.features.nbands) for name, product in self._products.items())
        self.features = Features(height, width, tuple(sorted(steps)), nbands)

    def read(self, number: int, kind: Kind) -> NDArray[np.generic]:
        """Read one array of one time step.

        Args:
            number: among the steps at which every product has a frame, from 0.
            kind: what to read.

        Returns:
            `source` or `target`: `(H, W, C)` float32 in network scale, nominally in [-1, 1]; `annotation`:
            `(H, W, 2)` int16; `cloud`: `(H, W, 1)` float32 in [0, 1], 0 where the product has no clouds.

        Raises:
            DataError: If a file is missing, truncated or of another size.
        """
        step, config = self.features.steps[number], self._config
        if kind == "annotation":
            return self._products[config.target].annotation(step)
        if kind == "cloud":
            return self._cloud(self._products[config.clouds], step)
        names = config.sources if kind == "source" else (config.target,)
        frames = [self._products[name].frame(step) for name in names]
        frame = np.concatenate(frames, axis=2) if len(frames) > 1 else frames[0]
        return to_network_scale(frame)

    def _cloud(self, product: ProductDataset, step: int) -> NDArray[np.float32]:
        if product.has_clouds:
            return product.cloud(step)[..., None]
        return np.zeros((self.features.height, self.features.width, 1), np.float32)

    def provenance(self) -> dict[str, object]:
        """Say how its products came about.

        Returns:
            The provenance of each product, by name.
        """
        return {name: product.provenance() for name, product in self._products.items()}


def to_network_scale(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map reflectance to what networks work on: `(x - 0.5) / 0.5`.

    Args:
        frame: reflectance-like, nominally in [0, 1].

    Returns:
        The same shape, nominally in [-1, 1].
    """
    return (frame - np.float32(0.5)) / np.float32(0.5)


def open_views(config: DatasetConfig) -> dict[str, View]:
    """Open all views of a data set, in natural order of their names.

    Args:
        config: the `dataset` section.

    Returns:
        The views by name.

    Raises:
        DataError: If there are none, or naming every view that lacks a product or disagrees with the others.
    """
    root = Path(config.root)
    if not root.is_dir():
        raise DataError(f"dataset.root: {root}: no such folder; build the data set or correct the path")
    folders = sorted((entry for entry in root.iterdir() if _is_view(entry)), key=lambda entry: natural(entry.name))
    views, problems = {}, []
    for folder in folders:
        try:
            views[folder.name] = View(folder, config)
        except DataError as error:
            problems.append(f"view {folder.name}: {error}")
    problems += _disagreements(views)
    if problems:
        more = [f"and {len(problems) - SHOWN} more views"] if len(problems) > SHOWN else []
        raise DataError(f"dataset.root: {root}: {join([*problems[:SHOWN], *more])}")
    if not views:
        expected = ", ".join(config.products())
        raise DataError(
            f"dataset.root: {root}: found no views, expected folders that hold {expected}; build the data set"
        )
    return views


def _is_view(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.startswith(".")


def _disagreements(views: dict[str, View]) -> list[str]:
    """Describe the views that differ from most."""
    if not views:
        return []
    usual, _ = Counter(view.features for view in views.values()).most_common(1)[0]
    return [
        f"view {name}: found {view.features}, expected what most views have: {usual}; make it again or move it away"
        for name, view in views.items()
        if view.features != usual
    ]
