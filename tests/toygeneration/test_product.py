"""Scenes: what two products of one seed share, and what a frame is made of."""

import functools

import numpy as np
import pytest
from pydantic import ValidationError

from src.toygeneration.index import is_held_out
from src.toygeneration.product import Product
from tests.conftest import generation, make_dataset, scene
from utils.errors import ConfigError
from utils.number_lists import parse_numbers
from utils.seeding import Streams


def test_products_of_one_seed_share_parcels_and_classes_whatever_their_time_series() -> None:
    configs = generation(), generation(ts={"path": "sktime:JapaneseVowels", "ndim": 3, "nclass": 2})
    optical, sar = (functools.partial(Product, config, config.ts.read()) for config in configs)
    for seed in (0, 1, 2):
        one, other = optical(seed), sar(seed)
        assert np.array_equal(one.annotation, other.annotation)
        assert not np.array_equal(one.frame(0), other.frame(0))
    assert not np.array_equal(optical(0).annotation, optical(1).annotation)


def test_a_frame_is_the_series_of_each_parcel_plus_its_texture() -> None:
    product = scene()
    instances = product.annotation[..., 0]
    for step in product.steps:
        expected = product.texture + product.values[:, step][instances]
        assert np.array_equal(product.frame(step), expected)


def test_series_are_windows_of_a_case_of_the_parcels_class() -> None:
    dataset = make_dataset()
    product = scene(dataset=dataset, product__size={"width": 200, "height": 100})
    instances, classes = np.moveaxis(product.annotation, -1, 0)
    for instance in range(1, 7):
        (label,) = set(classes[instances == instance])
        pieces = {
            case[start : start + 4].tobytes()
            for case, group in zip(dataset.series, dataset.classes, strict=True)
            if group == label
            for start in range(len(case) - 3)
        }
        assert np.ascontiguousarray(product.values[instance]).tobytes() in pieces


def test_values_stay_in_range_and_shapes_are_height_width_bands() -> None:
    product = scene()
    sample = product.read(0)
    assert sample["frame"].shape == (32, 48, 3)
    assert sample["frame"].dtype == np.float32
    assert sample["annotation"].shape == (32, 48, 2)
    assert sample["annotation"].dtype == np.int16
    assert sample["frame"].min() > -0.5
    assert sample["frame"].max() < 1.5


def test_background_has_its_colour_and_labels_0() -> None:
    product = scene(product__background_color=51, product__border_width=3)
    instances, classes = np.moveaxis(product.annotation, -1, 0)
    background = instances == 0
    assert background.any()
    assert np.array_equal(background, classes == 0)
    for step in product.steps:
        assert np.allclose(product.frame(step)[background], 0.2)


def test_a_border_width_of_0_leaves_no_background() -> None:
    assert (scene(product__border_width=0).annotation > 0).all()


def test_parcels_too_small_for_a_pixel_are_no_problem() -> None:
    product = scene(product__n_polygons=300, product__size={"width": 8, "height": 5}, product__border_width=0.2)
    assert product.frame(0).shape == (5, 8, 3)
    assert product.features.ndigit == 300


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 30), (30, 1)])
def test_scenes_of_any_shape(width: int, height: int) -> None:
    product = scene(product__size={"width": width, "height": height})
    assert product.frame(0).shape == (height, width, 3)


def test_a_horizon_longer_than_the_series_names_the_longest_that_works() -> None:
    with pytest.raises(ConfigError, match="product.horizon: found 13, .* the longest horizon that works is 12"):
        scene(product__horizon=13)


def test_seed_0_is_a_seed_of_its_own() -> None:
    assert np.array_equal(scene(0).frame(0), scene(0).frame(0))
    assert not np.array_equal(scene(0).frame(0), scene(3).frame(0))


def test_classes_are_drawn_from_their_own_stream() -> None:
    product = scene(7)
    drawn = Streams((7,)).rng("labels").integers(1, 3, 6)
    instances, classes = np.moveaxis(product.annotation, -1, 0)
    for instance in range(1, 7):
        assert set(classes[instances == instance]) == {drawn[instance - 1]}


