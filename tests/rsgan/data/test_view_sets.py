"""Views on disk: order, values, and everything that can be wrong with them, said at once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.opacity import fit_opacity
from src.rsgan.data.views import View, natural, open_views, to_network_scale
from src.toygeneration.dataset.views import build_views
from src.toygeneration.export import ProductDataset, export
from tests.conftest import MOVING_CLOUDS, make_dataset, scene
from tests.rsgan.conftest import HORIZON, SIDE, VIEWS, derive, small_task
from utils.errors import DataError

COMMON = {"split": {"train": 0.7, "val": 0.15, "test": 0.15}, "dataloader": {"batch_size": 4}}


def dataset(root: Path, name: str, **more: Any) -> DatasetConfig:
    return DatasetConfig.model_validate({"name": name, "root": str(root), **COMMON, **more})


def cloud_removal(root: Path, **more: Any) -> DatasetConfig:
    return dataset(root, "toy_cloud_removal", **more)


@pytest.fixture
def copy(roots: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(roots["toy_cloud_removal"], tmp_path / "set"))


def test_views_come_in_natural_order(tmp_path: Path) -> None:
    names = ["10", "9", "view 2", "view 10", "1", "01", "a", "1b"]
    assert sorted(names, key=natural) == ["01", "1", "1b", "9", "10", "a", "view 2", "view 10"]


def test_what_a_view_holds(roots: dict[str, Path]) -> None:
    root = roots["toy_cloud_removal"]
    views = open_views(cloud_removal(root))
    assert list(views) == [str(number) for number in range(1, VIEWS + 1)]
    products = {name: ProductDataset(root / "3" / name) for name in ("clean_optical", "clouded_optical", "sar")}
    view = views["3"]
    assert (view.features.height, view.features.width, view.features.horizon) == (SIDE, SIDE, HORIZON)
    source = view.read(2, "source")
    np.testing.assert_array_equal(source[..., :3], to_network_scale(products["clouded_optical"].frame(2)))
    np.testing.assert_array_equal(source[..., 3:], to_network_scale(products["sar"].frame(2)))
    np.testing.assert_array_equal(view.read(2, "target"), to_network_scale(products["clean_optical"].frame(2)))
    np.testing.assert_array_equal(view.read(2, "annotation"), products["clean_optical"].annotation(2))
    np.testing.assert_array_equal(view.read(2, "cloud")[..., 0], products["clouded_optical"].cloud(2))


def test_network_scale() -> None:
    assert to_network_scale(np.float32([0, 0.5, 1, 1.5, -0.5])).tolist() == [-1, 0, 1, 2, -2]


def test_a_product_without_clouds_is_clear(roots: dict[str, Path]) -> None:
    root = roots["toy_sar_to_optical"]
    for more in ({}, {"clouds": "optical"}):
        view = next(iter(open_views(dataset(root, "toy_sar_to_optical", **more)).values()))
        assert view.read(0, "source").shape == (SIDE, SIDE, 3)
        assert view.read(0, "cloud").shape == (SIDE, SIDE, 1)
        assert not view.read(0, "cloud").any()
        assert not view.read(0, "shadow").any()


def test_sources_are_whatever_the_file_says(roots: dict[str, Path]) -> None:
    """Clouds are known even where the clouded product is no source."""
    root = roots["toy_cloud_removal"]
    usual = open_views(cloud_removal(root))["3"]
    own = {"sources": ["sar", "clean_optical"], "target": "clouded_optical", "clouds": "clouded_optical"}
    for config in (cloud_removal(root, **own), dataset(root, "anything", **own)):
        view = open_views(config)["3"]
        np.testing.assert_array_equal(view.read(1, "source")[..., :3], usual.read(1, "source")[..., 3:])
        np.testing.assert_array_equal(view.read(1, "source")[..., 3:], usual.read(1, "target"))
        np.testing.assert_array_equal(view.read(1, "target"), usual.read(1, "source")[..., :3])
    view = open_views(cloud_removal(root, sources=["sar"]))["3"]
    np.testing.assert_array_equal(view.read(1, "cloud"), usual.read(1, "cloud"))


def lose(product: Path, *steps: int) -> None:
    index = json.loads((product / "index.json").read_text())
    index["files"] |= {str(step): None for step in steps}
    (product / "index.json").write_text(json.dumps(index))


def test_steps_without_a_target_are_left_out(copy: Path) -> None:
    for view in filter(Path.is_dir, copy.iterdir()):
        lose(view / "clean_optical", 1, 4)
    view = open_views(cloud_removal(copy))["2"]
    assert view.features.steps == (0, 2, 3, 5)
    clean = ProductDataset(copy / "2" / "clean_optical")
    np.testing.assert_array_equal(view.read(1, "target"), to_network_scale(clean.frame(2)))


@pytest.mark.parametrize("told", ["exact", "estimated"])
def test_where_a_sensor_saw_nothing_all_is_clouded_and_its_frame_is_zero(copy: Path, told: str) -> None:
    """Its views have the same steps as others: a method is told that there is nothing to see."""
    lose(copy / "2/clouded_optical", 1, 4)
    lose(copy / "2/sar", 1, 2)
    views = open_views(cloud_removal(copy, opacity=told))
    view = views["2"].estimating(lambda values: values[..., 0] * 0 + 0.25)
    clouded = ProductDataset(copy / "2/clouded_optical")
    assert view.features == views["3"].features
    source = view.read(1, "source")
    assert not source[..., :6].any()
    assert (source[..., 6] == 1).all()
    assert (view.read(4, "cloud") == 1).all()
    assert (view.read(4, "opacity") == 1).all()
    assert not view.read(4, "shadow").any()
    np.testing.assert_array_equal(view.read(2, "source")[..., :3], to_network_scale(clouded.frame(2)))
    assert not view.read(2, "source")[..., 3:6].any()
    assert (view.read(2, "opacity")[..., 0] == (clouded.cloud(2) if told == "exact" else 0.25)).all()
    assert view.clouded_numbers() == [0, 2, 3, 5]


def test_without_a_target_there_are_the_steps_at_which_anything_was_seen(copy: Path) -> None:
    lose(copy / "2/clouded_optical", 1, 4)
    lose(copy / "2/sar", 1, 2)
    products = {name: ProductDataset(copy / "2" / name) for name in ("clouded_optical", "sar")}
    view = View("2", products, cloud_removal(copy))
    assert view.features.steps == (0, 2, 3, 4, 5)
    assert not view.read(3, "source")[..., :3].any()


def test_estimates_of_opacity_are_of_what_was_seen(copy: Path) -> None:
    whole = fit_opacity([open_views(cloud_removal(copy, opacity="estimated"))["2"]])
    lose(copy / "2/clouded_optical", 1)
    fewer = fit_opacity([open_views(cloud_removal(copy, opacity="estimated"))["2"]])
    assert whole.means.max() <= 1
    grey = np.full((1, 3), 0, np.float32)  # what stands for a frame that isn't there
    assert fewer(grey) == pytest.approx(whole(grey), abs=0.3)
    assert fewer(grey) < 0.99


def test_shadows_are_those_of_the_clouded_product(tmp_path: Path) -> None:
    task = small_task("clean_optical", clouded_optical=derive("clean_optical", corruption=MOVING_CLOUDS))
    assert build_views(task, tmp_path, [1], njobs=1) == {}
    view = open_views(cloud_removal(tmp_path))["1"]
    clouded = ProductDataset(tmp_path / "1/clouded_optical")
    np.testing.assert_array_equal(view.read(2, "shadow")[..., 0], clouded.shadow(2))
    assert view.read(2, "shadow").any()


def test_files_and_hidden_folders_are_no_views(copy: Path) -> None:
    for folder in (".3.partial-host@1-abc", ".ipynb_checkpoints", "3/.ipynb_checkpoints", "3/sar/.ipynb_checkpoints"):
        (copy / folder).mkdir()
    (copy / "notes.txt").write_text("x")
    assert len(open_views(cloud_removal(copy))) == VIEWS


def replace(folder: Path, **changes: object) -> None:
    shutil.rmtree(folder)
    settings = {"product__size": {"width": SIDE, "height": SIDE}, "product__horizon": HORIZON} | changes
    export({folder: scene(1, make_dataset(nbands=settings.get("ts__ndim", 3)), **settings)})


def drop(folder: Path) -> None:
    shutil.rmtree(folder)


BREAKS: list[tuple[Callable[[Path], None], str]] = [
    (lambda root: drop(root / "5/sar"), r"view 5: .*5/sar/index.json: no such file, expected the index of a product"),
    (lambda root: replace(root / "5/sar", product__size={"width": 8, "height": SIDE}), r"differ in size .*sar 8x16"),
    (
        lambda root: replace(root / "5/clean_optical", product__horizon=5),
        r"view 5: found .* 5 time steps.*expected .* 6 time steps",
    ),
    (
        lambda root: [lose(root / "5/sar", 1, 2, 3, 4, 5), lose(root / "5/clean_optical", 0)],
        r"view 5: sar has no frame at any of the time steps of the target, clean_optical; make the view again",
    ),
    (lambda root: replace(root / "5/sar", ts__ndim=2, product__nbands=2), r"view 5: found .*sar 2.*expected .*sar 3"),
    (
        lambda root: (root / "5/sar/frames/frame_0.h5").write_bytes(b"x"),
        "view 5: .*frame_0.h5: unusable frame",
    ),
    (
        lambda root: [drop(view) for view in root.glob("[0-9]*")],
        "found no views, expected folders that hold clouded_opt",
    ),
    (lambda root: drop(root), "no such folder; build the data set"),
]


@pytest.mark.parametrize(("spoil", "message"), BREAKS)
def test_what_is_wrong_with_a_view_is_named(spoil: Callable[[Path], None], message: str, copy: Path) -> None:
    spoil(copy)
    with pytest.raises(DataError, match=message):
        open_views(cloud_removal(copy))


def test_all_views_that_are_wrong_are_named_together(copy: Path) -> None:
    drop(copy / "2/sar")
    replace(copy / "7/clean_optical", product__horizon=5)
    with pytest.raises(DataError, match=r"2 problems: \(1\) view 2: .* \(2\) view 7: ") as error:
        open_views(cloud_removal(copy))
    assert "\n" not in str(error.value)
    for number in (1, 3, 4, 5, 6, 8):
        drop(copy / str(number) / "sar")
    with pytest.raises(DataError, match=r"and 2 more views"):
        open_views(cloud_removal(copy))
