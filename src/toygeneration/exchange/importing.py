"""Real images as latent products: one of a whole scene, or a view for each of its tiles."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml

from src.toygeneration.exchange.filling import fill_gaps, has_value, times_of
from src.toygeneration.exchange.imagery import Imagery, Window
from src.toygeneration.exchange.land_cover import LandCover, Parcels, annotate, find_land_cover
from src.toygeneration.exchange.rasters import Rasters
from src.toygeneration.exchange.settings import ImportConfig
from src.toygeneration.exchange.stacks import ArrayStack, VariableStack
from src.toygeneration.exchange.tiles import Grid, assign, check_split, split_section
from src.toygeneration.export import check_folder, check_output, export, is_product, write
from src.toygeneration.frames import Features, FrameSource, Sample
from src.toygeneration.index import IDENTITY, describe
from utils import memory
from utils.errors import DataError, UsageError
from utils.files import digest_file, new_directory
from utils.identity import Identity, code_version, digest
from utils.number_lists import format_numbers
from utils.tables import write_json

SPLIT = "split.yaml"
NEVER = "since some have none at any date; leave these out by --tile, or correct --nodata and --masks"
# Where no step is whole, by the way of filling.
REMEDY = {"null": "expected some; fill gaps by --fill=linear", "previous": NEVER, "linear": NEVER}


@dataclass(frozen=True)
class Images:
    """What is imported: a scene, its land cover, and how."""

    scene: Imagery
    land_cover: LandCover | None  # None where the images themselves say it
    settings: ImportConfig

    @classmethod
    def open(cls, path: Path, settings: ImportConfig, labels: Path | None, instances: Path | None) -> "Images":
        scene = open_imagery(path, settings)
        if settings.tile and settings.block is None:
            settings = settings.model_copy(update={"block": Grid.of(scene, settings.tile).block})
        brings_labels = labels is None and isinstance(scene, VariableStack) and scene.exported
        land_cover = None if brings_labels else find_land_cover(labels, instances, settings, scene)
        return cls(scene, land_cover, settings)

    @functools.cached_property
    def sources(self) -> list[dict[str, str]]:
        """Fingerprints of the files, which takes reading them."""
        files = {"images": self.scene.files, "labels": self.land_cover.files if self.land_cover else []}
        return [
            {"name": name, "digest": digest([[file.name, digest_file(file)] for file in some])}
            for name, some in files.items()
            if some
        ]

    def provenance(self, number: int, split: str | None, *, shadows: bool) -> dict[str, Any]:
        record = describe(number, self.settings, self.sources, shadows=shadows)
        record["configuration"]["split"] = split
        record["libraries"] = record["libraries"] | {"rasterio": rasterio.__version__}
        names = self.land_cover.names if self.land_cover else ()
        return record | ({"classes": dict(enumerate(names, 1))} if names else {})

    def identity(self) -> Identity:
        return Identity(self.settings.model_dump(mode="json"), data=digest(self.sources), code=code_version(__name__))


def open_imagery(path: Path, settings: ImportConfig) -> Imagery:
    """Open a folder of rasters, a Zarr store, a NetCDF file or an array of NumPy."""
    if path.suffix == ".npy":
        return ArrayStack(path, settings)
    if path.is_dir() and not ((path / ".zgroup").exists() or (path / "zarr.json").exists()):
        return Rasters(path, settings)
    return VariableStack(path, settings)


class ImportedProduct(FrameSource):
    """A latent product of a window of the images, from its samples by time step.

    The number of the view takes the place of a seed, so that each view gets clouds of its own.
    """

    def __init__(
        self, images: Images, samples: Mapping[int, Sample], window: Window, number: int = 0, split: str | None = None
    ) -> None:
        self._images, self._samples, self._split = images, samples, split
        self.seeds, self.steps = (number,), list(samples)
        self.has_shadows = "shadow" in samples[self.steps[0]]
        scene, (rows, columns) = images.scene, window
        self.dates = scene.dates
        self.georeference = scene.georeference and scene.georeference.window(rows.start, columns.start)
        parcels = int(samples[self.steps[0]]["annotation"][..., 0].max())
        size = columns.stop - columns.start, rows.stop - rows.start
        self.features = Features(*size, scene.nbands, scene.horizon, parcels)

    def _make(self, step: int) -> Sample:
        return self._samples[step]

    def provenance(self) -> dict[str, Any]:
        return self._images.provenance(self.seeds[0], self._split, shadows=self.has_shadows)


class Whole(Mapping[int, Sample]):
    """The samples of the whole scene, each read when it is asked for; those of steps with gaps are left out."""

    def __init__(self, images: Images) -> None:
        self._images, self._scene = images, images.scene
        self._parcels = images.land_cover and annotate(*images.land_cover.read(self._scene.whole))
        self._steps = [step for step in self._scene.steps if has_value(self._read(step)["frame"]).all()]

    def _read(self, step: int) -> Sample:
        return self._scene.read(step, self._scene.whole)

    def __getitem__(self, step: int) -> Sample:
        sample = self._read(step)
        return sample if self._parcels is None else sample | {"annotation": self._parcels}

    def __iter__(self) -> Iterator[int]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


class Block:
    """A window of the scene in memory, at all dates, with gaps filled where that is asked for."""

    def __init__(self, images: Images, window: Window) -> None:
        scene, fill = images.scene, images.settings.fill
        self._samples = {step: scene.read(step, window) for step in scene.steps}
        if fill != "null":
            frames = np.stack([sample["frame"] for sample in self._samples.values()])
            fill_gaps(frames, times_of(scene.steps, scene.dates), fill)
            for sample, frame in zip(self._samples.values(), frames, strict=True):
                sample["frame"] = frame
        self._has_value = {step: has_value(sample["frame"]) for step, sample in self._samples.items()}
        self._parcels: Parcels | None = images.land_cover and images.land_cover.read(window)

    def cut(self, tile: Window) -> dict[int, Sample]:
        """The samples of a window within this one, those of steps with gaps left out."""
        samples: dict[int, Sample] = {
            step: {kind: array[tile] for kind, array in sample.items()}
            for step, sample in self._samples.items()
            if self._has_value[step][tile].all()
        }
        if self._parcels is not None and samples:
            instances, classes = self._parcels
            annotation = annotate(None if instances is None else instances[tile], classes[tile])
            for sample in samples.values():
                sample["annotation"] = annotation
        return samples


def import_scene(images: Images, output: Path, *, overwrite: bool, on_step: Callable[[], object] | None = None) -> str:
    """Make one product of the whole scene, and say in words what it is."""
    check_output(output, overwrite=overwrite)
    scene, settings = images.scene, images.settings
    if settings.fill == "null":
        samples: Mapping[int, Sample] = Whole(images)
    else:
        size = 4 * scene.height * scene.width * scene.nbands * len(scene.steps)
        memory.check("--fill", "the whole series, to fill gaps in it,", 2 * size, "cut the scene by --tile")
        samples = Block(images, scene.whole).cut(scene.whole)
    if not samples:
        raise DataError(f"--fill: found no time step at which all pixels have a value, {REMEDY[settings.fill]}")
    product = ImportedProduct(images, samples, scene.whole)
    export({output: product}, overwrite=overwrite, on_step=on_step)
    return f"{len(product.steps)} frames of {_size(product)}"


def _size(product: FrameSource) -> str:
    return f"{product.features.width}x{product.features.height}x{product.features.nbands} (width x height x bands)"


def import_tiles(images: Images, output: Path, *, overwrite: bool, on_tile: Callable[[], object]) -> str:
    """Make a product of each tile that has values, in folders named by their numbers; say in words what there is.

    Beside them are their identity, and their split as a configuration that is laid over an experiment's.
    """
    check_views(output, overwrite=overwrite)
    settings, scene = images.settings, images.scene
    grid = Grid.of(scene, settings.tile)
    split = assign(grid, settings.block, settings.shares, settings.seed)
    made: list[int] = []
    with new_directory(output) as folder:
        for window, tiles in grid.blocks(scene):
            block = Block(images, window)
            for number, tile in tiles.items():
                samples = block.cut(tile)
                if samples:
                    product = ImportedProduct(images, samples, grid.window(number), number, split[number])
                    (folder / str(number)).mkdir()
                    write({folder / str(number): product})
                    made.append(number)
                on_tile()
        if not made:
            raise DataError(f"--fill: found no time step at which any tile has all its pixels, {REMEDY[settings.fill]}")
        split = {number: split[number] for number in sorted(made)}
        check_split(split, settings.shares)
        write_json(folder / IDENTITY, images.identity().record())
        text = yaml.safe_dump(split_section(split), sort_keys=False)
        (folder / SPLIT).write_text(f"# Lay this over an experiment: --cfg={SPLIT}\n{text}", encoding="utf-8")
    counts = Counter(split.values())
    parts = ", ".join(f"{counts[part]} {part or 'between them'}" for part in ("train", "val", "test", None))
    return f"views {format_numbers(split)} of {_size(product)}: {parts}"


def check_views(path: Path, *, overwrite: bool) -> None:
    """Raise `UsageError` if views are there and may not be replaced, or anything else is."""
    check_folder(path)
    found = list(path.iterdir()) if path.exists() else []
    views = [entry for entry in found if re.fullmatch("[0-9]+", entry.name) and is_product(entry)]
    strangers = sorted({entry.name for entry in found} - {entry.name for entry in views} - {IDENTITY, SPLIT})
    if strangers:
        raise UsageError(
            f"{path}: found a folder with {strangers[0]!r} in it, which is never replaced; choose another --o"
        )
    if found and not overwrite:
        raise UsageError(f"{path}: found an earlier import; pass --overwrite to replace it or choose another --o")
    for view in views:
        check_output(view, overwrite=True)
