"""Predictions on disk: what is written is read to the bit, anybody's are understood, and every mistake is named."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import xarray
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from src.rsgan.data.views import to_network_scale
from src.rsgan.experiments import Generated
from src.rsgan.predictions import (
    AXES,
    Expected,
    dense,
    find_predictions,
    fingerprint,
    new_predictions,
    read_prediction,
    write_prediction,
)
from utils.errors import DataError, UsageError

EXPECTED = Expected((0, 2, 3), (3, 4, 5, 2))
Arrays = dict[str, NDArray[Any]]


def write_npz(path: Path, arrays: Arrays) -> None:
    np.savez(path, **arrays)


def write_h5(path: Path, arrays: Arrays) -> None:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values


def write_zarr(path: Path, arrays: Arrays) -> None:
    group = zarr.open_group(path, mode="w")
    for name, values in arrays.items():
        group.create_array(name, data=values)


def write_nc(path: Path, arrays: Arrays) -> None:
    variables = {name: (AXES[-values.ndim :], values) for name, values in arrays.items() if name != "step"}
    if "step" in arrays:
        variables["step"] = ("time", arrays["step"])
    xarray.Dataset(variables).to_netcdf(path, engine="h5netcdf")


WRITERS: dict[str, Callable[[Path, Arrays], None]] = {
    ".npz": write_npz,
    ".h5": write_h5,
    ".zarr": write_zarr,
    ".nc": write_nc,
}


def draw(*more: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((*more, *EXPECTED.shape), np.float32)


def equal(one: Generated, other: Generated) -> bool:
    """Whether two are equal to the bit, and lie in memory in the same way."""
    pairs = list(zip(vars(one).values(), vars(other).values(), strict=True))
    return all(
        (a is None and b is None)
        or (torch.equal(a.view(torch.int32), b.view(torch.int32)) and a.stride() == b.stride())
        for a, b in pairs
    )


# -- what we write


@given(
    values=arrays(np.float32, array_shapes(min_dims=4, max_dims=4, max_side=3), elements=st.floats(-3, 3, width=32)),
    order=st.permutations(range(4)),
    spread=st.sampled_from(["none", "std", "samples"]),
)
def test_what_is_written_is_read_to_the_bit_wherever_it_lies_in_memory(
    values: NDArray[np.float32], order: list[int], spread: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The last digits of scores depend on the order of values in memory, too."""
    frames = torch.from_numpy(values).permute(order)
    made = {
        "none": Generated(frames),
        "std": Generated(frames, std=frames.abs()),
        "samples": Generated(frames, samples=torch.stack([frames, frames / 3])),
    }[spread]
    made = Generated(**{name: None if part is None else dense(part) for name, part in vars(made).items()})
    steps, bands, height, width = frames.shape
    path = tmp_path_factory.mktemp("view") / "1.nc"
    write_prediction(path, made, range(steps), {})
    found = read_prediction(path, Expected(tuple(range(steps)), (steps, height, width, bands)))
    sizes = [size for size in frames.shape if size > 1]
    assert all(
        (a is None and b is None) or torch.equal(a.view(torch.int32), b.view(torch.int32))
        for a, b in zip(vars(made).values(), vars(found).values(), strict=True)
    )
    if len(sizes) == 4:  # else strides say less than where values are
        assert equal(made, found)
    assert fingerprint(made) == fingerprint(found)


def test_others_read_reflectance(tmp_path: Path) -> None:
    frames = to_network_scale(draw())
    made = Generated(torch.from_numpy(frames).movedim(-1, 1), std=torch.from_numpy(draw(seed=1)).movedim(-1, 1))
    write_prediction(tmp_path / "1.nc", made, EXPECTED.steps, {"title": "mine"})
    with xarray.open_dataset(tmp_path / "1.nc") as found:
        assert found["generated"].dims == ("time", "y", "x", "band")
        assert found["step"].values.tolist() == [*EXPECTED.steps]
        np.testing.assert_allclose(found["generated"], draw(), atol=1e-7)
        np.testing.assert_allclose(found["std"], draw(seed=1) / 2)
        assert found.attrs["title"] == "mine"


def test_what_has_gaps_is_made_dense_in_the_order_of_its_axes() -> None:
    wide = torch.rand(3, 4, 5, 6).movedim(-1, 1)
    assert dense(wide[:, :2]).stride() == torch.rand(3, 4, 5, 2).movedim(-1, 1).stride()
    assert torch.equal(dense(wide[:, :2]), wide[:, :2])
    assert dense(torch.rand(3, 2, 4, 5)).is_contiguous()
    assert dense(torch.rand(1, 2, 4, 5).expand(3, -1, -1, -1)).is_contiguous()


def test_a_folder_is_whole_or_not_there_and_never_replaced(tmp_path: Path) -> None:
    made, folder = Generated(torch.from_numpy(draw()).movedim(-1, 1)), tmp_path / "mine"
    with pytest.raises(RuntimeError), new_predictions(folder, EXPECTED.steps, {}) as save:
        save("1", made)
        raise RuntimeError
    assert [*tmp_path.iterdir()] == []
    with new_predictions(folder, EXPECTED.steps, {}) as save:
        save("1", made)
        save("2", made)
    assert {path.name for path in folder.iterdir()} == {"1.nc", "2.nc"}
    with pytest.raises(UsageError, match="exists, and is never replaced"), new_predictions(folder, (), {}):
        pass


