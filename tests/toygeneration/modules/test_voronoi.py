"""Parcels partition the image exactly, borders lie where geometry puts them, classes know nothing of places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree
from scipy.stats import kstest

from src.toygeneration.modules import voronoi
from tests.conftest import make_dataset, scene


def centres(height: int, width: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(height) + 0.5, np.arange(width) + 0.5, indexing="ij"), axis=-1)


def test_points_are_uniform_on_the_scene() -> None:
    rng = np.random.default_rng(0)
    points = voronoi.draw_points(4000, 100, 250, rng=rng)
    assert points.shape == (4000, 2)
    assert kstest(points[:, 0] / 100, "uniform").pvalue > 0.01
    assert kstest(points[:, 1] / 250, "uniform").pvalue > 0.01


def test_y_points_up_and_row_0_is_at_the_top() -> None:
    rng, again = np.random.default_rng(1), np.random.default_rng(1)
    points = voronoi.draw_points(5, 40, 80, rng=rng)
    x, y = again.uniform(0, 2, 5), again.uniform(0, 1, 5)
    assert np.allclose(points, np.column_stack([(1 - y) * 40, x * 40]))


@given(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.integers(1, 150),
    st.integers(1, 150),
)
def test_cells_are_those_of_the_nearest_point(seed: int, n_polygons: int, height: int, width: int) -> None:
    points = voronoi.draw_points(n_polygons, height, width, rng=np.random.default_rng(seed))
    cells = voronoi.rasterise(points, height, width)
    assert cells.shape == (height, width)
    assert np.array_equal(cells - 1, KDTree(points).query(centres(height, width))[1])


def test_the_published_scene_is_partitioned() -> None:
    points = voronoi.draw_points(16, 256, 337, rng=np.random.default_rng(17))
    cells = voronoi.rasterise(points, 256, 337)
    assert np.array_equal(cells - 1, KDTree(points).query(centres(256, 337))[1])
    assert np.bincount(cells.ravel(), minlength=17)[1:].sum() == 256 * 337


def distance_to_shared_edges(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Brute force: sample every bisector finely, keep what lies on the border of its two cells, in the image."""
    tree = KDTree(points)
    edge_points = []
    for a in range(len(points)):
        for b in range(a):
            middle, normal = (points[a] + points[b]) / 2, points[a] - points[b]
            along = np.array([-normal[1], normal[0]]) / np.linalg.norm(normal)
            line = middle + np.arange(-400, 400, 0.02)[:, None] * along
            inside = ((line >= 0) & (line <= (height, width))).all(axis=1)
            line = line[inside]
            if len(line):
                nearest = tree.query(line)[0]
                edge_points.append(line[np.linalg.norm(line - points[a], axis=1) <= nearest + 1e-9])
    return KDTree(np.concatenate(edge_points)).query(centres(height, width))[0]


@pytest.mark.parametrize("border_width", [0.5, 1, 3, 7.5])
def test_borders_are_the_pixels_close_to_a_shared_edge(border_width: float) -> None:
    height, width = 60, 85
    points = voronoi.draw_points(8, height, width, rng=np.random.default_rng(4))
    distance = distance_to_shared_edges(points, height, width)
    mask = voronoi.border_mask(points, height, width, border_width)
    clear = np.abs(distance - border_width / 2) > 1e-3  # the oracle is sampled
    assert np.array_equal(mask[clear], (distance < border_width / 2)[clear])
    assert clear.mean() > 0.99
    assert mask.any()


def test_a_border_width_of_0_or_a_single_parcel_has_no_border() -> None:
    points = voronoi.draw_points(8, 40, 40, rng=np.random.default_rng(4))
    assert not voronoi.border_mask(points, 40, 40, 0).any()
    assert not voronoi.border_mask(points[:1], 40, 40, 3).any()


def test_classes_are_independent_of_position() -> None:
    """Over many seeds, no correlation between a cell's class and where it lies."""
    labels, places = [], []
    dataset = make_dataset()
    changes = {"product__size": {"width": 24, "height": 16}, "product__n_polygons": 8}
    for seed in range(200):
        product = scene(seed, dataset, random_sampler={"name": "gaussian", "std": 0}, **changes)
        instances, classes = np.moveaxis(product.annotation, -1, 0)
        for instance in np.unique(instances[instances > 0]):
            pixels = instances == instance
            labels.append(classes[pixels][0])
            places.append(np.argwhere(pixels).mean(axis=0))
    labels, places = np.array(labels), np.array(places)
    assert set(labels) == {1, 2}
    assert abs(labels.mean() - 1.5) < 3 * 0.5 / np.sqrt(len(labels))
    for axis in (0, 1):
        correlation = np.corrcoef(labels, places[:, axis])[0, 1]
        assert abs(correlation) < 3 / np.sqrt(len(labels))
