"""Tangential scale distortion against a direct evaluation of its formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.toygeneration.modules.deformations.tangential_scale_distortion import TangentialScaleDistortion
from src.toygeneration.modules.resampling import AxisMap, resample
from tests.conftest import DISTORTION
from utils.errors import ConfigError


def distortion(**changes: object) -> TangentialScaleDistortion:
    return TangentialScaleDistortion.model_validate(DISTORTION | changes)


@pytest.mark.parametrize(("before", "after"), [(337, 256), (2689, 2048), (85, 64)])
def test_published_sizes(before: int, after: int) -> None:
    assert len(distortion().source_coordinates(before)) == after


def invert_by_bisection(target: float, size: int, rate: float) -> float:
    low, high = 0.0, float(size)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if size / (1 + np.exp(-rate * (middle - size / 2))) < target else (low, middle)
    return low


@pytest.mark.parametrize("size", [85, 200, 337])
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_fine_mesh_is_the_formula(size: int, share: float) -> None:
    rate = 4 / size * share
    ours = distortion(mesh_columns_cells=5000, growth_rate=rate).source_coordinates(size)
    landed = size / (1 + np.exp(-rate * (np.array([0, size]) - size / 2)))
    kept = np.arange(int(landed[0]), int(landed[1]))
    assert len(ours) == len(kept)
    exact = [0.0 if u < landed[0] else invert_by_bisection(u, size, rate) for u in kept]
    assert np.allclose(ours, exact, atol=1e-3)


def test_a_coarse_mesh_is_exact_at_its_nodes_and_linear_between() -> None:
    size, rate = 337, 4 / 337
    nodes = np.linspace(0, size, 6)
    landed = size / (1 + np.exp(-rate * (nodes - size / 2)))
    kept = np.arange(int(landed[0]), int(landed[-1]))
    expected = []
    for u in kept:
        piece = np.clip(np.searchsorted(landed, u, side="right") - 1, 0, 4)
        slope = (nodes[piece + 1] - nodes[piece]) / (landed[piece + 1] - landed[piece])
        expected.append(max(nodes[piece] + (u - landed[piece]) * slope, 0))
    assert np.allclose(distortion().source_coordinates(size), expected)


def test_pixels_shrink_towards_the_edges_and_keep_their_scale_in_the_middle() -> None:
    scale = np.diff(distortion(mesh_columns_cells=400).source_coordinates(337))[1:]
    middle = len(scale) // 2
    assert scale[middle] == pytest.approx(1, abs=0.02)
    assert scale[0] > 2
    assert scale[-1] > 2
    assert (np.diff(scale[:middle]) <= 1e-6).all()
    assert (np.diff(scale[middle:]) >= -1e-6).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_ramp_shows_the_coordinates_along_one_axis_only(axis: int) -> None:
    height, width = 85, 50
    ramp = np.indices((height, width)).astype(np.float32)
    shape = distortion(axis=axis, mesh_rows_cells=7)
    rows, columns = shape.maps(height, width)
    size = (height, width)[axis]
    along = np.clip(shape.source_coordinates(size), 0, size - 1)
    frame = np.stack([ramp[0], ramp[1], ramp[0] + ramp[1]], axis=-1)
    made = resample(frame, rows and rows.weights.astype(np.float32), columns and columns.weights.astype(np.float32))
    other = np.arange((width, height)[axis])
    expected = np.meshgrid(along, other, indexing="ij") if axis == 0 else np.meshgrid(other, along, indexing="ij")
    assert np.allclose(made[..., 0], expected[0], atol=1e-4)
    assert np.allclose(made[..., 1], expected[1], atol=1e-4)
    assert np.allclose(made[..., 2], made[..., 0] + made[..., 1], atol=1e-4)


def test_axis_0_uses_the_rows_mesh_and_axis_1_the_columns_mesh() -> None:
    coarse, fine = distortion(mesh_rows_cells=2, axis=0), distortion(mesh_rows_cells=200, axis=0)
    assert not np.array_equal(coarse.source_coordinates(100), fine.source_coordinates(100))
    coarse, fine = distortion(mesh_rows_cells=2, axis=1), distortion(mesh_rows_cells=200, axis=1)
    assert np.array_equal(coarse.source_coordinates(100), fine.source_coordinates(100))


@given(st.integers(2, 300), st.lists(st.floats(-5, 305), min_size=1, max_size=50))
def test_linear_interpolation_is_numpys(size: int, places: list[float]) -> None:
    values = np.random.default_rng(size).random(size)
    axis = AxisMap.from_coordinates(np.array(places), size)
    assert np.allclose(axis.weights @ values, np.interp(places, np.arange(size), values))
    assert np.allclose(axis.weights.sum(axis=1), 1)
    assert (np.abs(axis.nearest - np.clip(places, 0, size - 1)) <= 0.5).all()


def test_impossible_rates_and_sizes_are_named() -> None:
    with pytest.raises(ConfigError, match=r"growth_rate: found 0.05, expected at most 4 / 100 = 0.04"):
        distortion(growth_rate=0.05).maps(100, 100)
    with pytest.raises(ConfigError, match="shrinks 101 pixels to none"):
        distortion(growth_rate=1e-9).maps(101, 101)
    with pytest.raises(ConfigError, match="image_width: found 90, expected 100"):
        distortion(image_width=90).maps(50, 100)
    with pytest.raises(ConfigError, match="image_height: found 90, expected 50"):
        distortion(image_height=90).maps(50, 100)
    assert distortion(growth_rate=0.04, image_width=100, image_height=50).maps(50, 100)[0] is None
