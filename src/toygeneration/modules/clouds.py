"""What clouds are made of, whether they move or not: opacity, brightness, and how frames are seen through them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.frames import Frame, Masks, Opacity
from src.toygeneration.modules.fields import Field
from utils.ahead import one_ahead
from utils.fields import Range
from utils.seeding import Streams

OPACITY_EXPONENT = -1.5  # of the spectrum of u
BRIGHTNESS_EXPONENT = -1.2  # of the spectrum of v
NOISE_NODES = 8
NOISE_DEVIATION = 5.0
BLOCK_ROWS = 64
LEVELS = 255
LARGE = 2**20  # pixels of a frame; below, drawing clouds is not worth a thread


class Cover(NamedTuple):
    """What clouds do to a frame x: it becomes `kept · x + added`, each `(H, W)`, or `(C, H, W)` where bands differ."""

    masks: Masks
    kept: NDArray[np.float32]
    added: NDArray[np.float32]


def levels(thickness: Field) -> Field:
    """Cut u, in [0, 1], down to whole multiples of 1/255.

    The published generator held it in 8 bits, which shows in its statistics (2 % of pixels with α < 0.05, not 1.6 %).
    """
    return np.maximum(np.floor(thickness * LEVELS), 0)  # a cubic curve may swing below 0


def opacity(level: Field, density: float, sparsity: float) -> Opacity:
    """Turn a level of u into `α = clip(density · (1.5 u)^sparsity, 0, 1)`."""
    return np.minimum((level * 1.5 / LEVELS) ** sparsity * density, 1)


def brightness(light: Field, noise: Field) -> Field:
    """Turn v, in [0, 1], and N into `I = (250 (1 + (2 v - 1) / 5) + N) / 255`."""
    return (light * 100 + noise + 200) * (1 / 255)


def draw_gain(mul: Range, add: Range, seed: int | None, streams: Streams) -> tuple[np.float32, np.float32]:
    """Draw w and b, which hold for a whole product; a seed fixes them, whatever the product."""
    rng = (streams if seed is None else Streams((seed,))).rng("brightness")
    return np.float32(rng.uniform(mul.min, mul.max)), np.float32(rng.uniform(add.min, add.max))


def see_through(
    cover: Callable[[int], Cover], shape: tuple[int, int, int], steps: Sequence[int]
) -> Callable[[Frame, int], tuple[Frame, Masks]]:
    """Corrupt frames of a shape `(H, W, C)` by the cover of their time step, as `Corruption.prepare` says."""
    height, width, _ = shape
    cover_of = one_ahead(cover, steps) if height * width > LARGE else cover

    def corrupt(frame: Frame, step: int) -> tuple[Frame, Masks]:
        masks, kept, added = cover_of(step)
        return _mix(frame, kept, added), masks

    return corrupt


def _mix(frame: Frame, kept: NDArray[np.float32], added: NDArray[np.float32]) -> Frame:
    """One product and one sum for each value."""
    made = np.empty_like(frame)
    kept, added = (np.broadcast_to(part, (frame.shape[2], *frame.shape[:2])) for part in (kept, added))
    for rows in blocks(len(frame)):
        for band in range(frame.shape[2]):
            np.multiply(frame[rows, :, band], kept[band, rows], out=made[rows, :, band])
            made[rows, :, band] += added[band, rows]
    return made


def blocks(height: int) -> Iterator[slice]:
    """Blocks of rows that fit the processor's cache."""
    return (slice(top, top + BLOCK_ROWS) for top in range(0, height, BLOCK_ROWS))
