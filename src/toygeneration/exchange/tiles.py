"""Views of one scene: square tiles, their numbers, and the blocks of space that train, validate and test."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.toygeneration.exchange.imagery import Imagery, Window
from utils.errors import DataError
from utils.number_lists import format_numbers
from utils.seeding import Streams

SPLITS = ("train", "val", "test")
BLOCK = 4  # tiles that blocks of space have at most in either direction by default, and blocks that a scene then has
BUDGET = 2**28  # bytes of frames that are in memory at once


@dataclass(frozen=True)
class Grid:
    """Tiles of some side, in pixels, from the scene's upper left corner; what is left over right and below is not used.

    Tiles are numbered from 1, line by line, so that series of one grid, such as optical and SAR, agree on their views.
    """

    side: int
    rows: int
    columns: int

    @classmethod
    def of(cls, scene: Imagery, side: int) -> "Grid":
        if side > min(scene.height, scene.width):
            size = f"{scene.width}x{scene.height}"
            raise DataError(f"--tile: found {side} pixels, expected at most the side of the images, {size}; lower it")
        return cls(side, scene.height // side, scene.width // side)

    @property
    def block(self) -> int:
        """The side of the blocks of space, in tiles, where nobody says it."""
        return max(1, min(BLOCK, self.rows // BLOCK, self.columns // BLOCK))

    def number(self, row: int, column: int) -> int:
        return row * self.columns + column + 1

    def place(self, number: int) -> tuple[int, int]:
        return divmod(number - 1, self.columns)

    def window(self, number: int) -> Window:
        """Where a tile lies in the scene."""
        return self._window(*self.place(number))

    def blocks(self, scene: Imagery) -> Iterator[tuple[Window, dict[int, Window]]]:
        """Cut the scene into windows that fit into memory, each with the windows of its tiles within it, by number.

        They hold whole pieces of the files where that is possible, lest pieces be decoded several times.
        """
        down = min(math.ceil(scene.block[0] / self.side), self.rows)
        across = min(math.ceil(scene.block[1] / self.side), self.columns)
        tile = self.side**2 * scene.nbands * len(scene.steps) * np.dtype(np.float32).itemsize
        while down * across > 1 and down * across * tile > BUDGET:
            down, across = (math.ceil(down / 2), across) if down >= across else (down, math.ceil(across / 2))
        while across < self.columns and 2 * down * across * tile <= BUDGET:
            across = min(2 * across, self.columns)
        for row in range(0, self.rows, down):
            for column in range(0, self.columns, across):
                rows, columns = (
                    range(row, min(row + down, self.rows)),
                    range(column, min(column + across, self.columns)),
                )
                tiles = {self.number(r, c): self._window(r - row, c - column) for r in rows for c in columns}
                yield self._window(row, column, len(rows), len(columns)), tiles

    def _window(self, row: int, column: int, down: int = 1, across: int = 1) -> Window:
        top, left = row * self.side, column * self.side
        return slice(top, top + down * self.side), slice(left, left + across * self.side)


def assign(grid: Grid, block: int, shares: Sequence[float], seed: int) -> dict[int, str | None]:
    """Assign tiles to training, validation and testing, by blocks of so many tiles in either direction.

    No two neighbours, diagonal ones included, are in different splits: one of them is in none, a training tile before a
    validation tile, and that before a testing tile.

    Raises:
        DataError: If a split whose share isn't 0 gets no tile.
    """
    down, across = math.ceil(grid.rows / block), math.ceil(grid.columns / block)
    order = Streams((seed,)).rng("blocks").permutation(down * across)
    ends = np.rint(np.cumsum(shares) * len(order)).astype(int)
    split_of_block = dict(
        zip(order.tolist(), np.searchsorted(ends, np.arange(len(order)), "right").tolist(), strict=True)
    )
    found: dict[int, int | None] = {}
    for number in range(1, grid.rows * grid.columns + 1):
        row, column = grid.place(number)
        found[number] = split_of_block[row // block * across + column // block]
    for split in (1, 0):
        beside = {number for number, other in found.items() if other == split and _touches(grid, number, split, found)}
        found |= dict.fromkeys(beside)
    named = {number: None if split is None else SPLITS[split] for number, split in found.items()}
    check_split(named, shares)
    return named


def check_split(split: Mapping[int, str | None], shares: Sequence[float]) -> None:
    counts = Counter(split.values())
    if any(share and not counts[name] for share, name in zip(shares, SPLITS, strict=True)):
        shown = ", ".join(f"{counts[name]} {name}" for name in SPLITS)
        raise DataError(
            f"--tile: found {shown} views among {len(split)}, expected some of each that don't touch others; lower "
            "--tile, or change --block or --shares"
        )


def _touches(grid: Grid, number: int, split: int, found: Mapping[int, int | None]) -> bool:
    """Whether a neighbour of a tile is in a later split."""
    row, column = grid.place(number)
    rows = range(max(row - 1, 0), min(row + 2, grid.rows))
    columns = range(max(column - 1, 0), min(column + 2, grid.columns))
    return any((found[grid.number(r, c)] or 0) > split for r in rows for c in columns)


def split_section(split: Mapping[int, str | None]) -> dict[str, dict[str, dict[str, str]]]:
    """Say what an experiment's configuration would say of the split."""
    parts = {name: [number for number, part in split.items() if part == name] for name in SPLITS}
    return {"dataset": {"split": {name: format_numbers(numbers) for name, numbers in parts.items() if numbers}}}
