"""Derivation: the order of its steps, its random streams, and which time steps it keeps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import shift

from src.toygeneration.config_files import Lost
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, export
from src.toygeneration.frames import FrameSource, Georeference
from tests.conftest import CLOUDS, DISTORTION, MOVING_CLOUDS, derivation, make_dataset, scene
from utils.errors import ConfigError
from utils.seeding import Streams

AGGREGATION = {"name": "convolution", "kernel": {"sigma": 1.0}}
SPECKLE = {"name": "speckle", "salt_pepper_proportion": {"min": 0.08, "max": 0.15}}
LOOKS = {"name": "gamma_speckle", "looks": 3}
SCENE = {"product__size": {"width": 85, "height": 64}}
WIDE = {"width": 85, "height": 64}
SMALL = {"width": 16, "height": 16}


def derive(source: FrameSource | None = None, seed: int | None = 5, **changes: Any) -> DerivedProduct:
    changes.setdefault("target_size", WIDE)
    return DerivedProduct(derivation(**changes), source or scene(**SCENE), seed)


def test_nothing_to_do_changes_nothing() -> None:
    source = scene(**SCENE)
    made = derive(source)
    for step in source.steps:
        assert np.array_equal(made.read(step)["frame"], source.read(step)["frame"])
        assert np.array_equal(made.read(step)["annotation"], source.read(step)["annotation"])
        assert "cloud" not in made.read(step)


def test_a_size_that_is_not_asked_for_is_what_comes_out() -> None:
    made = derive(target_size=None, deformation=DISTORTION)
    assert (made.features.width, made.features.height) == (64, 64)
    assert made.read(0)["frame"].shape == (64, 64, 3)


def test_places_follow_the_pixels_unless_these_are_distorted() -> None:
    source = scene(**SCENE)
    source.georeference = Georeference(crs=None, transform=(8, 6, 500, 6, -8, 400))
    assert derive(source).georeference == source.georeference
    coarser = derive(source, aggregation=AGGREGATION, target_size={"width": 17, "height": 16})
    assert coarser.georeference.transform == (40, 24, 500, 30, -32, 400)
    assert derive(source, deformation=DISTORTION, target_size=None).georeference is None


def test_steps_come_in_order_corruption_geometry_aggregation_postprocess() -> None:
    """Everything at once equals corruption first, then geometry and aggregation, then speckle."""
    source = scene(**SCENE)
    sections = {"deformation": DISTORTION, "aggregation": AGGREGATION, "target_size": {"width": 16, "height": 16}}
    everything = derive(source, corruption=CLOUDS, postprocess=SPECKLE, **sections)
    clouded = derive(source, corruption=CLOUDS)
    for step in source.steps:
        seen = clouded.read(step)
        geometry = derive(source, **sections)._geometry
        resampled = geometry.frame(seen["frame"])
        speckled = everything._config.postprocess(resampled, rng=everything._streams.rng("speckle", step))
        made = everything.read(step)
        assert np.array_equal(made["frame"], speckled)
        assert np.array_equal(made["cloud"], geometry.frame(seen["cloud"]))
        assert np.array_equal(made["annotation"], geometry.labels(source.annotation))


@pytest.mark.parametrize("corruption", [None, CLOUDS])
@pytest.mark.parametrize("deformation", [None, DISTORTION])
@pytest.mark.parametrize("aggregation", [None, AGGREGATION])
@pytest.mark.parametrize("postprocess", [None, SPECKLE, LOOKS])
def test_any_combination(corruption: Any, deformation: Any, aggregation: Any, postprocess: Any) -> None:
    size = {"width": 64 if deformation else 85, "height": 64}
    if aggregation:
        size = {"width": size["width"] // (4 if deformation else 5), "height": 16}
    made = derive(
        corruption=corruption,
        deformation=deformation,
        aggregation=aggregation,
        postprocess=postprocess,
        target_size=size,
    )
    sample = made.read(1)
    assert sample["frame"].shape == (size["height"], size["width"], 3)
    assert sample["frame"].dtype == np.float32
    assert np.isfinite(sample["frame"]).all()
    assert sample["annotation"].shape == (size["height"], size["width"], 2)
    assert ("cloud" in sample) == (corruption is not None)
    assert set(np.unique(sample["annotation"][..., 0])) <= set(np.unique(scene(**SCENE).annotation[..., 0]))
    if corruption:
        assert sample["cloud"].shape == sample["frame"].shape[:2]
        assert sample["cloud"].min() >= 0
        assert sample["cloud"].max() <= 1 + 1e-6


def test_distortion_along_the_rows_of_a_non_square_frame() -> None:
    made = derive(
        scene(product__size={"width": 40, "height": 85}),
        deformation=DISTORTION | {"axis": 0},
        target_size={"width": 40, "height": 64},
    )
    assert made.read(0)["frame"].shape == (64, 40, 3)


def test_clouds_are_a_views_own_and_a_seeds_own() -> None:
    first, again, other_view = (derive(scene(seed, **SCENE), corruption=CLOUDS) for seed in (1, 1, 2))
    other_seed = derive(scene(1, **SCENE), seed=6, corruption=CLOUDS)
    cloud = first.read(0)["cloud"]
    assert np.array_equal(cloud, again.read(0)["cloud"])
    assert not np.array_equal(cloud, other_view.read(0)["cloud"])
    assert not np.array_equal(cloud, other_seed.read(0)["cloud"])
    assert not np.array_equal(cloud, first.read(1)["cloud"])


def test_views_derived_twice_still_get_clouds_of_their_own() -> None:
    """The second derivation sees the same derivation seed in both views; the scenes' own seeds tell them apart."""
    twice = [derive(derive(scene(seed, **SCENE)), corruption=CLOUDS).read(0)["cloud"] for seed in (1, 2)]
    assert not np.array_equal(*twice)


