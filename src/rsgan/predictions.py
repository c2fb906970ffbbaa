"""Predictions on disk, anyone's: a file for each view, whatever wrote it. See docs/open.md."""

import contextlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.configuration import read_common
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.split import few
from src.rsgan.data.views import ViewShape, to_network_scale
from src.rsgan.experiments import Generated
from utils.config import named
from utils.errors import ConfigError, DataError, UsageError
from utils.files import digest_array, new_directory
from utils.identity import digest
from utils.memory import problem, ran_out
from utils.reading import regular_file
from utils.registry import nearest
from utils.scores import Scale, Sees

NAMES = ("generated", "std", "samples", "step")
AXES = ("sample", "time", "y", "x", "band")  # in files; in tensors, bands come before rows
# In CF's words: reflectance is half of what is stored, plus a half. So networks' values stay what they are, to the bit.
PACKED = {"scale_factor": np.float32(0.5), "add_offset": np.float32(0.5)}
MEMORY = "memory_order"  # attribute: the axes of a tensor, the outermost first; the last digits of sums depend on it
REMEDY = "; --predictions-list says what is expected"
# Shares of values below 0, by more than a little, and far above 1 that a reflectance may have; poor models have many.
NEGATIVE, LARGE, LITTLE = 0.2, 0.05, 0.05


@dataclass(frozen=True)
class Submission:
    """Somebody's predictions.

    Attributes:
        scale: of their values; None for reflectance that looks like it.
        sees: from how much of the sources and opacity of the configuration a frame was made; None where nobody says
            what the method was told.
    """

    folder: Path
    scale: Scale | None = None
    sees: Sees | None = None


@dataclass(frozen=True)
class Expected:
    """What the prediction of a view must hold."""

    steps: tuple[int, ...]
    shape: tuple[int, int, int, int]  # steps, height, width, bands

    @classmethod
    def of(cls, views: ViewShape, target: str) -> "Expected":
        return cls(views.steps, (views.horizon, views.height, views.width, views.nbands[target]))


@dataclass(frozen=True)
class _Content:
    """What a file holds: arrays by name; of those in network scale, the axes in memory, if it names them."""

    arrays: Mapping[str, NDArray[Any]]
    in_network_scale: bool = False
    memory: Mapping[str, Sequence[str]] = field(default_factory=dict)


def describe_predictions(cfg: Sequence[Path]) -> str:
    """Say in YAML what predictions must hold to be scored by a configuration."""
    config = read_common(cfg)
    with named(cfg, ConfigError, DataError):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
    expected, bands = Expected.of(data.features, config.dataset.target), data.features.nbands
    content = {
        "files": f"VIEW with {', '.join(READERS)} for each test view; those of val views, all or none, are for TSTR",
        "generated": f"floating point (steps, height, width, bands) = {expected.shape}, reflectance, nominally 0 to 1",
        "std": "standard deviations of the same shape, where they are known",
        "samples": "in place of std, (samples, steps, height, width, bands), where there are at least two",
        "step": "the steps, where they are given",
        "steps": list(expected.steps),
        "views": data.names,
        "data set": config.dataset.root,
        "sources": {name: f"{bands[name]} bands" for name in config.dataset.sources},
        "target": f"{config.dataset.target}, {expected.shape[-1]} bands",
    }
    return yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=120)


def find_any(folder: Path, views: Sequence[str]) -> dict[str, list[Path]]:
    """Find the files of those views that have any."""
    candidates = {view: [folder / f"{view}{suffix}" for suffix in READERS] for view in views}
    existing = {view: [file for file in files if file.exists()] for view, files in candidates.items()}
    return {view: files for view, files in existing.items() if files}


