"""Series of rasters, such as GeoTIFFs, one or several files for each date."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window as RasterWindow

from src.toygeneration.exchange.georeferencing import from_gdal, quiet, to_gdal
from src.toygeneration.exchange.imagery import Imagery, Window
from src.toygeneration.exchange.names import Image, find_images
from src.toygeneration.exchange.settings import ImportConfig
from src.toygeneration.frames import Georeference, Sample
from utils.errors import DataError, UsageError
from utils.files import natural
from utils.reading import regular_file

CACHE = 64  # MB that GDAL may keep of files: windows are read once


@contextlib.contextmanager
def opened(file: Path) -> Iterator[DatasetReader]:
    regular_file(file, "a raster, such as a GeoTIFF")
    try:
        with quiet(), rasterio.Env(GDAL_CACHEMAX=CACHE), rasterio.open(file) as dataset:
            yield dataset
    except RasterioError as error:
        raise DataError(f"{file}: cannot be read as a raster ({error}); replace it") from error


def read_window(dataset: DatasetReader | WarpedVRT, bands: list[int], window: Window) -> NDArray[np.generic]:
    """Read values `(h, w, C)`."""
    return dataset.read(bands, window=RasterWindow.from_slices(*window)).transpose(1, 2, 0)


class Rasters(Imagery):
    """Rasters of one size and place, found by their names; each date has one with all bands, or one for each band."""

    def __init__(self, folder: Path, settings: ImportConfig) -> None:
        super().__init__(settings)
        if settings.pattern is None:
            raise UsageError(f"{folder}: found a folder, and no --pattern, such as --pattern='S2_{{date:%Y%m%d}}*.tif'")
        images = find_images(folder, settings.pattern)
        self._layers = [self._choose(image, images[0]) for image in images]
        steps = [image.step for image in images]
        self.steps = tuple(range(len(images))) if None in steps else tuple(steps)
        self.horizon = self.steps[-1] + 1
        if images[0].date:
            dates = dict(zip(self.steps, (image.date for image in images), strict=True))
            self.dates = tuple(dates.get(step) for step in range(self.horizon))
        self._masks = self._pair(folder, images)
        self.files = [file for layers in self._layers for file, _ in layers] + [mask for mask in self._masks if mask]
        self._agree()

    def _choose(self, image: Image, first: Image) -> list[tuple[Path, list[int]]]:
        """The files of an image, each with the numbers of its bands, which must be those of the first one."""
        wanted = self._settings.bands
        if "" in image.files:
            file = image.files[""]
            with opened(file) as dataset:
                known = [str(number) for number in dataset.indexes]
            self._check_bands(file, known)
            return [(file, [int(band) for band in wanted or known])]
        known = sorted(image.files, key=natural)
        self._check_bands(image.files[known[0]], known)
        if wanted is None and image.files.keys() != first.files.keys():
            found, expected = (", ".join(sorted(names, key=natural)) for names in (image.files, first.files))
            raise DataError(f"{image.files[known[0]]}: found bands {found}, expected {expected}; choose by --bands")
        return [(image.files[band], [1]) for band in wanted or known]

    def _pair(self, folder: Path, images: list[Image]) -> list[Path | None]:
        """The mask of each image: that of the same date or step."""
        if self._settings.masks is None:
            return [None] * len(images)
        waiting = find_images(folder, self._settings.masks, "--masks")
        masks = []
        for image in images:
            found = next((mask for mask in waiting if mask.is_of(image)), None)
            if found is None:
                raise DataError(f"{next(iter(image.files.values()))}: found no mask of its date by --masks; add it")
            waiting.remove(found)
            masks.append(next(iter(found.files.values())))
        return masks

    def _agree(self) -> None:
        """Take size and place from the first file, and make sure that all have the same."""
        first = self._layers[0][0][0]
        for layers in self._layers:
            nbands = sum(len(bands) for _, bands in layers)
            if nbands != sum(len(bands) for _, bands in self._layers[0]):
                raise DataError(
                    f"{layers[0][0]}: found {nbands} bands, expected as many as {first} has; choose --bands"
                )
            for file, _ in layers:
                with opened(file) as dataset:
                    found = (dataset.height, dataset.width), from_gdal(dataset.crs, dataset.transform)
                    if file == first:
                        (self.height, self.width), self.georeference = found
                        self.block, self.nbands = dataset.block_shapes[0], nbands
                _compare(file, found, ((self.height, self.width), self.georeference), first)

    def read(self, step: int, window: Window) -> Sample:
        number = self.steps.index(step)
        mask = None
        if self._masks[number]:
            with aligned(self._masks[number], self, "mask") as dataset:
                mask = read_window(dataset, [1], window)[..., 0]
        frames = []
        for file, bands in self._layers[number]:
            with opened(file) as dataset:
                frames.append(self._to_reflectance(read_window(dataset, bands, window), dataset.nodata, mask, file))
        if len(frames) == 1:
            return {"frame": frames[0]}
        frame = np.concatenate(frames, axis=2)
        frame[np.isnan(frame).any(axis=2)] = np.nan
        return {"frame": frame}


Found = tuple[tuple[int, int], Georeference | None]


def _compare(file: Path, found: Found, expected: Found, first: Path) -> None:
    (height, width), place = found
    if found[0] != expected[0]:
        size = f"{expected[0][1]}x{expected[0][0]}"
        raise DataError(f"{file}: found {width}x{height} pixels, expected {size} as {first} has; resample it first")
    crs, other = ((to_gdal(one).get("crs")) for one in (place, expected[1]))
    if crs != other:
        raise DataError(f"{file}: found the CRS {crs}, expected {other} as {first} has; reproject it first")
    if not same_grid(place, expected[1]):
        raise DataError(f"{file}: found another place than {first} has, with the same size; resample it first")


def same_grid(one: Georeference | None, other: Georeference | None) -> bool:
    """Whether pixels lie at the same places, but for what rounding makes of it."""
    if one is None or other is None:
        return one is other
    pixel = max(map(abs, (one.transform[0], one.transform[1], one.transform[3], one.transform[4])))
    return max(abs(a - b) for a, b in zip(one.transform, other.transform, strict=True)) < pixel * 1e-3


@contextlib.contextmanager
def aligned(file: Path, scene: Imagery, what: str) -> Iterator[DatasetReader | WarpedVRT]:
    """Open a raster of labels or of a mask so that its pixels are those of a scene: the nearest ones of its own."""
    with opened(file) as dataset:
        place, size = from_gdal(dataset.crs, dataset.transform), (dataset.height, dataset.width)
        to: dict[str, Any] = to_gdal(scene.georeference)
        if dataset.crs is None or to.get("crs") is None:
            if size != (scene.height, scene.width):
                raise DataError(
                    f"{file}: found a {what} of {size[1]}x{size[0]} pixels, expected {scene.width}x{scene.height} as "
                    "the images have, or a CRS to resample it by; resample it first"
                )
            yield dataset
        elif size == (scene.height, scene.width) and dataset.crs == to["crs"] and same_grid(place, scene.georeference):
            yield dataset
        else:
            with WarpedVRT(
                dataset, **to, height=scene.height, width=scene.width, resampling=Resampling.nearest
            ) as warped:
                yield warped


def overlap(bounds: tuple[float, ...], crs: object, scene: Imagery) -> bool:
    """Whether a box lies on the scene at least in part; where anything has no CRS, nobody knows better."""
    to = to_gdal(scene.georeference)
    if crs and to.get("crs"):
        bounds = transform_bounds(crs, to["crs"], *bounds)
    transform = to.get("transform") or rasterio.Affine.identity()
    corners = [transform @ (x, y) for x in (0, scene.width) for y in (0, scene.height)]
    (left, right), (bottom, top) = ((min(axis), max(axis)) for axis in zip(*corners, strict=True))
    (west, east), (south, north) = sorted(bounds[::2]), sorted(bounds[1::2])
    return west < right and east > left and south < top and north > bottom
