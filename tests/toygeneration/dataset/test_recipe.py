"""Recipes: configurations on disk become products that know their sources."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.views import build_views
from src.toygeneration.export import ProductDataset, export
from src.toygeneration.timeserie.ts_file import resolve
from tests.conftest import CLOUDS, DERIVATION, GENERATION, REAL_DATA, ROOT, change, scene
from utils import config as configuration
from utils.errors import ConfigError, DataError

CONFIG = ROOT / "src" / "toygeneration" / "config"
PRODUCTS = {
    "cloud_removal": (["latent_optical", "latent_sar"], ["clean_optical", "clouded_optical", "sar"]),
    "sar_to_optical": (["latent_optical", "latent_sar"], ["optical", "sar"]),
    "sar_to_optical_paired": (["latent_optical", "latent_sar"], ["optical", "sar"]),
}


def write_task(write_yaml: Callable[..., Path], **sources: str) -> Path:
    """A small task: a latent product, and one derived product for each name=source."""
    path = write_yaml(GENERATION, "task/generation_latent.yaml")
    for name, source in sources.items():
        content = DERIVATION | {"latent_product_path": source}
        write_yaml(content | ({"corruption": CLOUDS} if "cloud" in name else {}), f"task/derivation_{name}.yaml")
    return path.parent


def test_sources_are_named_by_the_last_part_of_their_path(write_yaml: Callable[..., Path]) -> None:
    recipe = Recipe.load(write_task(write_yaml, clean="data/toy/latent/", clouded="elsewhere/clean"))
    assert recipe.sources == {"clean": "latent", "clouded": "clean"}
    products = recipe.products(7, ["clouded", "clean"])
    assert products["clouded"].seeds == (5, 5, 7)
    assert products["clouded"]._source is products["clean"]


def test_a_recipe_survives_the_way_to_a_worker(write_yaml: Callable[..., Path]) -> None:
    recipe = Recipe.load(write_task(write_yaml, clean="latent", clouded="clean"))
    assert configuration.validate(Recipe, json.loads(recipe.model_dump_json()), "recipe") == recipe


def test_the_identity_is_what_determines_a_view(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    folder = write_task(write_yaml, clean="latent")
    first = Recipe.load(folder).identity()
    for file in resolve("sktime:BasicMotions"):
        shutil.copy(file, tmp_path)
    series = [tmp_path / file.name for file in resolve("sktime:BasicMotions")]
    elsewhere = change(GENERATION, ts__path=[str(file) for file in series], seed=99)
    write_yaml(elsewhere, "task/generation_latent.yaml")
    assert Recipe.load(folder).identity() == first
    series[0].write_text(series[0].read_text().replace("@problemName", "#\n@problemName"))
    assert Recipe.load(folder).identity().differences(first).startswith("data: found")
    write_yaml(change(GENERATION, product__border_width=2), "task/generation_latent.yaml")
    write_yaml(DERIVATION | {"latent_product_path": "latent", "seed": 6}, "task/derivation_clean.yaml")
    assert first.differences(Recipe.load(folder).identity()) == (
        "derivations.clean.seed: found 5, expected 6; generations.latent.product.border_width: found 1.0, expected 2.0"
    )


def test_held_out_series_and_textures_make_other_views_unless_they_are_as_published(
    write_yaml: Callable[..., Path],
) -> None:
    folder = write_task(write_yaml, clean="latent")
    plain = Recipe.load(folder).identity()
    write_yaml(change(GENERATION, ts__held_out=None, texture="shared"), "task/generation_latent.yaml")
    assert Recipe.load(folder).identity().record() == plain.record()
    held_out = {"views": "3-5", "share": 0.25}
    write_yaml(change(GENERATION, ts__held_out=held_out, texture="own"), "task/generation_latent.yaml")
    recipe = Recipe.load(folder)
    assert configuration.validate(Recipe, json.loads(recipe.model_dump_json()), "recipe") == recipe
    assert plain.differences(recipe.identity()) == (
        "generations.latent.texture: found None, expected own; generations.latent.ts.held_out.share: found None, "
        "expected 0.25; generations.latent.ts.held_out.views: found None, expected 3-5"
    )


def test_the_identity_changes_with_the_code_that_is_configured(write_yaml: Callable[..., Path]) -> None:
    plain = Recipe.load(write_task(write_yaml, clean="latent")).identity()
    assert "code: changed since" in plain.differences(Recipe.load(write_task(write_yaml, cloudy="latent")).identity())


def test_hidden_folders_are_not_searched(write_yaml: Callable[..., Path]) -> None:
    folder = write_task(write_yaml, clean="latent")
    shutil.copytree(folder, folder / "deeper" / ".ipynb_checkpoints")
    assert list(Recipe.load(folder).derivations) == ["clean"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            {"clean": "nothing"},
            "found source 'nothing', expected the name of another product of the task .latent, clean.",
        ),
        ({"clean": ""}, "found source ''"),
        ({"clean": "clean"}, "found source 'clean'"),
        ({"a": "b", "b": "a"}, "2 problems"),
        ({}, "found no derivation_"),
    ],
)
def test_sources_that_lead_nowhere(write_yaml: Callable[..., Path], sources: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Recipe.load(write_task(write_yaml, **sources))


def test_lossy_latent_products_are_refused(write_yaml: Callable[..., Path]) -> None:
    folder = write_task(write_yaml, clean="latent")
    write_yaml(change(GENERATION, astype="jpg"), "task/generation_latent.yaml")
    with pytest.raises(ConfigError, match="generation_latent.yaml: astype: found jpg, expected h5"):
        Recipe.load(folder)


def test_problems_of_all_files_are_reported_at_once(write_yaml: Callable[..., Path]) -> None:
    folder = write_task(write_yaml, clean="latent")
    write_yaml(change(GENERATION, seed=-1), "task/generation_latent.yaml")
    write_yaml(change(DERIVATION, temporal_res=0), "task/derivation_clean.yaml")
    with pytest.raises(ConfigError, match=r"2 problems: .*derivation_clean.yaml: .*; .*generation_latent.yaml: seed"):
        Recipe.load(folder)
    with pytest.raises(ConfigError, match="found no generation_"):
        Recipe.load(folder.parent / "empty")


def test_latent_products_may_exist(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    """Views of them are derived as those of generated ones are, in place of a seed by their number."""
    folder = write_task(write_yaml, clean="latent", clouded="clean")
    (folder / "generation_latent.yaml").unlink()
    write_yaml({"path": str(tmp_path / "images")}, "task/imported_latent.yaml")
    recipe = Recipe.load(folder)
    with pytest.raises(DataError, match=r"identity.json: no such file, expected what utils/import_product.py --tile"):
        recipe.identity()
    export({tmp_path / "images/7": scene(7)})
    (tmp_path / "images/identity.json").write_text("{}")
    assert configuration.validate(Recipe, json.loads(recipe.model_dump_json()), "recipe") == recipe
    with pytest.raises(DataError, match="images/8/index.json: no such file"):
        build_views(recipe, tmp_path / "set", [8], njobs=1)
    assert build_views(recipe, tmp_path / "set", [7], njobs=1) == {}
    assert ProductDataset(tmp_path / "set/7/clouded").seeds == (5, 5, 7)
    assert np.array_equal(ProductDataset(tmp_path / "set/7/clean").frame(2), scene(7).frame(2))
    assert "# Real satellite image series: clean, clouded" in (tmp_path / "set/README.md").read_text()
    before = recipe.identity()
    write_yaml({"path": str(tmp_path / "moved")}, "task/imported_latent.yaml")
    shutil.move(tmp_path / "images", tmp_path / "moved")
    assert Recipe.load(folder).identity() == before
    (tmp_path / "moved/identity.json").write_text('{"other": 1}')
    assert Recipe.load(folder).identity().differences(before).startswith("data: found")


SECOND = {
    "derivation_latent.yaml": DERIVATION | {"latent_product_path": "latent"},
    "imported_latent.yaml": {"path": "images"},
    "deeper/generation_latent.yaml": GENERATION,
}


@pytest.mark.parametrize("name", SECOND)
def test_two_products_of_one_name_are_refused(write_yaml: Callable[..., Path], name: str) -> None:
    folder = write_task(write_yaml, clean="latent")
    write_yaml(SECOND[name], f"task/{name}")
    with pytest.raises(ConfigError, match="makes a product 'latent' already"):
        Recipe.load(folder)


@pytest.mark.parametrize("task", PRODUCTS)
def test_demo_configurations(task: str) -> None:
    loaded = Recipe.load(CONFIG / task, CONFIG / "demo.yaml")
    assert (sorted(loaded.generations), sorted(loaded.derivations)) == PRODUCTS[task]
    products = loaded.products(0, list(loaded.derivations))
    for product in products.values():
        assert (product.features.width, product.features.height, product.features.nbands) == (64, 64, 3)
        assert product.read(0)["frame"].shape == (64, 64, 3)
    assert all((p.read(0)["annotation"] == products["sar"].read(0)["annotation"]).all() for p in products.values())


def published(content: dict[str, Any]) -> dict[str, Any]:
    """Point a generation file at the time series beside the repository."""
    paths = content["ts"]["path"]
    return change(content, ts__path=[str(REAL_DATA / Path(path).relative_to("data/ts")) for path in paths])


def at_published_scale(task: str, write_yaml: Callable[..., Path], *scale: Path) -> Recipe:
    """A task as it is configured, with the time series beside the repository."""
    for file in (CONFIG / task).rglob("*.yaml"):
        content = configuration.load([file, *scale])
        path = write_yaml(published(content) if "ts" in content else content, f"{task}/{file.name}")
    return Recipe.load(path.parent)


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the published time series are not beside the repository")
@pytest.mark.parametrize("task", PRODUCTS)
def test_published_configurations(task: str, write_yaml: Callable[..., Path]) -> None:
    loaded = at_published_scale(task, write_yaml)
    assert (sorted(loaded.generations), sorted(loaded.derivations)) == PRODUCTS[task]
    assert {name: config.product.n_polygons for name, config in loaded.generations.items()} == dict.fromkeys(
        PRODUCTS[task][0], 16
    )
    for product in loaded.products(17, list(loaded.derivations)).values():
        assert product.read(29)["frame"].shape == (256, 256, 3)
        assert len(product.steps) == 30


def assert_paired(recipe: Recipe) -> None:
    """What both sensors see of a parcel is one window of one case."""
    everything = recipe.generations["latent_optical"].ts.model_copy(update={"ndim": 6, "dims": None}).read()
    for seed in (0, 17):
        optical, sar = (recipe.products(seed, [name])[name] for name in ("latent_optical", "latent_sar"))
        assert np.array_equal(optical.annotation, sar.annotation)
        for parcel in np.concatenate([optical.values, sar.values], axis=-1)[1:]:
            windows = (np.lib.stride_tricks.sliding_window_view(c, 30, axis=0) for c in everything.series)
            assert any((window == parcel.T).all(axis=(1, 2)).any() for window in windows)


def test_paired_sensors_see_the_same_case_and_window_in_the_demo() -> None:
    assert_paired(Recipe.load(CONFIG / "sar_to_optical_paired", CONFIG / "demo.yaml"))


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the published time series are not beside the repository")
@pytest.mark.parametrize("scale", [(), (CONFIG / "rehearsal.yaml",)])
def test_paired_sensors_see_the_same_case_and_window_of_published_series(
    scale: tuple[Path, ...], write_yaml: Callable[..., Path]
) -> None:
    assert_paired(at_published_scale("sar_to_optical_paired", write_yaml, *scale))


@pytest.mark.parametrize("scale", [(), (CONFIG / "demo.yaml",), (CONFIG / "rehearsal.yaml",)])
def test_two_data_sets_differ_in_held_out_series_alone(scale: tuple[Path, ...]) -> None:
    for file in (CONFIG / "cloud_removal_seen_series").glob("*.yaml"):
        (original,) = (CONFIG / "cloud_removal").rglob(file.name)
        one, other = (configuration.load([path, *scale]) for path in (original, file))
        if "ts" in one:
            assert (one["ts"].pop("held_out", None) is None) == (not scale)
            assert other["ts"].pop("held_out") is None
        assert one == other


def test_textures_of_their_own_leave_targets_as_they_are(write_yaml: Callable[..., Path]) -> None:
    scene = CONFIG / "cloud_removal" / "sar" / "generation_latent_sar.yaml"
    over = write_yaml({"over": {str(scene): {"texture": "own"}}}, "own.yaml")
    shared, own = (
        Recipe.load(CONFIG / "cloud_removal", CONFIG / "demo.yaml", *more).products(3, ["clean_optical", "sar"])
        for more in ((), (over,))
    )
    assert shared["clean_optical"].provenance() == own["clean_optical"].provenance()
    one, other = shared["sar"].read(0), own["sar"].read(0)
    assert np.array_equal(one["annotation"], other["annotation"])
    assert not np.array_equal(one["frame"], other["frame"])


@pytest.mark.parametrize("file", sorted((CONFIG / "templates").glob("derivation_*.yaml")), ids=lambda file: file.stem)
def test_templates_fit_together(file: Path) -> None:
    from src.toygeneration.config_files import DerivationConfig
    from src.toygeneration.derivation import Geometry
    from src.toygeneration.frames import Features

    scene = configuration.load(CONFIG / "templates" / "generation_large_scene.yaml")["product"]
    config = configuration.validate(DerivationConfig, configuration.load(file), file)
    features = Features(scene["size"]["width"], scene["size"]["height"], scene["nbands"], scene["horizon"], 128)
    Geometry(config.deformation, config.aggregation, config.target_size, features)


def test_sar_to_optical_has_another_brightness_and_no_clouds() -> None:
    """As published, at each scale."""
    for scale in ((), (CONFIG / "demo.yaml",), (CONFIG / "rehearsal.yaml",)):
        for name in ("optical/derivation_optical", "sar/derivation_sar"):
            found = configuration.load([CONFIG / "sar_to_optical" / f"{name}.yaml", *scale])["corruption"]
            assert [found[f"cloud_{key}"] for key in ("density", "sparsity", "probability")] == [0, 0, 0]
            assert (found["mul"], found["add"]) == ({"min": 0.8, "max": 1.2}, {"min": -0.1, "max": 0.1})
    loaded = Recipe.load(CONFIG / "sar_to_optical", CONFIG / "demo.yaml")
    assert [len(product.steps) for product in loaded.products(0, ["optical", "sar"]).values()] == [30, 30]
    assert "cloud" not in loaded.products(0, ["optical"])["optical"].read(0)


def test_configurations_are_few() -> None:
    files = [*ROOT.glob("*.yaml"), *(ROOT / "repro").rglob("*.yaml"), *(ROOT / "src").rglob("*.yaml")]
    assert (
        len(files) <= 110
    )  # each experiment has one of three lines for each data set, and one that lays out its network