def find_predictions(folder: Path, split: str, views: Sequence[str]) -> dict[str, Path]:
    """Find the file of each view of a split.

    Raises:
        DataError: If there is no folder, or views have no file, or several.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected a file for each view; correct --predictions")
    found = find_any(folder, views)
    missing = [view for view in views if view not in found]
    if missing:
        others = sorted(entry.name for entry in folder.iterdir() if entry.stem in missing)
        beside = f", but {few(others)}" if others else ""
        raise DataError(
            f"{folder}: found no predictions of {len(missing)} of {len(views)} {split} views ({few(missing)}){beside}; "
            f"expected VIEW with {', '.join(READERS)} for each; --predictions-list names them all"
        )
    twice = [files for files in found.values() if len(files) > 1]
    if twice:
        raise DataError(f"{folder}: found {few([file.name for file in twice[0]])}, expected one of them; remove others")
    return {view: file for view, (file,) in found.items()}


def read_prediction(path: Path, expected: Expected, scale: Scale | None = None) -> Generated:
    """Read a view's prediction.

    Raises:
        DataError: If it cannot be read, or isn't what is expected, or its values don't look like reflectance although
            nobody said that they are, or what else.
    """
    content = _read(path)
    try:
        return _generated(content, expected, "network" if content.in_network_scale else scale)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def fingerprint(made: Generated) -> str:
    values = (None if part is None else part.movedim(-3, -1).numpy() for part in vars(made).values())
    return digest([None if part is None else digest_array(part) for part in values])


@contextlib.contextmanager
def new_predictions(
    folder: Path, steps: Sequence[int], about: Mapping[str, str]
) -> Iterator[Callable[[str, Generated], None]]:
    """Make a folder of predictions, whole or not at all; gives what writes one of them, of a view with a name.

    Args:
        steps: of all series.
        about: attributes of all files.

    Raises:
        UsageError: If anything is there.
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder}: exists, and is never replaced; remove it or choose another --save-predictions")
    with new_directory(folder) as temporary:
        yield lambda view, made: write_prediction(temporary / f"{view}.nc", made, steps, {"title": view, **about})


def write_prediction(path: Path, made: Generated, steps: Sequence[int], about: Mapping[str, str]) -> None:
    """Write a NetCDF file that `read_prediction` reads to the bit, and any other reader of CF as reflectance."""
    import xarray  # which takes a second

    parts = {"generated": (made.frames, PACKED), "samples": (made.samples, PACKED)}
    parts["std"] = made.std, {"scale_factor": PACKED["scale_factor"]}
    variables: dict[str, tuple[Any, ...]] = {"step": ("time", np.array(steps))}
    for name, (tensor, packing) in parts.items():
        if tensor is not None:
            axes = AXES[-tensor.ndim :]
            attributes = {**packing, "units": "1", MEMORY: " ".join(_memory(tensor))}
            variables[name] = (axes, tensor.movedim(-3, -1).cpu().numpy(), attributes)
    nothing_missing = {name: {"_FillValue": None} for name in variables}
    found = xarray.Dataset(variables, attrs={"Conventions": "CF-1.11", **about})
    found.to_netcdf(path, engine="h5netcdf", encoding=nothing_missing)


def dense(tensor: Tensor) -> Tensor:
    """Leave no gaps between values, whose order in memory stays: what of that a file can bring back."""
    return arranged(tensor, _memory(tensor))


def arranged(tensor: Tensor, memory: Sequence[str]) -> Tensor:
    """Put the values of a tensor into memory in another order of its axes."""
    order = [_names(tensor).index(axis) for axis in memory]
    return tensor.permute(order).contiguous().permute([order.index(axis) for axis in range(tensor.ndim)])


def _names(tensor: Tensor) -> list[str]:
    *before, rows, columns, bands = AXES[-tensor.ndim :]
    return [*before, bands, rows, columns]


def _memory(tensor: Tensor) -> list[str]:
    """Names of the axes, the outermost in memory first; what is repeated, not stored, is outside."""
    strides = dict(zip(_names(tensor), tensor.stride(), strict=True))
    return sorted(strides, key=lambda axis: (strides[axis] != 0, -strides[axis]))


def _generated(content: _Content, expected: Expected, scale: Scale | None) -> Generated:
    """Check everything, and bring it to network scale; errors are `ValueError`."""
    arrays = content.arrays
    if "step" in arrays and arrays["step"].ravel().tolist() != [*expected.steps]:
        found, wanted = (", ".join(map(str, steps)) for steps in (arrays["step"].ravel().tolist(), expected.steps))
        raise ValueError(f"step: found {found:.200}, expected {wanted:.200}; give those steps")
    parts = {name: arrays[name] for name in ("generated", "std", "samples") if name in arrays}
    for name, values in parts.items():
        _check(name, values, expected.shape, scale)
    if scale is None:
        _check_reflectance(parts["generated"])
    if "std" in parts and parts["std"].min() < 0:
        raise ValueError(f"std: found {parts['std'].min():g}, expected 0 or more; give standard deviations")
    made = {name: _network(values, scale, spread=name == "std") for name, values in parts.items()}
    tensors = {name: torch.from_numpy(values).movedim(-1, -3) for name, values in made.items()}
    for name, tensor in tensors.items():
        memory = content.memory.get(name, ())
        if sorted(memory) == sorted(_names(tensor)):
            tensors[name] = arranged(tensor, memory)
    return Generated(tensors["generated"], std=tensors.get("std"), samples=tensors.get("samples"))


