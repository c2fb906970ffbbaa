"""Semi-transparent clouds and a change of brightness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from src.toygeneration.frames import Frame, Opacity
from src.toygeneration.modules.corruptions import CORRUPTIONS, Corrupt, Corruption
from src.toygeneration.modules.fields import PowerLaw, enlargement
from utils.ahead import Ahead
from utils.memory import check
from utils.ranges import Amount, Range, Share
from utils.seeding import Streams

OPACITY_EXPONENT = -1.5
BRIGHTNESS_EXPONENT = -1.2
NOISE_NODES = 8
NOISE_DEVIATION = 5.0
BLOCK_ROWS = 64
LEVELS = 255
BYTES_A_NODE, BYTES_A_PIXEL = 27, 20  # of the grid's and the frame's spectra and enlargements (measured)
LARGE = 2**20  # pixels of a frame; below, drawing clouds is not worth a thread


@CORRUPTIONS.register
class CloudAndBrightness(Corruption):
    """A frame x becomes `w ((1 - α) x + α I) + b` under clouds of opacity α and brightness I.

    With u and v power-law fields in [0, 1] (see `fields.PowerLaw`), exponents -1.5 and -1.2:
    `α = clip(density · (1.5 u)^sparsity, 0, 1)` and `I = (250 (1 + (2 v - 1) / 5) + N) / 255`, where N is an 8 x 8
    Gaussian field of standard deviation 5, enlarged cubically to the frame. u is cut down to a multiple of 1/255: the
    published generator held it in 8 bits, which shows in its statistics (2 % of pixels with α < 0.05, not 1.6 %).
    """

    name: Literal["cloud_and_brightness"]
    # u is drawn on a square grid of this size and enlarged cubically to the frame: the smaller, the smoother the
    # clouds
    sampling_scale: Annotated[int, Field(ge=1, le=2**13)]
    cloud_density: Amount  # factor of the opacity
    # exponent of the opacity; the larger, the fewer thin clouds
    cloud_sparsity: Annotated[float, Field(ge=0, le=100)]
    cloud_probability: Share  # share of frames that have clouds
    mul: Range  # w is drawn from this range once per product
    add: Range  # b likewise
    seed: NonNegativeInt | None = None  # where given, fixes w and b alone, whatever the product

    def prepare(self, height: int, width: int, streams: Streams, steps: Sequence[int]) -> Corrupt:
        grid = self.sampling_scale
        what = f"drawing clouds on a grid of {grid} x {grid}, for {width} x {height} pixels,"
        size = BYTES_A_NODE * grid**2 + BYTES_A_PIXEL * height * width
        check("corruption.sampling_scale", what, size, "lower it or use smaller frames")
        brightness = (streams if self.seed is None else Streams((self.seed,))).rng("brightness")
        gain = np.float32(brightness.uniform(self.mul.min, self.mul.max))
        offset = np.float32(brightness.uniform(self.add.min, self.add.max))
        clouds = Clouds(self, height, width)

        def draw(step: int) -> Cover | None:
            rng = streams.rng("clouds", step)
            return clouds.draw(rng, gain, offset) if rng.random() < self.cloud_probability else None

        cover_of = Ahead(draw, steps) if height * width > LARGE else draw

        def corrupt(frame: Frame, step: int) -> tuple[Frame, Opacity | None]:
            cover = cover_of(step) if self.cloud_probability else None
            if cover is not None:
                return _mix(frame, cover), cover.opacity
            made = frame * gain
            made += offset
            return made, np.zeros((height, width), np.float32) if self.cloud_probability else None

        return corrupt


@dataclass(frozen=True)
class Cover:
    """The clouds of one frame, each `(H, W)`."""

    opacity: Opacity  # α
    kept: Opacity  # what is left of the ground's light, w (1 - α)
    added: Opacity  # what the clouds add, w α I + b


def _mix(frame: Frame, cover: Cover) -> Frame:
    """`w ((1 - α) x + α I) + b` as one product and one sum for each value, in blocks that fit the processor's cache."""
    made = np.empty_like(frame)
    for top in range(0, len(frame), BLOCK_ROWS):
        rows = slice(top, top + BLOCK_ROWS)
        for band in range(frame.shape[2]):
            np.multiply(frame[rows, :, band], cover.kept[rows], out=made[rows, :, band])
            made[rows, :, band] += cover.added[rows]
    return made


class Clouds:
    """Draws clouds for frames of one size."""

    def __init__(self, config: CloudAndBrightness, height: int, width: int) -> None:
        self._density, self._sparsity = config.cloud_density, config.cloud_sparsity
        self._shape = PowerLaw(OPACITY_EXPONENT, config.sampling_scale, config.sampling_scale)
        self._light = PowerLaw(BRIGHTNESS_EXPONENT, height, width)
        self._rows, self._columns = (enlargement(config.sampling_scale, size) for size in (height, width))
        self._noise_rows, self._noise_columns = (enlargement(NOISE_NODES, size) for size in (height, width))

    def draw(self, rng: np.random.Generator, gain: np.float32, offset: np.float32) -> Cover:
        """Draw the clouds of one frame under gain w and offset b, in blocks of rows that fit the processor's cache."""
        shape = self._shape.draw(rng) @ self._columns.T  # u, still to be enlarged along the rows
        added = self._light.draw(rng)  # v, to become w α I + b
        noise = rng.normal(0, NOISE_DEVIATION, (NOISE_NODES, NOISE_NODES)).astype(np.float32) @ self._noise_columns.T
        opacity, kept = np.empty_like(added), np.empty_like(added)
        for top in range(0, len(added), BLOCK_ROWS):
            rows = slice(top, top + BLOCK_ROWS)
            alpha = self._opacity(self._rows[rows] @ shape)
            alpha_gain = gain * alpha
            opacity[rows] = alpha
            np.subtract(gain, alpha_gain, out=kept[rows])
            light = added[rows]
            light *= 100  # I = (250 (1 + (2 v - 1) / 5) + N) / 255 = (200 + 100 v + N) / 255
            light += self._noise_rows[rows] @ noise
            light += 200
            light *= 1 / 255
            light *= alpha_gain
            light += offset
        return Cover(opacity, kept, added)

    def _opacity(self, thickness: NDArray[np.float32]) -> Opacity:
        """Turn u into α, in place."""
        thickness *= LEVELS
        np.floor(thickness, out=thickness)
        np.maximum(thickness, 0, out=thickness)  # a cubic curve may swing below 0
        thickness *= 1.5
        thickness /= LEVELS
        thickness **= self._sparsity
        thickness *= self._density
        return np.minimum(thickness, 1, out=thickness)
