"""Series of frames, `(T, C, H, W)`: what all that scores them needs."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

Part = TypeVar("Part")
Result = TypeVar("Result")


def check_series(one: Tensor, other: Tensor, what: str = "series") -> None:
    """Raise a ValueError unless both are series of one shape."""
    if one.ndim != 4 or one.shape != other.shape:
        shapes = f"{tuple(one.shape)} and {tuple(other.shape)}"
        raise ValueError(f"found {what} of shapes {shapes}, expected two equal shapes (T, C, H, W)")


def on_all_cores(function: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
    """Work on parts side by side, each on one core: less waiting than for all cores after each small operation."""
    ncores = torch.get_num_threads()
    with ThreadPoolExecutor(ncores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            return [*pool.map(function, parts)]
        finally:
            torch.set_num_threads(ncores)