# -- what others write


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("spread", ["none", "std", "samples"])
def test_predictions_of_each_format(suffix: str, spread: str, tmp_path: Path) -> None:
    arrays = {"generated": draw(), "step": np.array(EXPECTED.steps)}
    arrays |= {"none": {}, "std": {"std": draw(seed=1)}, "samples": {"samples": draw(3, seed=1)}}[spread]
    path = tmp_path / f"1{suffix}"
    WRITERS[suffix](path, arrays)
    found = read_prediction(path, EXPECTED)
    np.testing.assert_array_equal(found.frames.movedim(1, -1), to_network_scale(draw()))
    assert (found.std is not None, found.samples is not None) == (spread == "std", spread == "samples")
    if spread == "std":
        np.testing.assert_array_equal(found.std.movedim(1, -1), 2 * draw(seed=1))
    if spread == "samples":
        np.testing.assert_array_equal(found.samples.movedim(2, -1), to_network_scale(draw(3, seed=1)))


@pytest.mark.parametrize(
    ("scale", "change", "tolerance"),
    [
        ("reflectance", lambda values: values.astype(np.float64), 0),
        ("reflectance", lambda values: values.astype(np.float16), 1e-3),
        ("network", to_network_scale, 0),
        ("255", lambda values: np.rint(values * 255).astype(np.uint8), 2 / 255),
        ("255", lambda values: values * 255, 1e-6),
        ("10000", lambda values: np.rint(values * 10000).astype(np.uint16), 2e-4),
    ],
)
def test_values_of_other_scales(scale: Any, change: Callable[..., Any], tolerance: float, tmp_path: Path) -> None:
    write_npz(tmp_path / "1.npz", {"generated": change(draw())})
    found = read_prediction(tmp_path / "1.npz", EXPECTED, scale).frames.movedim(1, -1)
    np.testing.assert_allclose(found, to_network_scale(draw()), atol=tolerance, rtol=0)


def test_packed_values_of_netcdf_are_unpacked(tmp_path: Path) -> None:
    packed = {"generated": {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -1}}
    found = xarray.Dataset({"generated": (AXES[1:], draw())})
    found.to_netcdf(tmp_path / "1.nc", engine="h5netcdf", encoding=packed)
    made = read_prediction(tmp_path / "1.nc", EXPECTED).frames.movedim(1, -1)
    np.testing.assert_allclose(made, to_network_scale(draw()), atol=2e-4)


# -- mistakes


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"generate": draw()}, "found generate, expected 'generated' (did you mean 'generate'?)"),
        ({"generated": draw()[:2]}, "generated: found shape (2, 4, 5, 2), expected (3, 4, 5, 2) (steps, height, width"),
        ({"generated": np.moveaxis(draw(), -1, 1)}, "generated: found shape (3, 2, 4, 5), expected (3, 4, 5, 2)"),
        ({"generated": draw(), "step": np.arange(3)}, "step: found 0, 1, 2, expected 0, 2, 3"),
        ({"generated": draw(), "std": draw()[..., 0]}, "std: found shape (3, 4, 5), expected (3, 4, 5, 2)"),
        ({"generated": draw(), "std": -draw()}, "expected 0 or more"),
        ({"generated": draw(), "samples": draw(1)}, "samples: found shape (1, 3, 4, 5, 2), expected at least two"),
        ({"generated": draw(), "samples": draw(2), "std": draw()}, "found both a standard deviation and samples"),
        ({"generated": np.where(draw() < 0.1, np.nan, draw())}, "values that are NaN or infinite"),
        ({"generated": np.where(draw() < 0.1, np.inf, draw())}, "values that are NaN or infinite"),
        ({"generated": draw().astype(np.complex64)}, "found values of complex64, expected floating point"),
        ({"generated": draw() > 0.5}, "found values of bool, expected floating point; convert them"),
        ({"generated": (draw() * 255).astype(np.uint8)}, "found values of uint8, expected floating point"),
        ({"generated": to_network_scale(draw())}, "expected reflectance, nominally 0 to 1; say --scale=network"),
        ({"generated": draw() * 255}, "say --scale=255 if that is what they are, or --scale=reflectance"),
        ({"generated": draw() * 10000}, "say --scale=10000 if that is what they are"),
    ],
)
def test_predictions_of_something_else(arrays: Arrays, message: str, tmp_path: Path) -> None:
    message = message.replace("'generated' (did you mean 'generate'?)", "'generated'")
    for suffix in (".npz", ".h5"):
        if suffix == ".h5" and arrays.get("generated", draw()).dtype.kind == "b":
            continue
        WRITERS[suffix](tmp_path / f"1{suffix}", arrays)
        with pytest.raises(DataError, match=re.escape(message)) as error:
            read_prediction(tmp_path / f"1{suffix}", EXPECTED)
        assert str(error.value).startswith(f"{tmp_path / '1'}{suffix}: ")


@pytest.mark.parametrize("suffix", WRITERS)
def test_files_that_are_none(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"1{suffix}").write_bytes(b"something else")
    with pytest.raises(DataError, match="no predictions of a view .*; write it again"):
        read_prediction(tmp_path / f"1{suffix}", EXPECTED)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "1.npz", generated=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="allow_pickle"):
        read_prediction(tmp_path / "1.npz", EXPECTED)


def test_a_file_for_each_view(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none: no such folder, expected a file for each view"):
        find_predictions(tmp_path / "none", "test", ["1"])
    for name in ("1.nc", "2.npz", "3.tif"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"no predictions of 2 of 4 test views \(3, 4\), but 3.tif; expected VIEW with"):
        find_predictions(tmp_path, "test", ["1", "2", "3", "4"])
    assert find_predictions(tmp_path, "test", ["1", "2"]) == {"1": tmp_path / "1.nc", "2": tmp_path / "2.npz"}
    (tmp_path / "1.h5").touch()
    with pytest.raises(DataError, match=r"found 1.nc, 1.h5, expected one of them"):
        find_predictions(tmp_path, "test", ["1", "2"])
