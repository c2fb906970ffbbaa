"""Opacity that methods are told of: exactly, or as estimated from values, by a table fitted on training views."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.opacity import OpacityTable, fit_opacity
from src.rsgan.data.views import open_views, to_network_scale
from tests.rsgan.data.test_view_sets import cloud_removal


def make(root: Path, told: str = "estimated", **more: Any) -> ToyDataModule:
    return ToyDataModule(cloud_removal(root, opacity=told, **more), split_seed=3, seed=0)


def error(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((found - expected) ** 2)))


@pytest.mark.parametrize(("bands", "levels"), [(1, 40), (2, 9), (3, 5), (5, 2), (16, 2)])
def test_the_table_holds_conditional_means(bands: int, levels: int) -> None:
    """Values that differ by more than a bin: the best estimate is the mean opacity of all pixels of the same values."""
    rng = np.random.default_rng(bands)
    values = rng.integers(levels, size=(3000, bands)).astype(np.float32)
    values[:, 14:] = 0  # as many bands are looked at
    opacity = rng.random(len(values), dtype=np.float32)
    table = OpacityTable.fit(values, opacity)
    _, which = np.unique(values, axis=0, return_inverse=True)
    means = np.bincount(which, opacity) / np.bincount(which)
    np.testing.assert_allclose(table(values), means[which], rtol=1e-5)


def test_values_that_were_never_seen_take_the_nearest_estimate() -> None:
    table = OpacityTable.fit(np.float32([[0], [0], [1], [1]]), np.float32([0.2, 0.4, 0.9, 0.7]))
    np.testing.assert_allclose(table(np.float32([[-5], [0.3], [0.7], [9]])), [0.3, 0.3, 0.8, 0.8], rtol=1e-6)


def test_unseen_views_are_estimated_better_than_by_the_best_constant(roots: dict[str, Path]) -> None:
    data = make(roots["toy_cloud_removal"])
    for split in ("val", "test"):
        sample = data.series(split, 0, ("cloud", "opacity"))
        exact, told = sample["cloud"].numpy(), sample["opacity"].numpy()
        assert told.shape == exact.shape
        assert 0 <= told.min() <= told.max() <= 1
        assert error(told, exact) < 0.7 * error(exact.mean(), exact)


def test_only_training_views_are_learnt_from(roots: dict[str, Path], tmp_path: Path) -> None:
    root = Path(shutil.copytree(roots["toy_cloud_removal"], tmp_path / "set"))
    usual = make(root)
    for split in ("val", "test"):
        for name in usual.names[split]:
            shutil.rmtree(root / name / "clouded_optical")
            shutil.copytree(root / usual.names["train"][0] / "clouded_optical", root / name / "clouded_optical")
    for kind in ("source", "opacity"):
        found, expected = (data.series("train", 1, (kind,))[kind].numpy() for data in (make(root), usual))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("told", ["exact", "estimated"])
def test_opacity_is_the_last_band_of_the_source(told: str, roots: dict[str, Path]) -> None:
    """Also where the clouded product is no source."""
    usual = make(roots["toy_cloud_removal"], "none").series("test", 0, ("source", "cloud"))
    sample = make(roots["toy_cloud_removal"], told).series("test", 0, ("source", "opacity", "cloud"))
    np.testing.assert_array_equal(sample["source"][:, :-1], usual["source"])
    np.testing.assert_array_equal(sample["source"][:, -1:], to_network_scale(sample["opacity"].numpy()))
    np.testing.assert_array_equal(sample["cloud"], usual["cloud"])
    assert np.array_equal(sample["opacity"], sample["cloud"]) == (told == "exact")
    radar = make(roots["toy_cloud_removal"], told, sources=["sar"]).series("test", 0, ("source",))
    np.testing.assert_array_equal(radar["source"], sample["source"][:, 3:])


def test_without_clouds_nothing_is_estimated(roots: dict[str, Path]) -> None:
    config = cloud_removal(roots["toy_cloud_removal"], clouds="clean_optical", opacity="estimated")
    views = [*open_views(config).values()]
    assert not fit_opacity(views).means.any()
