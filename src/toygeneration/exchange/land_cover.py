"""Land cover of real images: parcels and classes, from a raster or from polygons."""

import glob
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.features import rasterize
from rasterio.warp import transform
from scipy import ndimage

from src.toygeneration.exchange.georeferencing import to_gdal
from src.toygeneration.exchange.imagery import Imagery, Window
from src.toygeneration.exchange.rasters import aligned, opened, overlap, read_window
from src.toygeneration.exchange.settings import ImportConfig
from src.toygeneration.frames import LARGEST_LABEL, Labels
from utils.errors import DataError, UsageError
from utils.reading import regular_file

MOST_CLASSES = 255
RASTERS = (".tif", ".tiff", ".vrt", ".img", ".jp2", ".png")
Numbers = NDArray[np.integer]
Parcels = tuple[Numbers | None, Numbers]  # instances, None where nobody knows them, and classes, `(h, w)` each


class LandCover(ABC):
    """Instances and classes of a scene, the same at all dates.

    Attributes:
        files: that it is read from.
        names: what each class is called in the files, the first one that of class 1; none where classes are numbers.
    """

    files: list[Path]
    names: tuple[str, ...] = ()

    @abstractmethod
    def read(self, window: Window) -> Parcels: ...


class Nothing(LandCover):
    """Background everywhere."""

    def __init__(self) -> None:
        self.files = []

    def read(self, window: Window) -> Parcels:
        nothing = np.zeros([axis.stop - axis.start for axis in window], np.int16)
        return nothing, nothing


def annotate(instances: Numbers | None, classes: Numbers) -> Labels:
    """Put instances and classes `(h, w)` together; both are 0 where one of them is.

    Without instances, connected pixels of one class are one. Numbers that 16 bits don't hold are given anew.
    """
    if instances is None:
        instances = np.zeros(classes.shape, np.int32)
        for value in np.unique(classes[classes > 0]):
            parts, _ = ndimage.label(classes == value)
            instances += np.where(parts, parts + instances.max(), 0)
    land = (instances > 0) & (classes > 0)
    instances = np.where(land, instances, 0)
    if instances.max(initial=0) > LARGEST_LABEL:
        known, places = np.unique(instances, return_inverse=True)
        instances = places.reshape(instances.shape) + (0 if known[0] == 0 else 1)
    if instances.max(initial=0) > LARGEST_LABEL:
        raise DataError(
            f"labels: found {instances.max()} parcels in a product, expected at most {LARGEST_LABEL}; cut it by --tile"
        )
    return np.stack([instances, np.where(land, classes, 0)], axis=-1).astype(np.int16)


class RasterLandCover(LandCover):
    """A raster of classes and perhaps one of instances, whose pixels may lie otherwise than those of the images."""

    def __init__(self, labels: Path, instances: Path | None, settings: ImportConfig, scene: Imagery) -> None:
        self._labels, self._instances, self._scene = labels, instances, scene
        self.files = [labels] if instances is None else [labels, instances]
        self.names = settings.classes or ()
        self._wanted = None
        if settings.classes is not None:
            if not all(name.isdigit() for name in settings.classes):
                raise UsageError(f"--classes: found {', '.join(settings.classes)}, expected numbers, as in {labels}")
            self._wanted = np.array([int(name) for name in settings.classes])
        for file in self.files:
            with opened(file) as dataset:
                if dataset.dtypes[0].startswith(("float", "complex")):
                    raise DataError(f"{file}: found values of type {dataset.dtypes[0]}, expected whole numbers")
                if dataset.crs and not overlap(dataset.bounds, dataset.crs, scene):
                    raise DataError(
                        f"{file}: found labels outside of the images, expected them to overlap; check the CRS"
                    )

    def read(self, window: Window) -> Parcels:
        classes = number(self._read(self._labels, window), self._wanted, self._labels)
        return None if self._instances is None else self._read(self._instances, window), classes

    def _read(self, file: Path, window: Window) -> Numbers:
        with aligned(file, self._scene, "raster of labels") as dataset:
            values = read_window(dataset, [1], window)[..., 0].astype(np.int64)
            return values if dataset.nodata is None else np.where(values == dataset.nodata, 0, values)


def number(values: Numbers, wanted: Numbers | None, where: Path) -> Numbers:
    """Turn what a file has for classes into their numbers: those that are wanted from 1, or as they are."""
    if wanted is not None:
        order = np.argsort(wanted)
        found = order[np.searchsorted(wanted, values, sorter=order).clip(max=len(wanted) - 1)]
        return np.where(wanted[found] == values, found + 1, 0)
    if values.min() < 0 or values.max() > MOST_CLASSES:
        raise DataError(
            f"{where}: found classes from {values.min()} to {values.max()}, expected 0 to {MOST_CLASSES}; say with "
            "--classes=NUMBER,… which become class 1, 2 and so on"
        )
    return values


