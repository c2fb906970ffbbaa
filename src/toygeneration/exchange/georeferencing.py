"""Where images lie on Earth: as GDAL says it, and as the CF conventions do."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from rasterio import Affine
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning

from src.toygeneration.frames import Georeference

GRID_MAPPING = "spatial_ref"
for name in ("rasterio", "pyogrio"):
    logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is raised, and said here


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Images that lie nowhere on Earth are nothing to warn of, nor is how rasterio multiplies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        yield


def from_gdal(crs: CRS | None, transform: Affine) -> Georeference | None:
    if crs is None and transform.is_identity:
        return None
    return Georeference(crs=crs.to_wkt() if crs else None, transform=tuple(transform)[:6])


def to_gdal(georeference: Georeference | None) -> dict[str, Any]:
    """Keyword arguments of rasterio."""
    if georeference is None:
        return {}
    crs = CRS.from_wkt(georeference.crs) if georeference.crs else None
    return {"crs": crs, "transform": Affine(*georeference.transform)}


def coordinates(georeference: Georeference, height: int, width: int) -> dict[str, xr.Variable]:
    """Coordinates by the CF conventions: the grid mapping, and x and y of pixels' centres where these are axes."""
    a, b, c, d, e, f = georeference.transform
    mapping: dict[str, Any] = {"GeoTransform": " ".join(map(repr, (c, a, b, f, d, e)))}
    kind = ("projection_{}_coordinate", "projection_{}_coordinate", "m", "m")
    if georeference.crs:
        crs = CRS.from_wkt(georeference.crs)
        mapping |= {"crs_wkt": georeference.crs, GRID_MAPPING: georeference.crs}
        if crs.is_geographic:
            mapping["grid_mapping_name"] = "latitude_longitude"
            kind = ("longitude", "latitude", "degrees_east", "degrees_north")
        else:
            kind = (*kind[:2], *[crs.linear_units] * 2)
    found = {GRID_MAPPING: xr.Variable((), np.int32(0), mapping)}
    if b == d == 0:
        x, y = c + a * (np.arange(width) + 0.5), f + e * (np.arange(height) + 0.5)
        for name, values, standard, units in (("x", x, kind[0], kind[2]), ("y", y, kind[1], kind[3])):
            attributes = {"standard_name": standard.format(name), "units": units, "axis": name.upper()}
            found[name] = xr.Variable(name, values, attributes)
    return found


def from_coordinates(dataset: xr.Dataset, variable: str, x: str, y: str) -> Georeference | None:
    """Undo `coordinates`, or read what others write: a grid mapping with or without a transform, and axes."""
    name = dataset[variable].attrs.get("grid_mapping", dataset[variable].encoding.get("grid_mapping", GRID_MAPPING))
    mapping = dataset[name].attrs if name in dataset.variables else {}
    crs = mapping.get("crs_wkt") or mapping.get(GRID_MAPPING)
    if "GeoTransform" in mapping:
        c, a, b, f, d, e = map(float, mapping["GeoTransform"].split())
        return Georeference(crs=crs, transform=(a, b, c, d, e, f))
    axes = [_axis(dataset, name) for name in (x, y)]
    if None in axes:
        return None
    (a, c), (e, f) = axes
    return Georeference(crs=crs, transform=(a, 0, c, 0, e, f))


def _axis(dataset: xr.Dataset, name: str) -> tuple[float, float] | None:
    """Width of the pixels along an axis, and its begin; None where it has no equally spaced coordinates."""
    if name not in dataset.coords or len(dataset[name]) < 2:
        return None
    values = dataset[name].values.astype(np.float64)
    step = (values[-1] - values[0]) / (len(values) - 1)
    if not step or np.abs(np.diff(values) - step).max() > abs(step) * 1e-3:
        return None
    return float(step), float(values[0] - step / 2)