def test_a_stored_source_gives_the_same_as_one_in_memory(tmp_path: Path) -> None:
    source = scene(**SCENE)
    export({tmp_path / "latent": source})
    stored = derive(ProductDataset(tmp_path / "latent"), corruption=CLOUDS, postprocess=SPECKLE)
    memory = derive(source, corruption=CLOUDS, postprocess=SPECKLE)
    for step in source.steps:
        for one, other in zip(stored.read(step).values(), memory.read(step).values(), strict=True):
            assert np.array_equal(one, other)
    assert stored.provenance() == memory.provenance()
    assert stored.seeds == memory.seeds == (5, 3)


def test_one_step_in_temporal_res_is_kept(tmp_path: Path) -> None:
    source = scene(product__horizon=12, **SCENE)
    every, second = derive(source), derive(source, temporal_res=2, corruption=CLOUDS)
    assert every.steps == list(range(12))
    assert second.steps == [0, 2, 4, 6, 8, 10]
    assert np.array_equal(
        second.read(4)["cloud"], derive(source, corruption=CLOUDS).read(4)["cloud"]
    )  # a step's clouds don't depend on which steps are kept
    export({tmp_path / "second": second})
    third = derive(ProductDataset(tmp_path / "second"), temporal_res=3)
    assert third.steps == [0, 6]
    assert third.features.horizon == 12
    export({tmp_path / "third": third})
    stored = ProductDataset(tmp_path / "third")
    assert [sample is not None for sample in stored] == [step in (0, 6) for step in range(12)]
    assert derive(stored, temporal_res=5).steps == [0]
    index = json.loads((tmp_path / "second" / "index.json").read_text())
    assert (index["features"]["horizon"], index["features"]["nframes"]) == (12, 6)


def test_a_product_without_frames_is_never_made() -> None:
    source = derive(scene(product__horizon=12, **SCENE))
    source.steps = [1, 3, 5]
    with pytest.raises(
        ConfigError, match=r"temporal_res: found 2, but the source has frames at steps \[1, 3, 5\] only"
    ):
        derive(source, temporal_res=2)


