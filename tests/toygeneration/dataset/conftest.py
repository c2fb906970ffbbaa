"""A small recipe, and the processes that a process has started."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from src.toygeneration.dataset.recipe import Recipe
from tests.toygeneration.dataset.test_recipe import write_task


@pytest.fixture
def recipe(write_yaml: Callable[..., Path]) -> Recipe:
    return Recipe.load(write_task(write_yaml, clean="latent", clouded="clean"))


def children(process: int) -> list[int]:
    """Processes that it has started, and those that these have started."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    own = [int(child) for file in lists for child in file.read_text().split()]
    return own + [grandchild for child in own for grandchild in children(child)]


def wait_until(done: Callable[[], object]) -> None:
    """Give up after ten minutes, lest a suite hang."""
    for _ in range(12_000):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