def test_provenance_names_the_time_series_by_content() -> None:
    source = scene(dataset=generation().ts.read()).provenance()["source"]
    assert [file["name"] for file in source] == ["BasicMotions_TRAIN.ts", "BasicMotions_TEST.ts"]
    assert all(len(file["sha256"]) == 64 for file in source)


def test_frames_do_not_depend_on_the_order_of_work() -> None:
    one, other = scene(), scene()
    forward = [one.read(step)["frame"] for step in one.steps]
    backward = [other.read(step)["frame"] for step in reversed(other.steps)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forward, backward, strict=True))


def test_parcels_textures_do_not_depend_on_each_other() -> None:
    """A texture's stream is its parcel's own: covering one parcel less leaves the others' as they were."""
    product, other = scene(seed=1), scene(seed=1, product__border_width=0)
    both = product.annotation[..., 0] > 0
    assert np.array_equal(product.texture[both], other.texture[both])


HELD_OUT = {"views": "7,20-29", "share": 0.25}


def test_held_out_views_draw_from_series_that_no_other_view_draws_from() -> None:
    """Cases are found again by their values, and parcels' classes are what they are without held-out series."""
    config, plain = generation(ts__held_out=HELD_OUT, product__horizon=100), generation(product__horizon=100)
    dataset = config.ts.read()
    cases = {case.tobytes(): index for index, case in enumerate(dataset.series)}
    drawn = {}
    for seed in range(40):
        product = Product(config, dataset, seed)
        drawn[seed] = {cases[np.ascontiguousarray(series).tobytes()] for series in product.values[1:]}
        assert np.array_equal(product.annotation, Product(plain, dataset, seed).annotation)
    apart = {7, *range(20, 30)}
    assert set.union(*(drawn[seed] for seed in apart)) <= set(np.flatnonzero(dataset.held_out))
    assert set.union(*(drawn[seed] for seed in set(drawn) - apart)) <= set(np.flatnonzero(~dataset.held_out))


def test_what_is_held_out_is_recorded_and_nothing_where_nothing_is() -> None:
    recorded = Product(generation(ts__held_out=HELD_OUT), make_dataset(), 7).provenance()["configuration"]
    assert recorded["ts"]["held_out"] == HELD_OUT
    for seed in (4, 7, 25):
        product = Product(generation(ts__held_out=HELD_OUT), make_dataset(), seed)
        assert is_held_out(product.provenance()) == (seed in parse_numbers(HELD_OUT["views"]))
        assert is_held_out({"source": product.provenance()}) == is_held_out(product.provenance())
    assert not is_held_out(scene().provenance())
    plain = scene().provenance()["configuration"]
    assert "held_out" not in plain["ts"]
    assert plain == scene(ts__held_out=None).provenance()["configuration"]


@pytest.mark.parametrize(
    "wrong", [{"views": "1"}, {"share": 0.2}, {"views": "2-1", "share": 0.2}, {"views": "1", "share": 0}]
)
def test_held_out_needs_views_and_a_share(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        generation(ts__held_out=wrong)


@pytest.mark.parametrize(
    ("textures", "expected"), [(("shared", "shared"), 1), (("own", "own"), 0), (("shared", "own"), 0)]
)
def test_two_sensors_share_their_texture_or_have_their_own(textures: tuple[str, str], expected: float) -> None:
    """Parcels, classes and series don't change with it."""
    sensors = []
    for texture, dims in zip(textures, ([0, 1, 2], [3, 4, 5]), strict=True):
        changes = {"product__size": {"width": 128, "height": 128}, "ts__dims": dims}
        config, plain = generation(texture=texture, **changes), generation(**changes)
        made, before = Product(config, config.ts.read(), 3), Product(plain, plain.ts.read(), 3)
        assert np.array_equal(made.annotation, before.annotation)
        assert np.array_equal(made.values, before.values)
        assert np.array_equal(made.texture, before.texture) == (texture == "shared")
        assert np.array_equal(made.texture, Product(config, config.ts.read(), 3).texture)
        sensors.append(made.texture[made.annotation[..., 0] > 0])
    correlation = np.corrcoef(*(texture.ravel() for texture in sensors))[0, 1]
    assert abs(correlation - expected) < 0.05
