"""Tiles: they partition the scene, and no two neighbours are in different splits."""

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from src.rsgan.data.split import SplitConfig
from src.toygeneration.exchange import tiles
from src.toygeneration.exchange.filling import fill_gaps, has_value
from src.toygeneration.exchange.tiles import Grid, assign, split_section
from utils.errors import DataError


@given(
    side=st.integers(1, 9),
    size=st.tuples(st.integers(9, 60), st.integers(9, 60)),
    pieces=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    budget=st.sampled_from([1, 10**4, 10**5, 10**8]),
)
def test_blocks_hold_each_tile_once_whatever_fits_into_memory(
    side: int, size: tuple[int, int], pieces: tuple[int, int], budget: int
) -> None:
    scene: Any = SimpleNamespace(height=size[0], width=size[1], block=pieces, nbands=3, steps=range(5))
    grid, seen = Grid.of(scene, side), np.zeros(size, int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "BUDGET", budget)
        for (rows, columns), within in grid.blocks(scene):
            height, width = rows.stop - rows.start, columns.stop - columns.start
            assert height * width * 60 <= max(budget, side**2 * 60)
            for number, tile in within.items():
                seen[rows, columns][tile] += number
    row, column = np.mgrid[: grid.rows * side, : grid.columns * side] // side
    assert np.array_equal(seen[: grid.rows * side, : grid.columns * side], row * grid.columns + column + 1)
    assert seen[grid.rows * side :].sum() == seen[:, grid.columns * side :].sum() == 0


@given(
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    block=st.integers(1, 6),
    shares=st.sampled_from([(0.7, 0.15, 0.15), (0.5, 0.5, 0.0), (0.34, 0.33, 0.33)]),
    seed=st.integers(0, 3),
)
def test_neighbours_are_in_one_split(
    rows: int, columns: int, block: int, shares: tuple[float, float, float], seed: int
) -> None:
    grid = Grid(8, rows, columns)
    try:
        split = assign(grid, block, shares, seed)
    except DataError:
        assume(False)
    assert list(split) == list(range(1, rows * columns + 1))
    for number, part in split.items():
        row, column = grid.place(number)
        for down, across in itertools.product((-1, 0, 1), repeat=2):
            if part and 0 <= row + down < rows and 0 <= column + across < columns:
                assert split[grid.number(row + down, column + across)] in (part, None)
    assert SplitConfig.model_validate(split_section(split)["dataset"]["split"])
    assert split == assign(grid, block, shares, seed)


@given(rows=st.integers(8, 40), columns=st.integers(8, 40), seed=st.integers(0, 3))
def test_a_scene_has_places_for_each_split_by_default(rows: int, columns: int, seed: int) -> None:
    grid = Grid(8, rows, columns)
    assert {*assign(grid, grid.block, (0.7, 0.15, 0.15), seed).values()} >= {"train", "val", "test"}
    assert grid.block == 4 or min(rows, columns) < 16


def test_shares_are_kept_and_seeds_differ() -> None:
    grid = Grid(8, 80, 80)
    for shares in ((0.7, 0.15, 0.15), (0.2, 0.3, 0.5)):
        split = [*assign(grid, 8, shares, 0).values()]
        assert split.count("test") == pytest.approx(6400 * shares[2], abs=64)
        assert split.count("train") < 6400 * shares[0]
    assert assign(grid, 8, shares, 0) != assign(grid, 8, shares, 1)


@pytest.mark.parametrize("method", ["previous", "linear"])
def test_filling_leaves_values_alone_and_follows_lines(method: str) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.random(9)) * 10
    slope, start = rng.random((2, 6, 7, 4))
    series = (start + slope * times[:, None, None, None]).astype(np.float32)
    missing = rng.random((9, 6, 7)) < 0.5
    missing[:, 0, 0] = True
    missing[:, 0, 1] = False
    missing[[0, -1], 1:] = False
    frames = np.where(missing[..., None], np.float32(np.nan), series)
    fill_gaps(frames, times, method)
    assert np.array_equal(frames[~missing], series[~missing])
    assert np.array_equal(~has_value(frames).any(axis=0), missing.all(axis=0))
    if method == "linear":
        assert np.allclose(frames[:, 1:], series[:, 1:], rtol=1e-4)
    else:
        for step in range(1, 9):
            gap = missing[step, 1:]
            assert np.array_equal(frames[step, 1:][gap], frames[step - 1, 1:][gap])
