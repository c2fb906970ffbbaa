"""The folder of a data set: views of one recipe, never mixed; nothing removed that we did not make."""

from collections.abc import Callable
from pathlib import Path

import pytest

from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.views import IDENTITY, build_views, claim
from tests.conftest import DERIVATION, GENERATION, change, contents
from utils.errors import UsageError


@pytest.fixture
def folder(recipe: Recipe, tmp_path: Path) -> Path:
    """Two views, and what a user put beside them."""
    build_views(recipe, tmp_path / "set", [1, 2], njobs=1)
    for place in ("notes.txt", "1/notes.txt", "mine/clean/index.json", "1/other/index.json"):
        (tmp_path / "set" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / place).write_text("mine")
    return tmp_path / "set"


@pytest.fixture
def other(recipe: Recipe, write_yaml: Callable[..., Path], tmp_path: Path) -> Recipe:
    """The same, but one derived product has another name, and borders are wider."""
    del recipe
    write_yaml(change(GENERATION, product__border_width=2), "task/generation_latent.yaml")
    (tmp_path / "task" / "derivation_clouded.yaml").unlink()
    write_yaml(DERIVATION | {"latent_product_path": "clean"}, "task/derivation_again.yaml")
    return Recipe.load(tmp_path / "task")


def test_views_of_another_recipe_are_neither_mixed_nor_lost(folder: Path, other: Recipe) -> None:
    before = contents(folder)
    with pytest.raises(UsageError, match=r"holds other work .*found .*--overwrite"):
        claim(folder, other, [1, 2], overwrite=False)
    assert contents(folder) == before


def test_overwriting_replaces_all_views_and_nothing_else(folder: Path, other: Recipe, tmp_path: Path) -> None:
    assert build_views(other, folder, [1], njobs=1, overwrite=True) == {}
    build_views(other, tmp_path / "fresh", [1], njobs=1)
    mine = dict.fromkeys(("notes.txt", "1/notes.txt", "mine/clean/index.json", "1/other/index.json"), b"mine")
    assert contents(folder) == contents(tmp_path / "fresh") | mine


def test_views_that_nobody_knows_the_recipe_of_are_left_alone(folder: Path, recipe: Recipe) -> None:
    (folder / IDENTITY).unlink()
    before = contents(folder)
    with pytest.raises(UsageError, match=rf"holds views but no {IDENTITY}.*--overwrite"):
        claim(folder, recipe, [1, 2], overwrite=False)
    assert contents(folder) == before
    claim(folder, recipe, [1, 2], overwrite=True)
    assert not (folder / "2").exists()


def test_a_product_with_something_else_in_it_is_found_before_anything_is_removed(folder: Path, other: Recipe) -> None:
    (folder / "2" / "clean" / "notes.txt").touch()
    before = contents(folder)
    with pytest.raises(UsageError, match="a folder with 'notes.txt' in it"):
        claim(folder, other, [1, 2], overwrite=True)
    assert contents(folder) == before
