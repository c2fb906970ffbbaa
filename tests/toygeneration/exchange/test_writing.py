"""Exports: what is in them, read back by other libraries."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from src.toygeneration.exchange.georeferencing import quiet
from src.toygeneration.export import ProductDataset, export
from src.toygeneration.frames import Georeference
from tests.conftest import contents, scene
from utils import export_product
from utils.cli import run

UTM = rasterio.crs.CRS.from_epsg(32631).to_wkt()
PLACES = {
    "nowhere": None,
    "north up": Georeference(crs=UTM, transform=(10, 0, 500000, 0, -10, 4000000)),
    "upside down": Georeference(crs=UTM, transform=(10, 0, 500000, 0, 20, 4000000)),
    "turned": Georeference(crs=UTM, transform=(8, 6, 500000, 6, -8, 4000000)),
    "geographic": Georeference(crs=rasterio.crs.CRS.from_epsg(4326).to_wkt(), transform=(1e-4, 0, 5.1, 0, -1e-4, 45.7)),
}


def call(*arguments: str | Path) -> int:
    return run(export_product.build_parser(), export_product.main, [str(argument) for argument in arguments])


def check(dataset: xr.Dataset, product: ProductDataset) -> None:
    """A data set holds what the product does."""
    assert dataset["frame"].dims == ("time", "y", "x", "band")
    assert dataset["step"].values.tolist() == product.steps
    assert dataset.attrs["horizon"] == len(product)
    assert json.loads(dataset.attrs["provenance"]) == product.provenance()
    assert dataset.attrs["Conventions"].startswith("CF-")
    for number, step in enumerate(product.steps):
        sample = product.read(step)
        assert dataset["frame"].dtype == np.float32
        assert np.array_equal(dataset["frame"][number], sample["frame"])
        for layer, name in enumerate(("instance", "label")):
            labels = dataset[name]
            assert labels.dtype == np.int16
            assert np.array_equal(labels[number] if "time" in labels.dims else labels, sample["annotation"][..., layer])
        if "cloud" in sample:
            assert np.array_equal(dataset["opacity"][number], sample["cloud"])
    assert ("opacity" in dataset) == product.has_clouds


def test_products_are_labelled_lazily(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    product, read = ProductDataset(view / "clouded"), []
    frame = product.frame
    monkeypatch.setattr(product, "frame", lambda step: read.append(step) or frame(step))
    dataset = product.to_xarray()
    assert read == []
    assert dataset["label"].dims == ("y", "x")
    assert np.array_equal(dataset["frame"].sel(time=2), frame(2))
    assert read == [2]
    check(dataset, product)


def opened(path: Path, group: str | None = None) -> xr.Dataset:
    return xr.load_dataset(path, group=group, engine="zarr" if path.suffix == ".zarr" else "h5netcdf")


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_a_product_or_a_view_makes_one_file(view: Path, moving: Path, tmp_path: Path, suffix: str) -> None:
    one, changing, whole = (tmp_path / f"{name}.{suffix}" for name in ("one", "changing", "whole"))
    assert call(view / "clouded", f"--o={one}") == call(moving, f"--o={changing}") == call(view, f"--o={whole}") == 0
    check(opened(one), ProductDataset(view / "clouded"))
    check(opened(changing), ProductDataset(moving))
    assert opened(changing)["label"].dims == ("time", "y", "x")
    for name in ("clouded", "latent"):
        check(opened(whole, name), ProductDataset(view / name))
    assert call(view, f"--o={tmp_path / 'again'}", f"--format={suffix}") == 0
    before, after = tmp_path / "whole", tmp_path / "again/view"
    if suffix == "nc":
        assert before.with_suffix(".nc").read_bytes() == after.with_suffix(".nc").read_bytes()
    else:
        assert contents(before.with_suffix(".zarr")) == contents(after.with_suffix(".zarr"))


def test_a_data_set_makes_one_file_for_each_view(view: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in ("1", "10", "9"):
        (folder / number).symlink_to(view)
    (folder / "identity.json").write_text("{}")
    assert call(folder, f"--o={tmp_path / 'out'}", "--format=nc") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.nc", "10.nc", "9.nc"]
    check(opened(tmp_path / "out/9.nc", "latent"), ProductDataset(view / "latent"))


def test_a_folder_of_imported_tiles_makes_one_file_for_each(view: Path, tmp_path: Path) -> None:
    (view / "identity.json").write_text("{}")
    assert call(view, f"--o={tmp_path / 'out'}", "--format=nc") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clouded.nc", "latent.nc"]
    check(opened(tmp_path / "out/latent.nc"), ProductDataset(view / "latent"))


def geotiffs(folder: Path, pattern: str) -> Iterator[tuple[str, np.ndarray]]:
    for file in sorted(folder.glob(pattern)):
        with quiet(), rasterio.open(file) as dataset:
            assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            yield file.stem, dataset.read().transpose(1, 2, 0)


def test_geotiffs(view: Path, moving: Path, tmp_path: Path) -> None:
    assert call(view / "clouded", f"--o={tmp_path / 'out'}", "--format=cog") == 0
    product = ProductDataset(view / "clouded")
    names = ["frame_0", "frame_2", "instance", "label", "opacity_0", "opacity_2"]
    found = dict(geotiffs(tmp_path / "out", "*"))
    assert list(found) == names
    for name, array in found.items():
        kind, _, step = name.partition("_")
        sample = product.read(int(step or 0))
        layers = {"frame": sample["frame"], "opacity": sample["cloud"][..., None]}
        layers |= {"instance": sample["annotation"][..., :1], "label": sample["annotation"][..., 1:]}
        assert np.array_equal(array, layers[kind])
        assert array.dtype == layers[kind].dtype
    assert call(moving, f"--o={tmp_path / 'changing'}", "--format=cog") == 0
    for name, array in geotiffs(tmp_path / "changing", "label_*"):
        assert np.array_equal(array[..., 0], ProductDataset(moving).annotation(int(name.split("_")[1]))[..., 1])
    assert call(view, f"--o={tmp_path / 'both'}", "--format=cog") == 0
    assert {path.parent.name for path in (tmp_path / "both").glob("*/*.tif")} == {"latent", "clouded"}
    assert contents(tmp_path / "both/clouded") == contents(tmp_path / "out")


@pytest.mark.parametrize("place", PLACES)
def test_places_go_along(place: str, tmp_path: Path) -> None:
    product = scene()
    product.georeference = PLACES[place]
    export({tmp_path / "latent": product})
    stored = ProductDataset(tmp_path / "latent")
    assert stored.georeference == product.georeference
    assert call(tmp_path / "latent", f"--o={tmp_path / 'x.nc'}") == 0
    assert call(tmp_path / "latent", f"--o={tmp_path / 'tif'}", "--format=cog") == 0
    with quiet(), rasterio.open(tmp_path / "tif/frame_0.tif") as dataset:
        transform, crs = dataset.transform, dataset.crs
    found = opened(tmp_path / "x.nc")
    if product.georeference is None:
        assert transform.is_identity
        assert "spatial_ref" not in found
        return
    assert tuple(transform)[:6] == pytest.approx(product.georeference.transform, rel=1e-12)
    assert crs == rasterio.crs.CRS.from_wkt(product.georeference.crs)
    assert found["frame"].attrs["grid_mapping"] == "spatial_ref"
    corner = list(map(float, found["spatial_ref"].attrs["GeoTransform"].split()))
    assert corner == list(transform.to_gdal())
    assert ("x" in found.coords) == (place != "turned")
    if "x" in found.coords:
        centre = found["frame"][0, 3, 5].coords
        assert (centre["x"], centre["y"]) == pytest.approx(transform @ (5.5, 3.5))


def test_mistakes(view: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.nc").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").write_text("mine")
    assert call(view, f"--o={tmp_path / 'x.nc'}") == 0
    before = contents(tmp_path)
    capsys.readouterr()
    cases: list[tuple[list[str | Path], str]] = [
        ([view, f"--o={tmp_path / 'x'}"], "expected a name that ends in .nc or .zarr, or --format=nc, zarr, cog"),
        ([view, f"--o={tmp_path / 'x.nc'}"], "found an earlier export; pass --overwrite"),
        ([view, f"--o={tmp_path / 'mine.nc'}", "--overwrite"], "found something else than an export"),
        ([view, f"--o={tmp_path / 'notes'}", "--format=cog", "--overwrite"], "found something else than an export"),
        ([view, view / "latent", f"--o={tmp_path / 'y.nc'}"], "found 2 to export as nc, expected one as nc"),
        ([view, f"--o={tmp_path / 'y.nc'}", "--format=zarr"], "expected one as nc for that name"),
        ([view, view, f"--o={tmp_path / 'y'}", "--format=nc"], "found another 'view'"),
        ([tmp_path / "notes", f"--o={tmp_path / 'y.nc'}"], "notes: found no product in it"),
        ([tmp_path / "none", f"--o={tmp_path / 'y.nc'}"], "none: found no folder"),
    ]
    for arguments, message in cases:
        assert call(*arguments) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert shown.count("\n") == 1
    assert contents(tmp_path) == before
    assert call(view, f"--o={tmp_path / 'x.nc'}", "--overwrite") == 0
    assert contents(tmp_path) == before


def test_an_export_that_fails_leaves_nothing(view: Path, tmp_path: Path) -> None:
    (view / "clouded/frames/frame_2.h5").write_bytes(b"")
    for arguments in (
        [f"--o={tmp_path / 'x.nc'}"],
        [f"--o={tmp_path / 'x.zarr'}"],
        [f"--o={tmp_path / 'x'}", "--format=cog"],
    ):
        assert call(view / "clouded", *arguments) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["view"]
