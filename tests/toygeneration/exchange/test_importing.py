"""Series of real images as products: what is read, what is refused, and what comes back of what was exported."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
import xarray as xr
import yaml
from rasterio import Affine
from rasterio.crs import CRS
from rasterio.warp import transform

from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.exchange.georeferencing import quiet
from src.toygeneration.export import ProductDataset, export
from src.toygeneration.frames import Georeference
from tests.conftest import CLOUDS, MOVING_CLOUDS, contents, derivation, scene
from tests.toygeneration.exchange.test_writing import call as export_by
from tests.toygeneration.exchange.test_writing import opened
from utils import import_product
from utils.cli import run
from utils.number_lists import parse_numbers

UTM = CRS.from_epsg(32631)
NORTH_UP = Affine(10, 0, 500000, 0, -10, 4000000)
TRANSFORMS = {
    "north up": NORTH_UP,
    "upside down": Affine(10, 0, 500000, 0, 20, 4000000),
    "turned": Affine(8, 6, 500000.5, 6, -8, 4000000.25),
}
HEIGHT, WIDTH = 24, 30


def call(*arguments: str | Path) -> int:
    return run(import_product.build_parser(), import_product.main, [str(argument) for argument in arguments])


def write_raster(
    file: Path, values: np.ndarray, transform: Affine = NORTH_UP, crs: CRS | None = UTM, **more: Any
) -> None:
    """Write values `(H, W, C)` or `(H, W)` as a GeoTIFF."""
    bands = values.transpose(2, 0, 1) if values.ndim == 3 else values[None]
    profile = {"driver": "GTiff", "dtype": bands.dtype, "count": len(bands), "height": bands.shape[1]}
    file.parent.mkdir(parents=True, exist_ok=True)
    with (
        quiet(),
        rasterio.open(file, "w", **profile, width=bands.shape[2], crs=crs, transform=transform, **more) as made,
    ):
        made.write(bands)


def write_series(folder: Path, series: np.ndarray, names: list[str], **more: Any) -> None:
    for name, values in zip(names, series, strict=True):
        write_raster(folder / name, values, **more)


def counts(steps: int = 3, bands: int = 4, size: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    return np.random.default_rng(steps * bands).integers(1, 10000, (steps, *size, bands)).astype(np.uint16)


@pytest.mark.parametrize("how", TRANSFORMS)
@pytest.mark.parametrize("bands", [3, 13])
def test_a_series_of_geotiffs(how: str, bands: int, tmp_path: Path) -> None:
    series, names = counts(bands=bands), ["S2_20230412_b.tif", "S2_20230401_a.tif", "S2_20230412_a.tif"]
    write_series(
        tmp_path / "images", series, names, transform=TRANSFORMS[how], tiled=True, blockxsize=16, blockysize=16
    )
    (tmp_path / "images/readme.tif").write_text("no image")
    out = tmp_path / "latent"
    options = ["--pattern=S2_{date:%Y%m%d}*.tif", "--scale=0.0001", "--offset=-0.1", f"--o={out}"]
    assert call(tmp_path / "images", *options) == 0
    product = ProductDataset(out)
    assert product.steps == [0, 1, 2]
    assert [f"{date:%d}" for date in product.dates] == ["01", "12", "12"]
    assert product.georeference.transform == tuple(TRANSFORMS[how])[:6]
    assert CRS.from_wkt(product.georeference.crs) == UTM
    for step, number in enumerate((1, 2, 0)):
        expected = series[number].astype(np.float32) * np.float32(0.0001) + np.float32(-0.1)
        assert np.array_equal(product.frame(step), expected)
        assert not product.annotation(step).any()
    assert product.seeds == (0,)
    before = contents(out)
    assert call(tmp_path / "images", *options, "--overwrite") == 0
    assert contents(out) == before


def test_bands_are_chosen_by_number_or_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = counts(steps=2)
    write_series(tmp_path / "whole", series, ["20230101.tif", "20230102.tif"])
    for step, band in itertools.product(range(2), range(4)):
        write_raster(tmp_path / f"apart/{step + 1:02d}/2023_B0{band + 1}.tif", series[step, ..., band])
    scale = "--scale=1e-4"
    assert call(tmp_path / "whole", "--pattern={date}.tif", "--bands=4,1", scale, f"--o={tmp_path / 'a'}") == 0
    pattern = "--pattern={date:%m}/2023_{band}.tif"
    assert call(tmp_path / "apart", pattern, "--bands=B04,B01", scale, f"--o={tmp_path / 'b'}") == 0
    assert call(tmp_path / "apart", pattern, scale, f"--o={tmp_path / 'c'}") == 0
    (tmp_path / "apart/02/2023_B03.tif").rename(tmp_path / "apart/02/2023_B05.tif")
    assert call(tmp_path / "apart", pattern, scale, f"--o={tmp_path / 'd'}") == 2
    assert "found bands B01, B02, B04, B05, expected B01, B02, B03, B04" in capsys.readouterr().err
    first, other, whole = (ProductDataset(tmp_path / name) for name in "abc")
    for step in range(2):
        assert np.array_equal(first.frame(step), other.frame(step))
        assert np.array_equal(whole.frame(step)[..., [3, 0]], other.frame(step))


@pytest.mark.parametrize("fill", ["null", "previous", "linear"])
@pytest.mark.parametrize("how", ["nodata in the files", "nodata given", "masks", "NaN"])
def test_pixels_without_a_value(how: str, fill: str, tmp_path: Path) -> None:
    series, values = counts(steps=4), ["20230101", "20230102", "20230104", "20230109"]
    missing = np.zeros(series.shape[:3], bool)
    missing[1:3, 5, 6] = missing[0, 2, 3] = missing[3, 4, 4] = True
    options, kept = [f"--fill={fill}", "--scale=0.0001"], series.copy()
    names = [f"{value}.tif" for value in values]
    if how == "masks":
        write_series(tmp_path / "masks", np.where(missing, 3, 1).astype(np.uint8), names)
        options += ["--masks=../masks/{date}.tif", "--masked=3,8"]
    elif how == "NaN":
        kept = series.astype(np.float32)
        kept[missing] = np.nan
    else:
        kept[missing, 1] = 0
    write_series(tmp_path / "images", kept, names, **({"nodata": 0} if how == "nodata in the files" else {}))
    options += ["--nodata=0"] if how == "nodata given" else []
    if how == "masks":
        shutil.copytree(tmp_path / "masks", tmp_path / "images/masks")
        options[2] = "--masks=masks/{date}.tif"
    status = call(tmp_path / "images", "--pattern={date}.tif", *options, f"--o={tmp_path / 'out'}")
    if fill == "null":
        assert status == 2  # every step has a gap
        return
    assert status == 0
    product, scaled = ProductDataset(tmp_path / "out"), series.astype(np.float32) * np.float32(0.0001)
    frames = np.stack([product.frame(step) for step in range(4)])
    assert np.array_equal(frames[~missing], scaled[~missing])
    assert np.array_equal(frames[0, 2, 3], scaled[1, 2, 3])
    assert np.array_equal(frames[3, 4, 4], scaled[2, 4, 4])
    days = np.array([0, 1, 3, 8]) / 8
    for step in (1, 2):
        line = scaled[0, 5, 6] + days[step] * (scaled[3, 5, 6] - scaled[0, 5, 6])
        assert np.allclose(frames[step, 5, 6], scaled[0, 5, 6] if fill == "previous" else line, atol=1e-6)


def test_steps_with_gaps_become_null(tmp_path: Path) -> None:
    series = counts(steps=3)
    series[1, 3, 4, 2] = 0
    write_series(tmp_path / "images", series, ["f_0.tif", "f_2.tif", "f_5.tif"], nodata=0)
    assert call(tmp_path / "images", "--pattern=f_{step}.tif", "--scale=1e-4", f"--o={tmp_path / 'out'}") == 0
    product = ProductDataset(tmp_path / "out")
    assert product.steps == [0, 5]
    assert len(product) == 6
    assert product.dates is None


def polygons(folder: Path, suffix: str, crs: int | None = 32631) -> Path:
    """Two fields of wheat, one of maize, a lake without a class, and a track, which has no area."""
    x, y = NORTH_UP.c, NORTH_UP.f
    boxes = [(0, 0, 10, 12), (10, 0, 20, 12), (0, 12, 20, 24), (20, 0, 30, 24)]
    shapes = [shapely.box(x + 10 * a, y - 10 * d, x + 10 * c, y - 10 * b) for a, b, c, d in boxes]
    if crs == 4326:
        shapes = [
            shapely.transform(s, lambda xy: np.column_stack(transform(UTM, CRS.from_epsg(4326), *xy.T))) for s in shapes
        ]
    columns = [
        np.array(["wheat", "maize", "wheat", None], object),
        np.array([7, 7, 8, 9]),
        np.array([20000, 5, 20000, 0]),
    ]
    file = folder / f"fields{suffix}"
    pyogrio.raw.write(
        file,
        shapely.to_wkb(np.array(shapes)),
        columns,
        ["crop", "farm", "code"],
        geometry_type="Polygon",
        crs=f"EPSG:{crs}",
    )
    return file


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson"])
def test_polygons_become_parcels_and_classes(suffix: str, tmp_path: Path) -> None:
    write_series(tmp_path / "images", counts(), ["f_0.tif", "f_1.tif", "f_2.tif"])
    labels = polygons(tmp_path, suffix, 4326 if suffix == ".geojson" else 32631)
    options = ["--pattern=f_{step}.tif", "--scale=1e-4", f"--labels={labels}"]
    for name, more in {
        "plain": ["--label-field=crop"],
        "farms": ["--label-field=crop", "--instance-field=farm"],
        "ordered": ["--label-field=crop", "--classes=wheat,maize"],
        "coded": ["--label-field=code", "--classes=5,20000"],
        "chosen": ["--label-field=crop", "--classes=oats,wheat"],
    }.items():
        assert call(tmp_path / "images", *options, *more, f"--o={tmp_path / name}") == 0
    instances, classes = np.zeros((2, HEIGHT, WIDTH), int)
    instances[:12, :10], instances[:12, 10:20], instances[12:, :20] = 1, 2, 3
    classes[instances > 0] = 2
    classes[instances == 2] = 1
    for name in ("plain", "farms", "ordered", "coded"):
        found = ProductDataset(tmp_path / name).annotation(1)
        known = {"farms": np.array([0, 1, 1, 2])[instances]}.get(name, instances)
        assert np.array_equal(found[..., 0], known)
        assert np.array_equal(found[..., 1], np.array([0, 2, 1])[classes] if name == "ordered" else classes)
    chosen = ProductDataset(tmp_path / "chosen").annotation(0)
    assert np.array_equal(chosen[..., 1], np.array([0, 0, 2])[classes])
    assert np.array_equal(chosen[..., 0], np.where(classes == 2, instances, 0))
    assert ProductDataset(tmp_path / "ordered").provenance()["classes"] == {"1": "wheat", "2": "maize"}


@pytest.mark.parametrize("resolution", [1, 2])
def test_a_raster_of_labels_may_have_other_pixels(resolution: int, tmp_path: Path) -> None:
    write_series(tmp_path / "images", counts(), ["f_0.tif", "f_1.tif", "f_2.tif"])
    classes = np.zeros((HEIGHT, WIDTH), np.uint16)
    classes[:8, :10], classes[:8, 10:20], classes[16:, :] = 4, 9, 4
    coarse = classes[::resolution, ::resolution]
    write_raster(tmp_path / "labels.tif", coarse, NORTH_UP @ Affine.scale(resolution), nodata=9)
    options = ["--pattern=f_{step}.tif", "--scale=1e-4", f"--labels={tmp_path / 'labels.tif'}"]
    assert call(tmp_path / "images", *options, f"--o={tmp_path / 'out'}") == 0
    found = ProductDataset(tmp_path / "out").annotation(0)
    assert np.array_equal(found[..., 1], np.where(classes == 9, 0, classes))
    assert np.array_equal(
        found[..., 0], np.select([classes == 9, np.arange(HEIGHT)[:, None] > 10], [0, 2], 1) * (classes > 0)
    )


def test_classes_of_a_raster_are_chosen_and_numbered(tmp_path: Path) -> None:
    write_series(tmp_path / "images", counts(2), ["f_0.tif", "f_1.tif"])
    codes = np.random.default_rng(0).choice([0, 211, 5, 3110, 60000], (HEIGHT, WIDTH)).astype(np.uint16)
    write_raster(tmp_path / "labels.tif", codes)
    options = ["--pattern=f_{step}.tif", "--scale=1e-4", f"--labels={tmp_path / 'labels.tif'}"]
    assert call(tmp_path / "images", *options, "--classes=3110,5,211", f"--o={tmp_path / 'out'}") == 0
    found = ProductDataset(tmp_path / "out").annotation(0)[..., 1]
    assert np.array_equal(found, np.select([codes == 3110, codes == 5, codes == 211], [1, 2, 3], 0))


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
@pytest.mark.parametrize("name", ["latent", "clouded", "moving", "shadowed"])
def test_products_come_back_to_the_bit(
    name: str,
    suffix: str,
    view: Path,
    moving: Path,
    tmp_path: Path,
) -> None:
    shadowed = DerivedProduct(derivation(corruption=MOVING_CLOUDS), ProductDataset(view / "latent"), 5)
    export({view / "shadowed": shadowed})
    source = moving if name == "moving" else view / name
    exported, back = tmp_path / f"x.{suffix}", tmp_path / "back"
    assert export_by(source, f"--o={exported}") == 0
    assert call(exported, f"--o={back}") == 0
    before, after = contents(source), contents(back)
    assert before.pop("index.json") != after.pop("index.json")
    assert before == after
    if name != "moving":  # as a group of its view
        assert export_by(view, f"--o={tmp_path / f'view.{suffix}'}") == 0
        assert call(tmp_path / f"view.{suffix}", f"--variable={name}/frame", f"--o={tmp_path / 'group'}") == 0
        assert {**contents(tmp_path / "group"), "index.json": 0} == {**before, "index.json": 0}
    assert len(ProductDataset(back)) == len(ProductDataset(source))
    assert ProductDataset(back).provenance()["format_version"] == (2 if name == "shadowed" else 1)


def test_geotiffs_come_back_to_the_bit(tmp_path: Path) -> None:
    product = scene()
    product.georeference = Georeference(crs=UTM.to_wkt(), transform=tuple(TRANSFORMS["turned"])[:6])
    export({tmp_path / "latent": product})
    assert export_by(tmp_path / "latent", f"--o={tmp_path / 'x'}", "--format=cog") == 0
    labels = [f"--labels={tmp_path / 'x/label.tif'}", f"--instances={tmp_path / 'x/instance.tif'}"]
    assert call(tmp_path / "x", "--pattern=frame_{step}.tif", *labels, f"--o={tmp_path / 'back'}") == 0
    before, after = contents(tmp_path / "latent"), contents(tmp_path / "back")
    assert before.pop("index.json") != after.pop("index.json")
    assert before == after
    assert ProductDataset(tmp_path / "back").georeference == product.georeference


def test_dates_and_places_go_through_everything(tmp_path: Path, write_yaml: Callable[..., Path]) -> None:
    """From GeoTIFFs to a derived product, NetCDF, and a product again."""
    write_series(tmp_path / "images", counts(), ["20230101T1005.tif", "20230101T1015.tif", "20230203T0000.tif"])
    pattern = "--pattern={date:%Y%m%dT%H%M}.tif"
    assert call(tmp_path / "images", pattern, "--scale=1e-4", f"--o={tmp_path / 'latent'}") == 0
    latent = ProductDataset(tmp_path / "latent")
    coarser = {"aggregation": {"name": "convolution", "kernel": {"sigma": 1.0}}}
    config = derivation(target_size={"width": WIDTH // 2, "height": HEIGHT // 3}, corruption=CLOUDS, **coarser)
    export({tmp_path / "derived": DerivedProduct(config, latent, 5)})
    assert export_by(tmp_path / "derived", f"--o={tmp_path / 'x.nc'}") == 0
    assert call(tmp_path / "x.nc", f"--o={tmp_path / 'back'}") == 0
    derived, back = ProductDataset(tmp_path / "derived"), ProductDataset(tmp_path / "back")
    assert back.dates == derived.dates == latent.dates
    assert back.georeference == derived.georeference
    assert back.georeference.transform == (20, 0, 500000, 0, -30, 4000000)
    assert opened(tmp_path / "x.nc")["time"].dt.minute.values.tolist() == [5, 15, 0]
    assert export_by(tmp_path / "back", f"--o={tmp_path / 'tif'}", "--format=cog") == 0
    assert (tmp_path / "tif/frame_1_20230101T101500.tif").is_file()


def test_arrays_and_variables(tmp_path: Path) -> None:
    series, mask = counts(steps=3, bands=5), np.zeros((3, HEIGHT, WIDTH), np.uint8)
    mask[1, 2, 3] = 1
    np.save(tmp_path / "x.npy", series)
    np.save(tmp_path / "mask.npy", mask)
    dates = np.array(["2023-01-01", "2023-01-03", "2023-01-03"], "datetime64[ns]")
    dataset = xr.Dataset(
        {"refl": (("band", "lat", "lon", "time"), series.transpose(3, 1, 2, 0)), "scl": (("time", "lat", "lon"), mask)},
        {"time": dates, "lat": 50 - 0.1 * np.arange(HEIGHT), "lon": 5 + 0.1 * np.arange(WIDTH)},
    )
    dataset["refl"].encoding = {"_FillValue": 0}
    dataset.to_netcdf(tmp_path / "x.nc")
    dataset.to_zarr(tmp_path / "x.zarr", zarr_format=2)
    options = ["--scale=1e-4", "--bands=5,2", "--fill=previous"]
    assert call(tmp_path / "x.npy", *options, f"--masks={tmp_path / 'mask.npy'}", f"--o={tmp_path / 'a'}") == 0
    for suffix in ("nc", "zarr"):
        more = ["--variable=refl", "--masks=scl", f"--o={tmp_path / suffix}"]
        assert call(tmp_path / f"x.{suffix}", *options, *more) == 0
    expected = series[..., [4, 1]].astype(np.float32) * np.float32(1e-4)
    expected[1, 2, 3] = expected[0, 2, 3]
    for name in ("a", "nc", "zarr"):
        product = ProductDataset(tmp_path / name)
        assert np.array_equal([product.frame(step) for step in range(3)], expected)
        if name != "a":
            assert product.georeference.transform == pytest.approx((0.1, 0, 4.95, 0, -0.1, 50.05))
            assert [date.day for date in product.dates] == [1, 3, 3]


def test_tiles_are_windows_of_the_scene(tmp_path: Path) -> None:
    """With values, parcels, places and holes of their own; whatever is in memory at once."""
    series = counts(steps=3, size=(50, 62))
    series[1, 13, 25] = 0  # tile 2, 3 from 0
    series[:, 45, 58] = 0  # tile 7, 9
    names = ["f_0.tif", "f_1.tif", "f_2.tif"]
    write_series(tmp_path / "images", series, names, nodata=0)
    labels = np.arange(50 * 62).reshape(50, 62) // 7 % 3
    write_raster(tmp_path / "labels.tif", labels.astype(np.uint8))
    write_raster(tmp_path / "parcels.tif", (np.arange(50 * 62).reshape(50, 62) * 1000).astype(np.uint32))
    options = [f"--labels={tmp_path / 'labels.tif'}", f"--instances={tmp_path / 'parcels.tif'}", "--tile=6"]
    options += ["--pattern=f_{step}.tif", "--scale=1e-4", "--block=2", f"--o={tmp_path / 'out'}"]
    assert call(tmp_path / "images", *options) == 0
    made = {int(path.name) for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert made == set(range(1, 81)) - {7 * 10 + 9 + 1}
    for number in made:
        product, (row, column) = ProductDataset(tmp_path / "out" / str(number)), divmod(number - 1, 10)
        window = slice(6 * row, 6 * row + 6), slice(6 * column, 6 * column + 6)
        assert product.steps == ([0, 2] if number == 25 else [0, 1, 2])
        assert product.seeds == (number,)
        assert product.georeference.transform[2::3] == (500000 + 60 * column, 4000000 - 60 * row)
        for step in product.steps:
            assert np.array_equal(product.frame(step), series[step][window] * np.float32(1e-4))
            instances, classes = np.moveaxis(product.annotation(step), -1, 0)
            assert np.array_equal(classes, np.where((row, column) == (0, 0), labels[window], labels[window]))
            assert len(np.unique(instances[classes > 0])) == (classes > 0).sum()
    split = yaml.safe_load((tmp_path / "out/split.yaml").read_text())["dataset"]["split"]
    assert list(split) == ["train", "val", "test"]
    before = contents(tmp_path / "out")
    assert call(tmp_path / "images", *options, "--overwrite") == 0
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_a_file_of_groups_says_what_is_in_it(
    suffix: str, view: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"view.{suffix}"
    assert export_by(view, f"--o={file}") == 0
    assert call(file, f"--o={tmp_path / 'out'}") == 2
    assert "expected --variable to name one of clouded/frame, latent/frame\n" in capsys.readouterr().err
    assert call(file, "--variable=sar/frame", f"--o={tmp_path / 'out'}") == 2
    assert "correct --variable" in capsys.readouterr().err


def mistakes() -> list[tuple[str, Callable[[Path], list[str]], str]]:
    """What is done to a good series, with which options, and what is said of it."""

    def other(name: str, **how: Any) -> Callable[[Path], list[str]]:
        def make(folder: Path) -> list[str]:
            write_raster(folder / name, how.pop("values", counts(1)[0]), **how)
            return []

        return make

    def polygons_elsewhere(folder: Path) -> list[str]:
        file = polygons(folder.parent, ".gpkg", 32633)
        return [f"--labels={file}", "--label-field=crop"]

    def labels(**how: Any) -> Callable[[Path], list[str]]:
        def make(folder: Path) -> list[str]:
            write_raster(folder.parent / "labels.tif", **how)
            return [f"--labels={folder.parent / 'labels.tif'}"]

        return make

    def broken(folder: Path) -> list[str]:
        (folder / "S2_20230501.tif").write_text("x")
        return []

    small, plain = np.ones((HEIGHT, WIDTH), np.uint16), counts(1)[0]
    return [
        ("no pattern", lambda _: ["--pattern=*.tif"], "--pattern: found no date in '*.tif', expected one such as"),
        ("no file", lambda _: ["--pattern=S3_{date}.tif"], "found no file whose name has what --pattern=S3_{date}.tif"),
        ("no date", lambda _: ["--pattern=S2_{date:%d%m%Y}.tif"], "found no date in '20230401'"),
        ("no form", lambda _: ["--pattern=S2_{date:%Q}.tif"], "found '%Q' as the form of a date, expected some of %Y"),
        ("sizes", other("S2_20230501.tif", values=plain[:-1]), "found 30x23 pixels, expected 30x24"),
        ("CRS", other("S2_20230501.tif", crs=CRS.from_epsg(32632)), "found the CRS EPSG:32632, expected EPSG:32631"),
        ("places", other("S2_20230501.tif", transform=TRANSFORMS["turned"]), "found another place than"),
        ("bands", other("S2_20230501.tif", values=plain[..., :2]), "found 2 bands, expected as many as"),
        ("no band", lambda _: ["--bands=1,5"], "--bands: found no band '5', expected some of 1, 2, 3, 4"),
        ("no scale", lambda _: ["--scale=1"], "expected reflectances, nominally 0 to 1; bring them there with --scale"),
        ("zero", lambda _: ["--scale=0"], "command line: scale: found 0, expected another number"),
        ("fill", lambda _: ["--fill=spline"], "command line: fill: found 'spline', expected 'null', 'previous' or"),
        ("masked", lambda _: ["--masks=m_{date}.tif", "--masked=x"], "--masked: found 'x', expected numbers"),
        ("masks", lambda _: ["--masks=m_{date}.tif"], "found no file whose name has what --masks=m_{date}.tif"),
        ("elsewhere", polygons_elsewhere, "found 4 polygons, none of them on the images"),
        (
            "field",
            lambda f: [f"--labels={polygons(f.parent, '.gpkg')}"],
            "and no --label-field for their class, expected one",
        ),
        (
            "other field",
            lambda f: [f"--labels={polygons(f.parent, '.gpkg')}", "--label-field=plant"],
            "found no field 'plant', expected one of crop, farm, code",
        ),
        (
            "classes",
            lambda f: [f"--labels={polygons(f.parent, '.gpkg')}", "--label-field=crop", "--classes=oats"],
            "found no polygon of the classes oats",
        ),
        (
            "codes",
            lambda f: [f"--labels={polygons(f.parent, '.gpkg')}", "--label-field=code"],
            "found classes from 0 to 20000",
        ),
        (
            "outside",
            labels(values=small, transform=Affine(10, 0, 9e5, 0, -10, 4e6)),
            "found labels outside of the images",
        ),
        ("no grid", labels(values=small[:5], crs=None), "found a raster of labels of 30x5 pixels, expected 30x24"),
        ("floats", labels(values=small.astype(np.float32)), "found values of type float32, expected whole numbers"),
        ("no labels", lambda _: ["--labels=none.tif"], "none.tif: no such file"),
        ("tile", lambda _: ["--tile=25"], "--tile: found 25 pixels, expected at most the side of the images, 30x24"),
        ("blocks", lambda _: ["--tile=10", "--block=4"], "--tile: found 6 train, 0 val, 0 test views among 6"),
        ("shares", lambda _: ["--tile=4", "--shares=0.5,0.1,0.1"], "shares: found 0.5, 0.1, 0.1, expected shares"),
        ("broken", broken, "cannot be read as a raster"),
        ("a file", lambda f: [f"--o={f / 'S2_20230401.tif'}"], "found a file or link, expected a new folder"),
    ]


@pytest.mark.parametrize(("make", "message"), [pytest.param(*rest, id=name) for name, *rest in mistakes()])
def test_mistakes(
    make: Callable[[Path], list[str]], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    write_series(folder, counts(2), ["S2_20230401.tif", "S2_20230413.tif"])
    options = ["--pattern=S2_{date}.tif", "--scale=1e-4", f"--o={tmp_path / 'out'}", *make(folder)]
    assert call(folder, *options) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_only_what_an_import_made_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(tmp_path / "images", counts(2), ["f_0.tif", "f_1.tif"])
    options = ["--pattern=f_{step}.tif", "--scale=1e-4", "--tile=3", "--block=2", f"--o={tmp_path / 'out'}"]
    assert call(tmp_path / "images", *options) == 0
    assert call(tmp_path / "images", *options) == 2
    assert "found an earlier import; pass --overwrite" in capsys.readouterr().err
    (tmp_path / "out/5/mine.txt").write_text("mine")
    assert call(tmp_path / "images", *options, "--overwrite") == 2
    assert "'mine.txt' in it, which is never replaced" in capsys.readouterr().err
    assert (tmp_path / "out/5/mine.txt").exists()


def test_places_for_testing_are_held_out(tmp_path: Path) -> None:
    write_series(tmp_path / "images", counts(2), ["f_0.tif", "f_1.tif"])
    options = ["--pattern=f_{step}.tif", "--scale=1e-4", "--tile=3", "--block=2", f"--o={tmp_path / 'out'}"]
    assert call(tmp_path / "images", *options) == 0
    split = yaml.safe_load((tmp_path / "out/split.yaml").read_text())["dataset"]["split"]
    held_out = {
        int(view.parent.name)
        for view in (tmp_path / "out").glob("*/index.json")
        if ProductDataset(view.parent).is_held_out
    }
    assert held_out == set(parse_numbers(split["test"]))
