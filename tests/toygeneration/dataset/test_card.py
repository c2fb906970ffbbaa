"""A data set's card: what it says of the files is what they are."""

import json
import re
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.views import build_views
from src.toygeneration.export import ProductDataset, export
from tests.conftest import DERIVATION, GENERATION, MOVING_CLOUDS, contents, scene
from utils.files import digest_file
from utils.identity import Identity

# Of each type, the properties that Croissant 1.0 demands.
DEMANDED = {
    "sc:Dataset": {"@context", "conformsTo", "name", "description", "license", "distribution"},
    "cr:FileObject": {"@id", "name", "contentUrl", "encodingFormat", "sha256"},
    "cr:FileSet": {"@id", "name", "encodingFormat", "includes"},
}


@pytest.fixture
def folder(recipe: Recipe, tmp_path: Path) -> Path:
    assert build_views(recipe, tmp_path / "set", [1, 2, 4], njobs=1) == {}
    return tmp_path / "set"


def nodes(content: object) -> list[dict[str, Any]]:
    """All that has a type, at any depth."""
    if isinstance(content, list):
        return [node for item in content for node in nodes(item)]
    if not isinstance(content, dict):
        return []
    own = [content] if "@type" in content else []
    return own + [node for key, item in content.items() if key != "@context" for node in nodes(item)]


def test_what_dataset_hubs_read(folder: Path) -> None:
    card = json.loads((folder / "croissant.json").read_text())
    found = nodes(card)
    assert {node["@type"] for node in found} == set(DEMANDED)
    for node in found:
        assert DEMANDED[node["@type"]] <= set(node)
    names = [node["@id"] for node in found if "@id" in node]
    assert len(set(names)) == len(names)
    _, head, text = (folder / "README.md").read_text().split("---\n", 2)
    assert {"license", "pretty_name", "tags", "size_categories", "task_categories"} <= set(yaml.safe_load(head))
    identity = Identity.restore(json.loads((folder / "identity.json").read_text()))
    for said in (text, card["description"]):
        assert "--seeds=1-2,4" in said
    assert identity.digest in text
    assert card["identifier"] == identity.digest
    assert card["distribution"][0]["sha256"] == digest_file(folder / "identity.json")


@pytest.fixture
def others(write_yaml: Callable[..., Path], tmp_path: Path) -> Path:
    """A set of a product that has few steps, and of one with shadows."""
    write_yaml(GENERATION, "other/generation_latent.yaml")
    latent = DERIVATION | {"latent_product_path": "latent"}
    write_yaml(latent | {"temporal_res": 3}, "other/derivation_seldom.yaml")
    write_yaml(latent | {"corruption": MOVING_CLOUDS}, "other/derivation_shadowed.yaml")
    assert build_views(Recipe.load(tmp_path / "other"), tmp_path / "others", [1], njobs=1) == {}
    return tmp_path / "others"


def test_the_sets_of_files_are_all_files(folder: Path, others: Path) -> None:
    for place in (folder, others):
        card = json.loads((place / "croissant.json").read_text())
        patterns = {node["@id"]: node["includes"] for node in nodes(card) if node["@type"] == "cr:FileSet"}
        files = [path for path in contents(place) if path.endswith(".h5")]
        members = {name: [file for file in files if fnmatch(file, pattern)] for name, pattern in patterns.items()}
        assert all(members.values())
        assert sorted(file for found in members.values() for file in found) == sorted(files)


def test_the_table_is_what_products_are(folder: Path, others: Path) -> None:
    row = r"^\| (\w+) \| \w+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (yes|with shadows)? ?\|$"
    for place in (folder, others):
        rows = re.findall(row, *text_of(place))
        assert len(rows) == len([*(place / "1").iterdir()])
        for name, *sizes, clouds in rows:
            product = ProductDataset(place / "1" / name)
            features = product.features
            expected = features.nbands, features.width, features.height, len(product.steps)
            assert tuple(map(int, sizes)) == expected
            assert bool(clouds) == product.has_clouds
            assert (clouds == "with shadows") == product.has_shadows


def text_of(folder: Path) -> tuple[str, int]:
    return (folder / "README.md").read_text(), re.MULTILINE


def test_a_card_of_somebody_else_is_left_alone(folder: Path, recipe: Recipe) -> None:
    before = contents(folder)
    (folder / "README.md").write_text("mine")
    (folder / "croissant.json").unlink()
    build_views(recipe, folder, [1, 2, 4], njobs=1)
    assert contents(folder) == before | {"README.md": b"mine"}


def test_the_card_of_imported_images_calls_them_real(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    write_yaml({"path": str(tmp_path / "images")}, "task/imported_latent.yaml")
    write_yaml({"latent_product_path": "latent"}, "task/derivation_clean.yaml")
    export({tmp_path / "images/7": scene(7)})
    (tmp_path / "images/identity.json").write_text("{}")
    assert build_views(Recipe.load(tmp_path / "task"), tmp_path / "set", [7], njobs=1) == {}
    text = (tmp_path / "set/README.md").read_text()
    assert "The images are real" in text
    assert "ynthetic" not in text
    assert "Time series:" not in text


def test_without_a_view_there_is_no_card(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/1").write_text("in the way")
    assert build_views(recipe, tmp_path / "set", [1], njobs=1)
    assert not (tmp_path / "set/README.md").exists()
