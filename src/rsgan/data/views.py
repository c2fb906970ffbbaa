"""Views on disk: scenes seen through several products that share size and land cover."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from src.rsgan.data.datasets import DatasetConfig, Kind
from src.toygeneration.export import ProductDataset
from src.toygeneration.frames import Mask
from utils.config import join
from utils.errors import DataError
from utils.files import natural

SHOWN = 5  # views named in an error
MIDDLE = np.float32(0.5)  # the reflectance that is 0 in network scale
Values = TypeVar("Values")
Estimate = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # of opacity (H, W) from values (H, W, C)


@dataclass(frozen=True)
class ViewShape:
    """What all views of a data set agree on.

    Attributes:
        steps: the time steps at which the target has a frame.
        nbands: number of bands of each product.
    """

    height: int
    width: int
    steps: tuple[int, ...]
    nbands: dict[str, int]

    @property
    def horizon(self) -> int:
        return len(self.steps)

    @property
    def times(self) -> NDArray[np.float32]:
        return np.array(self.steps, np.float32)

    def __str__(self) -> str:
        bands = ", ".join(f"{name} {number}" for name, number in self.nbands.items())
        return f"{self.width}x{self.height} pixels (width x height), {self.horizon} time steps, bands: {bands}"


class View:
    """One view, or as many of its products as are there. Its time steps are those of the target.

    Other products may lack some, at which their sensor saw nothing: they then stand for frames of zeros in network
    scale under clouds of opacity 1. Where the target isn't there, steps are those at which any product has a frame.

    Raises:
        DataError: If its products differ in size, or one has no frame at any of the target's steps.
    """

    def __init__(self, name: str, products: Mapping[str, ProductDataset], config: DatasetConfig) -> None:
        self.name, self._products, self._config = name, products, config
        sizes = {name: (item.features.width, item.features.height) for name, item in self._products.items()}
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{name} {width}x{height}" for name, (width, height) in sizes.items())
            raise DataError(f"products differ in size ({found}); make the view again")
        self._seen = {name: frozenset(product.steps) for name, product in self._products.items()}
        steps = self._seen.get(config.target) or frozenset.union(*self._seen.values())
        for name, seen in self._seen.items():
            if seen.isdisjoint(steps):
                raise DataError(
                    f"{name} has no frame at any of the time steps of the target, {config.target}; make the view again"
                )
        width, height = next(iter(sizes.values()))
        nbands = {name: product.features.nbands for name, product in self._products.items()}
        self.features = ViewShape(height, width, tuple(sorted(steps)), nbands)

    def estimating(self, estimate: Estimate) -> Self:
        """Make the same view, whose opacity, where it has to be estimated, is so from values of clouded frames."""
        other = copy.copy(self)
        other._estimate = estimate
        return other

    def read(self, number: int, kind: Kind) -> NDArray[np.generic]:
        """Read one array of one time step, numbered from 0 among those of the target.

        Returns:
            `source`, `target` or `clouded`: `(H, W, C)` float32 in network scale, nominally in [-1, 1]; `annotation`:
            `(H, W, 2)` int16; `cloud`: `(H, W, 1)` float32 in [0, 1], 0 where there are no clouds; `shadow`: likewise,
            the share of the ground's light that their shadows take; `opacity`: what a method is told of `cloud`.

        Raises:
            DataError: If a file is missing, truncated, of another size, or holds what it must not.
        """
        step = self.features.steps[number]
        try:
            return self._read(step, kind)
        except DataError as error:
            raise DataError(f"view {self.name}, step {step}: {error}") from error

    def _read(self, step: int, kind: Kind) -> NDArray[np.generic]:
        if kind == "annotation":
            return self._products[self._config.target].annotation(step)
        if kind in ("cloud", "shadow"):
            return self._mask(step, kind)[..., None]
        if kind == "opacity":
            if self._config.opacity == "exact" or step not in self._seen[self._config.clouds]:
                return self._read(step, "cloud")
            return self._estimate(self._read(step, "clouded"))[..., None]
        products = {"source": self._config.sources, "target": (self._config.target,), "clouded": (self._config.clouds,)}
        frames = [self._frame(step, name) for name in products[kind]]
        if kind == "source" and self._config.opacity != "none":
            frames.append(self._read(step, "opacity"))
        frame = np.concatenate(frames, axis=2) if len(frames) > 1 else frames[0]
        return to_network_scale(frame)

    def _frame(self, step: int, name: str) -> NDArray[np.float32]:
        if step in self._seen[name]:
            return self._products[name].frame(step)
        shape = self.features.height, self.features.width, self.features.nbands[name]
        return np.full(shape, MIDDLE, np.float32)

    def _mask(self, step: int, kind: Mask) -> NDArray[np.float32]:
        shape, product = (self.features.height, self.features.width), self._products.get(self._config.clouds)
        if product is not None and step not in self._seen[self._config.clouds]:
            return np.full(shape, kind == "cloud", np.float32)
        if product is None or not (product.has_clouds if kind == "cloud" else product.has_shadows):
            return np.zeros(shape, np.float32)
        return product.cloud(step) if kind == "cloud" else product.shadow(step)

    def clouded_numbers(self) -> list[int]:
        """Number the time steps, as `read` does, at which the product that says where clouds are has a frame."""
        seen = self._seen[self._config.clouds]
        return [number for number, step in enumerate(self.features.steps) if step in seen]

    @property
    def is_held_out(self) -> bool:
        """Whether what the target shows are time series that were held out when it was generated."""
        return self._products[self._config.target].is_held_out

    def provenance(self) -> dict[str, object]:
        """Say how each product came about, by name."""
        return {name: product.provenance() for name, product in self._products.items()}


def to_network_scale(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map reflectance, nominally in [0, 1], to what networks work on, nominally in [-1, 1]: `(x - 0.5) / 0.5`."""
    return (frame - MIDDLE) / np.float32(0.5)


def to_reflectance(frames: Values) -> Values:
    """Undo `to_network_scale`, of an array or a tensor."""
    return (frames + 1) / 2


def open_views(config: DatasetConfig, *, same_steps: bool = True) -> dict[str, View]:
    """Open all views of a data set by name, in natural order; hidden folders are none.

    Args:
        same_steps: whether they must have the same time steps.

    Raises:
        DataError: If there are none, or naming every view that lacks a product or disagrees with the others.
    """
    root = Path(config.root)
    if not root.is_dir():
        raise DataError(f"dataset.root: {root}: no such folder; build the data set or correct the path")
    folders = [entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    views, problems = {}, []
    for folder in sorted(folders, key=lambda entry: natural(entry.name)):
        try:
            products = {name: ProductDataset(folder / name) for name in config.products}
            views[folder.name] = View(folder.name, products, config)
        except DataError as error:
            problems.append(f"view {folder.name}: {error}")
    ignored = {} if same_steps else {"steps": ()}
    shapes = {name: replace(view.features, **ignored) for name, view in views.items()}
    usual = max(shapes, key=lambda name: [*shapes.values()].count(shapes[name]), default=None)
    problems += [
        f"view {name}: found {views[name].features}, expected what most views have: {views[usual].features}; make it "
        "again or move it away"
        for name, shape in shapes.items()
        if shape != shapes[usual]
    ]
    if problems:
        more = [f"and {len(problems) - SHOWN} more views"] if len(problems) > SHOWN else []
        raise DataError(f"dataset.root: {root}: {join([*problems[:SHOWN], *more])}")
    if not views:
        expected = ", ".join(config.products)
        raise DataError(
            f"dataset.root: {root}: found no views, expected folders that hold {expected}; build the data set"
        )
    return views
