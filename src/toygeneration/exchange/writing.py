"""Products in other people's formats: NetCDF and Zarr, which hold one or several, and folders of GeoTIFFs."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import dask
import h5netcdf
import numpy as np
import rasterio
import xarray as xr
import zarr
from numpy.typing import NDArray

from src.toygeneration.exchange.georeferencing import quiet, to_gdal
from src.toygeneration.export import ProductDataset, is_product
from src.toygeneration.index import IDENTITY
from utils.errors import DataError, UsageError
from utils.files import natural, new_directory, new_file

Products = Mapping[str, ProductDataset]  # by group of the file; a single one is in none, ""
DATE = "%Y%m%dT%H%M%S"
PROVENANCE = "PROVENANCE"


def find_products(paths: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """Say what is exported of some folders: names of files, each with the products in it by group.

    A product makes one file. So does a folder that holds products, such as a view: each is a group. Of a data set, or
    another folder that holds such folders, each view makes one.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in paths:
        whole = {} if (path / IDENTITY).is_file() else _groups(path)
        made = {path.absolute().name: whole} if whole else {folder.name: _groups(folder) for folder in _folders(path)}
        made = {name: groups for name, groups in made.items() if groups}
        if not made:
            raise DataError(f"{path}: found no product in it, expected one, or a folder of views; check the path")
        twice = found.keys() & made.keys()
        if twice:
            raise UsageError(
                f"{path}: found another {min(twice)!r}, which would get the same name; export it elsewhere"
            )
        found |= made
    return found


def _groups(path: Path) -> dict[str, Path]:
    if is_product(path):
        return {"": path}
    return {folder.name: folder for folder in _folders(path) if is_product(folder)}


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        raise DataError(f"{path}: found no folder, expected a product, or a folder of views; check the path")
    found = (folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    return sorted(found, key=lambda folder: natural(folder.name))


def write_netcdf(products: Products, file: Path) -> None:
    with new_file(file) as temporary:
        for number, (group, product) in enumerate(products.items()):
            dataset = product.to_xarray()
            lazy = {name: array for name, array in dataset.items() if array.chunks}
            mode = "a" if number else "w"
            dataset.drop_vars(lazy).to_netcdf(temporary, mode, group=group or None, engine="h5netcdf")
            with h5netcdf.File(temporary, "a") as stream:
                for name, array in lazy.items():
                    _write_steps(stream[group] if group else stream, name, array)


def _write_steps(group: h5netcdf.Group, name: str, array: xr.DataArray) -> None:
    """Write one step after the other. Left to Dask, their order in the file would change from run to run."""
    for dimension, size in array.sizes.items():
        if dimension not in group.dimensions:
            group.dimensions[dimension] = size
    fill = np.nan if array.dtype.kind == "f" else None
    packing = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "chunks": (1, *array.shape[1:])}
    variable = group.create_variable(name, array.dims, array.dtype, fillvalue=fill, **packing)
    variable.attrs.update(array.attrs)
    for number in range(len(array)):
        variable[number] = array[number].values


def write_zarr(products: Products, folder: Path) -> None:
    with new_directory(folder) as temporary, dask.config.set(scheduler="synchronous"):
        zarr.open_group(temporary, mode="w", zarr_format=2)
        for group, product in products.items():
            product.to_xarray().to_zarr(temporary, mode="a", group=group or None, zarr_format=2, consolidated=False)
        zarr.consolidate_metadata(temporary, zarr_format=2)


def write_geotiffs(products: Products, folder: Path) -> None:
    """Write Cloud Optimized GeoTIFFs, one for each time step; labels once, if they are the same at all steps."""
    with new_directory(folder) as temporary:
        for group, product in products.items():
            place = temporary / group
            place.mkdir(exist_ok=True)
            for name, array in product.to_xarray().items():
                steps = product.steps if "time" in array.dims else [None]
                for number, step in enumerate(steps):
                    values = array.values if step is None else array[number].values
                    if name == "frame" or np.isfinite(values).all():  # there may be no mask
                        _write_geotiff(place / f"{name}{_suffix(product, step)}.tif", values, product)


def _suffix(product: ProductDataset, step: int | None) -> str:
    if step is None:
        return ""
    date = product.dates and product.dates[step]
    return f"_{step}_{date:{DATE}}" if date else f"_{step}"


def _write_geotiff(file: Path, values: NDArray[np.generic], product: ProductDataset) -> None:
    bands = values.transpose(2, 0, 1) if values.ndim == 3 else values[None]  # (C, H, W)
    measured = values.dtype.kind == "f"
    profile: dict[str, Any] = {
        "driver": "COG",
        "dtype": values.dtype.name,
        "count": len(bands),
        "height": bands.shape[1],
        "width": bands.shape[2],
        "compress": "DEFLATE",
        "predictor": "YES",
        "overview_resampling": "AVERAGE" if measured else "MODE",
    }
    with quiet(), rasterio.open(file, "w", **profile, **to_gdal(product.georeference)) as dataset:
        dataset.write(bands)
        dataset.update_tags(**{PROVENANCE: json.dumps(product.provenance())})


def check_target(path: Path, known: Callable[[Path], bool], *, overwrite: bool) -> None:
    """Raise `UsageError` if anything is there, unless it is what may be replaced."""
    if not path.exists() and not path.is_symlink():
        return
    if not known(path):
        raise UsageError(f"{path}: found something else than an export, which is never replaced; choose another --o")
    if not overwrite:
        raise UsageError(f"{path}: found an earlier export; pass --overwrite to replace it or choose another --o")


def _holds(pattern: str) -> Callable[[Path], bool]:
    """Whether a folder holds files of some names, folders of these, and nothing else."""

    def known(path: Path) -> bool:
        return path.is_dir() and all(file.match(pattern) for file in path.rglob("*") if not file.is_dir())

    return known


# Formats by name: the ending of what is made, how it is made, and whether what is there may have been made so.
FORMATS = {
    "nc": (".nc", write_netcdf, lambda path: path.is_file()),
    "zarr": (".zarr", write_zarr, lambda path: (path / ".zgroup").is_file()),
    "cog": ("", write_geotiffs, _holds("*.tif")),
}


def export_products(
    found: Mapping[str, Mapping[str, Path]],
    output: Path,
    form: str | None,
    *,
    overwrite: bool = False,
    on_file: Callable[[], object] | None = None,
) -> None:
    """Export what `find_products` has found, to a file or into a folder.

    Raises:
        UsageError: If that doesn't go into the one file that is asked for, or something is in the way.
        DataError: If a product is malformed.
    """
    suffix = next((name for name, (ending, *_) in FORMATS.items() if ending and output.suffix == ending), None)
    chosen = form or suffix
    if chosen is None:
        raise UsageError(f"{output}: expected a name that ends in .nc or .zarr, or --format={', '.join(FORMATS)}")
    ending, make, known = FORMATS[chosen]
    if suffix and (suffix != chosen or len(found) > 1):
        raise UsageError(
            f"{output}: found {len(found)} to export as {chosen}, expected one as {suffix} for that name; name a folder"
        )
    whole = suffix or (chosen == "cog" and len(found) == 1)
    targets = {output if whole else output / f"{name}{ending}": groups for name, groups in found.items()}
    for target in targets:
        check_target(target, known, overwrite=overwrite)
    for target, groups in targets.items():
        make({group: ProductDataset(path) for group, path in groups.items()}, target)
        if on_file:
            on_file()
