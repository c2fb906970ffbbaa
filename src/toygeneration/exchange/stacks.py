"""Series in one file: a variable of NetCDF or Zarr, or an array of NumPy."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from src.toygeneration.exchange.georeferencing import from_coordinates
from src.toygeneration.exchange.imagery import Imagery, Window
from src.toygeneration.exchange.labelled import MASKS
from src.toygeneration.exchange.settings import ImportConfig
from src.toygeneration.frames import Sample
from utils.errors import DataError, UsageError
from utils.files import find_files
from utils.reading import regular_file

# Names that dimensions have in the wild.
NAMES = {
    "time": ("time", "t", "date", "step"),
    "y": ("y", "lat", "latitude", "northing", "row"),
    "x": ("x", "lon", "longitude", "easting", "column", "col"),
}
EXPORTED = {"frame", "instance", "label"}  # variables of what export_product.py makes


class Stack(Imagery):
    """What both have in common: arrays `(T, H, W, C)` or `(T, H, W)`."""

    def _choose(self, nbands: int, file: Path) -> None:
        known = [str(number) for number in range(1, nbands + 1)]
        self._check_bands(file, known)
        self._bands = [int(band) - 1 for band in self._settings.bands or known]
        self.nbands = len(self._bands)

    def _frame(self, values: NDArray[np.generic], mask: NDArray[np.generic] | None, where: str) -> Sample:
        values = values[..., None] if values.ndim == 2 else values
        values = values if len(self._bands) == values.shape[2] else values[..., self._bands]
        return {"frame": self._to_reflectance(values, None, mask, where)}


class ArrayStack(Stack):
    """An array of NumPy, in a `.npy` file; masks are one `(T, H, W)` in another."""

    def __init__(self, file: Path, settings: ImportConfig) -> None:
        super().__init__(settings)
        self._array, self._file = _load(file), file
        if self._array.ndim not in (3, 4) or 0 in self._array.shape:
            raise DataError(f"{file}: found an array of shape {self._array.shape}, expected (T, H, W) or (T, H, W, C)")
        self.horizon, self.height, self.width, *rest = self._array.shape
        self.steps, self.files = tuple(range(self.horizon)), [file]
        self._choose(rest[0] if rest else 1, file)
        self._masks = None
        if settings.masks is not None:
            self._masks = _load(Path(settings.masks))
            self.files.append(Path(settings.masks))
            if self._masks.shape != self._array.shape[:3]:
                raise DataError(
                    f"{settings.masks}: found masks of shape {self._masks.shape}, expected {self._array.shape[:3]}"
                )

    def read(self, step: int, window: Window) -> Sample:
        mask = None if self._masks is None else self._masks[step][window]
        return self._frame(self._array[step][window], mask, f"{self._file}: step {step}")


def _load(file: Path) -> NDArray[np.generic]:
    regular_file(file, "an array of NumPy")
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{file}: cannot be read as an array of NumPy ({error}); save it with numpy.save") from error
    if found.dtype.kind not in "fiub":
        raise DataError(f"{file}: found values of type {found.dtype}, expected numbers")
    return found


class VariableStack(Stack):
    """A variable of NetCDF or Zarr; masks are another one of the same dataset.

    What `export_product.py` made brings its labels and opacities along.
    """

    def __init__(self, file: Path, settings: ImportConfig) -> None:
        super().__init__(settings)
        self._file = file
        group, _, self._wanted = (settings.variable or "").rpartition("/")
        self._dataset = open_dataset(file, group)
        self._name = self._find()
        self._variable = self._order(self._name)
        time, y, x, *rest = self._variable.dims
        self.height, self.width = self._variable.sizes[y], self._variable.sizes[x]
        self._choose(self._variable.sizes[rest[0]] if rest else 1, file)
        pieces = self._variable.encoding.get("preferred_chunks", {})
        self.block = pieces.get(y, 1), pieces.get(x, 1)
        self._masks = None if settings.masks is None else self._order(settings.masks)
        self._set_times(time)
        self.georeference = from_coordinates(self._dataset, self._name, x, y)
        self.files = [file] if file.is_file() else [part for part in find_files(file, "*") if part.is_file()]
        self.exported = self._dataset.variables.keys() >= EXPORTED and self._name == "frame"

    def _find(self) -> str:
        wanted, known = self._wanted, [str(name) for name in self._dataset.data_vars]
        series = [name for name in known if self._dataset[name].ndim in (3, 4)]
        if not wanted and "frame" in series:
            return "frame"
        if not wanted and len(series) == 1:
            return series[0]
        if wanted not in known:
            found = f"no variable {wanted!r}" if wanted else f"{len(known) or 'groups and no'} variables"
            names = ", ".join(known or _series_of_groups(self._file))
            raise UsageError(f"{self._file}: found {found}, expected --variable to name one of {names}")
        return wanted

    def _order(self, name: str) -> xr.DataArray:
        """A variable with its dimensions as time, y, x and, if there are four, bands."""
        if name not in self._dataset:
            raise DataError(f"{self._file}: found no variable {name!r}; correct --masks")
        array = self._dataset[name]
        found = [next((str(d) for d in array.dims if str(d).lower() in names), None) for names in NAMES.values()]
        if None in found or array.ndim not in (3, 4):
            raise DataError(
                f"{self._file}: {name}: found dimensions {', '.join(map(str, array.dims))}, expected time, y, x and "
                "perhaps one more, of bands; rename them"
            )
        return array.transpose(*found, ...)

    def _set_times(self, name: str) -> None:
        count = self._variable.sizes[name]
        steps = self._dataset["step"].values if "step" in self._dataset.coords else np.arange(count)
        if steps.ndim != 1 or len(steps) != count or steps[0] < 0 or (np.diff(steps) <= 0).any():
            raise DataError(f"{self._file}: step: found {steps.tolist()}, expected the time steps, ascending from 0")
        self.steps = tuple(steps.tolist())
        self.horizon = max(int(self._dataset.attrs.get("horizon", 0)), self.steps[-1] + 1)
        times = self._dataset[name].values if name in self._dataset.coords else steps
        if times.dtype.kind == "M":
            if (np.diff(times) < np.timedelta64(0)).any():
                raise DataError(f"{self._file}: {name}: found dates that go back, expected them to ascend; sort them")
            known = dict(zip(self.steps, times.astype("datetime64[us]").tolist(), strict=True))
            self.dates = tuple(known.get(step) for step in range(self.horizon))

    def read(self, step: int, window: Window) -> Sample:
        number = self.steps.index(step)
        mask = None if self._masks is None else self._masks[number][window].values
        sample = self._frame(self._variable[number][window].values, mask, f"{self._file}: step {step}")
        if self.exported:
            names = ("instance", "label")
            layers = [self._dataset[name] for name in names]
            layers = [layer[number] if "time" in layer.dims else layer for layer in layers]
            sample["annotation"] = np.stack([layer[window].values for layer in layers], axis=2)
            for kind, name in MASKS.items():
                if name in self._dataset and np.isfinite(mask := self._dataset[name][number][window].values).all():
                    sample[kind] = mask
        return sample


def _series_of_groups(path: Path) -> list[str]:
    """What `--variable` may name in a file whose root has no variable."""
    with xr.open_datatree(path, engine="zarr" if path.is_dir() else None) as tree:
        found = [(node.path.strip("/"), name, array) for node in tree.subtree for name, array in node.data_vars.items()]
        return [f"{group}/{name}" for group, name, array in found if array.ndim == 4] or ["none, there is no series"]


def open_dataset(path: Path, group: str) -> xr.Dataset:
    more = {"decode_coords": "all", "group": group or None}
    try:
        if path.is_dir():
            return xr.open_dataset(path, engine="zarr", consolidated=False, **more)
        regular_file(path, "a NetCDF file")
        return xr.open_dataset(path, **more)
    except (OSError, ValueError, KeyError) as error:
        remedy = "replace it, or correct --variable" if group else "replace it"
        raise DataError(f"{path}: cannot be read as NetCDF or Zarr ({error}); {remedy}") from error