def test_clouds_of_two_derivations_add_up() -> None:
    plain = CLOUDS | {"mul": {"min": 1.0, "max": 1.0}, "add": {"min": 0.0, "max": 0.0}}
    lower = derive(corruption=plain)
    both = derive(lower, seed=6, corruption=plain)
    upper = both._corrupt(lower.read(0)["frame"], 0)[1]["cloud"]
    assert np.allclose(1 - both.read(0)["cloud"], (1 - lower.read(0)["cloud"]) * (1 - upper), atol=1e-6)
    kept = derive(lower, deformation=DISTORTION, target_size={"width": 64, "height": 64})
    assert kept.read(0)["cloud"].shape == (64, 64)


def test_annotations_that_change_over_time_are_followed() -> None:
    source = scene(**SCENE)
    moved = np.roll(source.annotation, 7, axis=1)
    made = derive(source)
    assert np.array_equal(made._annotation(source.annotation), source.annotation)
    assert np.array_equal(made._annotation(moved), moved)


def test_random_steps_need_a_seed_and_others_do_not() -> None:
    for sections in (
        {"corruption": CLOUDS},
        {"postprocess": SPECKLE},
        {"lost": {"share": 0.1}},
        {"misregistration": {"deviation": 1.0}},
    ):
        with pytest.raises(ConfigError, match="seed: missing"):
            derive(seed=None, **sections)
    assert derive(seed=None, deformation=DISTORTION, target_size={"width": 64, "height": 64}).seeds == (3,)