def _check(name: str, values: NDArray[Any], shape: tuple[int, ...], scale: Scale | None) -> None:
    axes = "(steps, height, width, bands)"
    if name == "samples":
        if values.ndim != 5 or values.shape[1:] != shape or len(values) < 2:
            raise ValueError(f"samples: found shape {values.shape}, expected at least two, then {shape} {axes}{REMEDY}")
    elif values.shape != shape:
        raise ValueError(f"{name}: found shape {values.shape}, expected {shape} {axes}{REMEDY}")
    whole = values.dtype.kind in "iu"
    if values.dtype.kind != "f" and not (whole and scale in ("255", "10000")):
        remedy = "convert them, or say --scale=255 or --scale=10000" if whole else "convert them"
        raise ValueError(f"{name}: found values of {values.dtype}, expected floating point; {remedy}")
    strange = np.count_nonzero(~np.isfinite(values))
    if strange:
        raise ValueError(
            f"{name}: found {strange} values that are NaN or infinite, expected a value of each pixel; fill them"
        )


def _check_reflectance(values: NDArray[Any]) -> None:
    """Refuse what looks like another scale."""
    low, high = np.mean(values < -LITTLE), np.mean(values > 2)
    if low > NEGATIVE or high > LARGE:
        likely = "network" if low > high else "255" if values.max() < 300 else "10000"
        raise ValueError(
            f"generated: found values from {values.min():g} to {values.max():g}, expected reflectance, nominally 0 to "
            f"1; say --scale={likely} if that is what they are, or --scale=reflectance"
        )


def _network(values: NDArray[Any], scale: Scale | None, *, spread: bool) -> NDArray[np.float32]:
    """Bring values, or their spread, to network scale."""
    if scale in ("255", "10000"):
        values = values / int(scale)
    single = np.ascontiguousarray(values, np.float32)
    if scale == "network":
        return single
    return single / np.float32(0.5) if spread else to_network_scale(single)


def _read(path: Path) -> _Content:
    if path.suffix != ".zarr":
        regular_file(path, "predictions of a view")
    try:
        return READERS[path.suffix](path)
    except Exception as error:  # decoders raise anything where a file is damaged
        if ran_out(error):
            raise
        raise DataError(f"{path}: no predictions of a view ({error}); write it again") from error


def _read_nc(path: Path) -> _Content:
    import xarray

    with xarray.open_dataset(path, decode_cf=False) as raw:
        about = {str(name): variable.attrs for name, variable in raw.variables.items()}
        packed = PACKED.items() <= about.get("generated", {}).items()
        found = raw if packed else xarray.decode_cf(raw, decode_times=False)
        memory = {name: str(attributes.get(MEMORY, "")).split() for name, attributes in about.items()}
        return _Content(_take(found.variables), packed, memory if packed else {})


def _read_zarr(path: Path) -> _Content:
    import zarr

    return _Content(_take(dict(zarr.open_group(path, mode="r").arrays())))


def _read_h5(path: Path) -> _Content:
    with h5py.File(path, "r", locking=False) as file:
        return _Content(_take({name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}))


def _read_npz(path: Path) -> _Content:
    with zipfile.ZipFile(path) as archive:
        _check_size(sum(member.file_size for member in archive.infolist()))
    with np.load(path, allow_pickle=False) as archive:
        return _Content(_take(archive))


def _take(found: Mapping[Any, Any]) -> dict[str, NDArray[Any]]:
    """Read what is wanted of arrays that are on disk."""
    names = [str(name) for name in found]
    if "generated" not in names:
        raise ValueError(f"found {few(names) or 'no array'}, expected 'generated'{nearest('generated', names)}")
    wanted = {name: found[name] for name in NAMES if name in names}
    _check_size(sum(values.dtype.itemsize * values.size for values in wanted.values()))
    return {name: np.asarray(values[...]) for name, values in wanted.items()}


def _check_size(size: int) -> None:
    too_large = problem("it", size, "give fewer samples")
    if too_large:
        raise ValueError(too_large)


READERS = {".nc": _read_nc, ".zarr": _read_zarr, ".h5": _read_h5, ".npz": _read_npz}