class VectorLandCover(LandCover):
    """Polygons with a field that says their class, and perhaps one that says which belong together."""

    def __init__(self, file: Path, settings: ImportConfig, scene: Imagery) -> None:
        self.files, self._scene = sorted(file.parent.glob(f"{glob.escape(file.stem)}.*")), scene  # a Shapefile has many
        fields = [name for name in (settings.label_field, settings.instance_field) if name is not None]
        geometry, values = _read_polygons(file, fields, settings.label_field, scene)
        self._geometry, self._bounds = geometry, shapely.bounds(geometry)
        self._classes, self.names = _number_names(values[0], settings.classes, file)
        self._instances = np.arange(1, len(geometry) + 1)
        if settings.instance_field is not None:
            self._instances = np.unique(values[1].astype(str), return_inverse=True)[1] + 1

    def read(self, window: Window) -> Parcels:
        (top, left), shape = (axis.start for axis in window), [axis.stop - axis.start for axis in window]
        place = _transform(self._scene) @ Affine.translation(left, top)
        corners = np.array([place @ (x, y) for x in (0, shape[1]) for y in (0, shape[0])])
        low, high = corners.min(axis=0), corners.max(axis=0)
        near = np.flatnonzero((self._bounds[:, :2] < high).all(axis=1) & (self._bounds[:, 2:] > low).all(axis=1))
        if not len(near):
            return Nothing().read(window)
        burnt = ((self._geometry[index], index + 1) for index in near.tolist())
        polygon = rasterize(burnt, out_shape=shape, transform=place, dtype=np.int32)
        instances, classes = (np.append(0, numbers)[polygon] for numbers in (self._instances, self._classes))
        return instances, classes


def _transform(scene: Imagery) -> Affine:
    return Affine(*scene.georeference.transform) if scene.georeference else Affine.identity()


def _read_polygons(
    file: Path, fields: Sequence[str], label_field: str | None, scene: Imagery
) -> tuple[NDArray[np.object_], list[NDArray[np.generic]]]:
    """The polygons of a file that overlap the scene, in its CRS, and their values in some fields."""
    try:
        known = [str(name) for name in pyogrio.read_info(file)["fields"]]
        missing = [name for name in fields if name not in known]
        if label_field is None or missing:
            found = f"no field {missing[0]!r}" if missing else "polygons, and no --label-field for their class"
            raise UsageError(f"{file}: found {found}, expected one of {', '.join(known)}")
        meta, _, geometry, values = pyogrio.raw.read(file, columns=fields)
    except pyogrio.errors.DataSourceError as error:
        raise DataError(f"{file}: cannot be read as polygons ({error}); replace it") from error
    by_name = dict(zip(meta["fields"], values, strict=True))
    geometry, source = shapely.from_wkb(geometry), _crs(meta["crs"], file)
    area = np.flatnonzero(shapely.area(geometry) > 0)
    geometry = shapely.force_2d(geometry[area])
    target = to_gdal(scene.georeference).get("crs")
    if source and target and source != target:
        geometry = shapely.transform(geometry, lambda xy: np.column_stack(transform(source, target, *xy.T)))
    if not len(geometry) or not overlap(tuple(shapely.total_bounds(geometry)), None, scene):
        raise DataError(
            f"{file}: found {len(geometry)} polygons, none of them on the images, expected some there; check the CRS"
        )
    return geometry, [by_name[name][area] for name in fields]


def _crs(text: str | None, file: Path) -> CRS | None:
    try:
        return CRS.from_user_input(text) if text else None
    except CRSError as error:
        raise DataError(f"{file}: found the CRS {text!r}, which is unknown ({error}); set another") from error


def _number_names(
    values: NDArray[np.generic], classes: Sequence[str] | None, file: Path
) -> tuple[Numbers, tuple[str, ...]]:
    """Number the classes of polygons; those without one are background."""
    if values.dtype.kind in "iuf":
        whole = np.nan_to_num(values.astype(np.float64)).astype(np.int64)
        if classes is None:
            return number(whole, None, file), ()
        values = np.where(whole == 0, None, whole.astype(str))
    texts = np.array(["" if value is None else str(value) for value in values])
    names = tuple(classes or sorted(set(texts.tolist()) - {""}))
    if len(names) > MOST_CLASSES:
        raise DataError(f"{file}: found {len(names)} classes, expected at most {MOST_CLASSES}; name some by --classes")
    if not np.isin(texts, names).any():
        raise DataError(f"{file}: found no polygon of the classes {', '.join(names)}; correct --classes")
    order = {name: place for place, name in enumerate(names, 1)}
    return np.array([order.get(text, 0) for text in texts]), names


def find_land_cover(labels: Path | None, instances: Path | None, settings: ImportConfig, scene: Imagery) -> LandCover:
    if labels is None:
        if instances is not None:
            raise UsageError("--instances: found a raster without --labels, expected both")
        return Nothing()
    regular_file(labels, "a raster of classes, or polygons")
    if labels.suffix.lower() in RASTERS:
        return RasterLandCover(labels, instances, settings, scene)
    if instances is not None:
        raise UsageError(f"--instances: found a raster beside polygons, {labels}, expected --instance-field")
    return VectorLandCover(labels, settings, scene)