def test_frames_are_made_one_at_a_time_and_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two products of one source, written together, cost one making of each source frame."""
    source = scene(dataset=make_dataset(), **SCENE)
    made: list[int] = []
    make = source._make
    monkeypatch.setattr(source, "_make", lambda step: made.append(step) or make(step))
    clean = derive(source)
    export({tmp_path / "clean": clean, tmp_path / "clouded": derive(clean, corruption=CLOUDS)})
    assert made == source.steps


def test_shadows_go_with_opacity_and_raise_the_format(tmp_path: Path) -> None:
    """Through geometry and files; a product derived from one that has them has them too, others are as ever."""
    sections = {"deformation": DISTORTION, "aggregation": AGGREGATION, "target_size": SMALL}
    shadowed, seen = derive(corruption=MOVING_CLOUDS), derive(corruption=MOVING_CLOUDS, **sections)
    geometry = derive(**sections)._geometry
    for kind in ("cloud", "shadow"):
        assert np.array_equal(seen.read(2)[kind], geometry.frame(shadowed.read(2)[kind]))
    export({tmp_path / "seen": seen, tmp_path / "clouded": derive(corruption=CLOUDS)})
    stored, other = (ProductDataset(tmp_path / name) for name in ("seen", "clouded"))
    assert np.array_equal(stored.shadow(2), seen.read(2)["shadow"])
    assert np.array_equal(stored[2]["shadow"], stored.shadow(2))
    assert (stored.has_shadows, other.has_shadows) == (True, False)
    assert np.array_equal(stored.to_xarray()["shadow"].values[2], stored.shadow(2))
    versions = [
        product.provenance()["format_version"] for product in (stored, derive(stored, target_size=SMALL), other)
    ]
    assert versions == [2, 2, 1]
    assert not (tmp_path / "clouded" / "shadows").exists()
    twice = derive(stored, target_size=SMALL, corruption=MOVING_CLOUDS | {"world": 1})
    once = twice._corrupt(stored.frame(2), 2)[1]["shadow"]
    assert np.allclose(1 - twice.read(2)["shadow"], (1 - stored.shadow(2)) * (1 - once), atol=1e-6)


def test_products_of_a_scene_see_the_same_clouds_at_their_own_steps() -> None:
    latent = scene(product__horizon=7, **SCENE)
    every, third = (
        derive(latent, corruption=MOVING_CLOUDS),
        derive(
            derive(latent, seed=8), seed=9, corruption=MOVING_CLOUDS | {"add": {"min": 0.0, "max": 0.0}}, temporal_res=3
        ),
    )
    assert third.steps == [0, 3, 6]
    for step in third.steps[::-1]:
        for kind in ("cloud", "shadow"):
            assert np.array_equal(every.read(step)[kind], third.read(step)[kind])
    assert not np.allclose(every.read(3)["frame"], third.read(3)["frame"])


def test_steps_are_lost_each_by_itself_and_one_stays() -> None:
    steps, share = list(range(400)), 0.3
    lost = Lost(share=share).kept(steps, Streams((1,)))
    assert 1 - len(lost) / 400 == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 400))
    gaps = np.isin(steps, lost, invert=True)
    assert np.corrcoef(gaps[1:], gaps[:-1])[0, 1] == pytest.approx(0, abs=4 / np.sqrt(400))
    assert set(Lost(share=0.6).kept(steps, Streams((1,)))) < set(lost)  # what a larger share leaves, a smaller one does
    assert Lost(share=0.6).kept(steps[::2], Streams((1,))) == [
        step for step in Lost(share=0.6).kept(steps, Streams((1,))) if step % 2 == 0
    ]
    assert Lost(share=0).kept(steps, Streams((1,))) == steps
    assert len(Lost(share=1).kept(steps, Streams((1,)))) == 1


def test_lost_steps_are_null(tmp_path: Path) -> None:
    latent = scene(product__horizon=12, **SCENE)
    seen = derive(latent, lost={"share": 0.5}, corruption=CLOUDS)
    assert 0 < len(seen.steps) < 12
    export({tmp_path / "seen": seen})
    assert ProductDataset(tmp_path / "seen").steps == seen.steps
    step = seen.steps[-1]
    assert np.array_equal(seen.read(step)["frame"], derive(latent, corruption=CLOUDS).read(step)["frame"])
    assert derive(latent, seed=6, lost={"share": 0.5}).steps != seen.steps
    assert seen.provenance()["configuration"]["lost"] == {"share": 0.5}
    assert "lost" not in derive(latent).provenance()["configuration"]


def test_misregistration_moves_frames_and_masks_and_no_labels() -> None:
    source = derive(corruption=MOVING_CLOUDS)
    still, beside = derive(source), derive(source, misregistration={"deviation": 0.7})
    for step in source.steps:
        sample, moved = still.read(step), beside.read(step)
        down, right = beside._config.misregistration.draw(beside._streams.rng("misregistration", step))
        assert np.array_equal(sample["annotation"], moved["annotation"])
        for kind in ("frame", "cloud", "shadow"):
            by = (down, right, 0)[: sample[kind].ndim]
            oracle = shift(sample[kind].astype(float), by, order=1, mode="nearest")
            assert np.allclose(moved[kind], oracle, atol=1e-5)
    drawn = [beside._config.misregistration.draw(np.random.default_rng(seed)) for seed in range(1000)]
    assert np.std(drawn, axis=0) == pytest.approx([0.7, 0.7], rel=0.1)
    assert np.abs(np.mean(drawn, axis=0)).max() < 4 * 0.7 / np.sqrt(1000)


def test_misregistration_is_in_pixels_of_the_derived_frames() -> None:
    """By whole blocks, what is aggregated is what would have been aggregated there, to the last digit but one."""
    source = scene(product__size={"width": 64, "height": 64})
    sections = {"aggregation": AGGREGATION, "target_size": {"width": 16, "height": 16}}
    geometry, frame = derive(source, **sections)._geometry, source.read(0)["frame"]
    moved = geometry.frame(frame, (1.0, -2.0))
    assert np.allclose(moved[1:, :-2], geometry.frame(frame)[:-1, 2:], atol=1e-6)
