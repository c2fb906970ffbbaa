"""Tasks: configurations on disk become products that know their sources."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.toygeneration.task import Task
from tests.conftest import CLOUDS, DERIVATION, GENERATION, REAL_DATA, ROOT, change
from utils import config as configuration
from utils.errors import ConfigError

CONFIG = ROOT / "src" / "toygeneration" / "config"
PRODUCTS = {
    "cloud_removal": (["latent_optical", "latent_sar"], ["clean_optical", "clouded_optical", "sar"]),
    "sar_to_optical": (["latent_optical", "latent_sar"], ["optical", "sar"]),
}


def write_task(write_yaml: Callable[..., Path], **sources: str) -> Path:
    """A small task: a latent product, and one derived product for each name=source."""
    path = write_yaml(GENERATION, "task/generation_latent.yaml")
    for name, source in sources.items():
        content = DERIVATION | {"latent_product_path": source}
        write_yaml(content | ({"corruption": CLOUDS} if "cloud" in name else {}), f"task/derivation_{name}.yaml")
    return path.parent


def test_sources_are_named_by_the_last_part_of_their_path(write_yaml: Callable[..., Path]) -> None:
    task = Task.load(write_task(write_yaml, clean="data/toy/latent/", clouded="elsewhere/clean"))
    assert task.sources == {"clean": "latent", "clouded": "clean"}
    assert task.root("clouded") == "latent"
    products = task.products(7, ["clouded", "clean"])
    assert products["clouded"].seeds == (5, 5, 7)
    assert products["clouded"]._source is products["clean"]


def test_a_task_survives_the_way_to_a_worker(write_yaml: Callable[..., Path]) -> None:
    task = Task.load(write_task(write_yaml, clean="latent", clouded="clean"))
    assert Task.restore(task.dump()) == task


def test_provenance_is_foretold(write_yaml: Callable[..., Path]) -> None:
    task = Task.load(write_task(write_yaml, clean="latent", clouded="clean"))
    for name, product in task.products(3, ["clean", "clouded"]).items():
        assert task.provenance(3, name) == product.provenance()


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
        Task.load(write_task(write_yaml, **sources))


def test_lossy_latent_products_are_refused(write_yaml: Callable[..., Path]) -> None:
    folder = write_task(write_yaml, clean="latent")
    write_yaml(change(GENERATION, astype="jpg"), "task/generation_latent.yaml")
    with pytest.raises(ConfigError, match="generation_latent.yaml: astype: found jpg, expected h5"):
        Task.load(folder)


def test_problems_of_all_files_are_reported_at_once(write_yaml: Callable[..., Path]) -> None:
    folder = write_task(write_yaml, clean="latent")
    write_yaml(change(GENERATION, seed=-1), "task/generation_latent.yaml")
    write_yaml(change(DERIVATION, temporal_res=0), "task/derivation_clean.yaml")
    with pytest.raises(ConfigError, match=r"2 problems: .*derivation_clean.yaml: .*; .*generation_latent.yaml: seed"):
        Task.load(folder)
    with pytest.raises(ConfigError, match="found no generation_"):
        Task.load(folder.parent / "empty")


@pytest.mark.parametrize("name", ["derivation_latent.yaml", "deeper/generation_latent.yaml"])
def test_two_products_of_one_name_are_refused(write_yaml: Callable[..., Path], name: str) -> None:
    folder = write_task(write_yaml, clean="latent")
    write_yaml(DERIVATION | {"latent_product_path": "latent"} if "deriv" in name else GENERATION, f"task/{name}")
    with pytest.raises(ConfigError, match="makes a product 'latent' already"):
        Task.load(folder)


@pytest.mark.parametrize("task", PRODUCTS)
def test_demo_configurations(task: str) -> None:
    loaded = Task.load(CONFIG / "demo" / task)
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


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the published time series are not beside the repository")
@pytest.mark.parametrize("task", PRODUCTS)
def test_published_configurations(task: str, write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    for file in (CONFIG / task).rglob("*.yaml"):
        content = configuration.load(file)
        write_yaml(published(content) if "ts" in content else content, f"task/{file.name}")
    loaded = Task.load(tmp_path / "task")
    assert (sorted(loaded.generations), sorted(loaded.derivations)) == PRODUCTS[task]
    assert {name: config.product.n_polygons for name, config in loaded.generations.items()} == dict.fromkeys(
        PRODUCTS[task][0], 16
    )
    for product in loaded.products(17, list(loaded.derivations)).values():
        assert product.read(29)["frame"].shape == (256, 256, 3)
        assert len(product.steps) == 30


@pytest.mark.parametrize("file", sorted((CONFIG / "templates").glob("derivation_*.yaml")), ids=lambda file: file.stem)
def test_templates_fit_together(file: Path) -> None:
    from src.toygeneration.configuration import DerivationConfig
    from src.toygeneration.derivation import Geometry
    from src.toygeneration.source import Features

    scene = configuration.load(CONFIG / "templates" / "generation_large_scene.yaml")["product"]
    config = configuration.validate(DerivationConfig, configuration.load(file), file)
    features = Features(scene["size"]["width"], scene["size"]["height"], scene["nbands"], scene["horizon"], 128)
    Geometry(config.deformation, config.aggregation, config.target_size, features)


def test_configurations_are_short() -> None:
    """Files say only what differs from their base."""
    files = [file for file in CONFIG.rglob("*.yaml") if file.parent.name not in ("base", "templates")]
    assert len(files) == 27
    assert max(len(file.read_text().splitlines()) for file in files) <= 15
