"""Semi-transparent clouds and a change of brightness."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from src.toygeneration.frames import Frame, Opacity
from src.toygeneration.modules.corruptions import CORRUPTIONS, Corrupt, Corruption
from src.toygeneration.modules.fields import PowerLaw, enlargement
from utils.ahead import one_ahead
from utils.fields import Amount, Range, Share
from utils.memory import check
from utils.seeding import Streams

OPACITY_EXPONENT = -1.5
BRIGHTNESS_EXPONENT = -1.2
NOISE_NODES = 8
NOISE_DEVIATION = 5.0
BLOCK_ROWS = 64
LEVELS = 255
Cover = tuple[Opacity, Opacity, Opacity]
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
    # u is drawn on a square grid of this size and enlarged to the frame: the smaller, the smoother the clouds
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

        def draw(step: int) -> Cover:
            rng = streams.rng("clouds", step)
            if rng.random() < self.cloud_probability:
                return clouds.draw(rng, gain, offset)
            clear = np.zeros((height, width), np.float32)
            return clear, clear + gain, clear + offset

        cover_of = one_ahead(draw, steps) if height * width > LARGE else draw

        def corrupt(frame: Frame, step: int) -> tuple[Frame, Opacity | None]:
            opacity, kept, added = cover_of(step)
            return _mix(frame, kept, added), opacity if self.cloud_probability else None

        return corrupt


def _mix(frame: Frame, kept: Opacity, added: Opacity) -> Frame:
    """One product and one sum for each value, in blocks that fit the processor's cache."""
    made = np.empty_like(frame)
    for top in range(0, len(frame), BLOCK_ROWS):
        rows = slice(top, top + BLOCK_ROWS)
        for band in range(frame.shape[2]):
            np.multiply(frame[rows, :, band], kept[rows], out=made[rows, :, band])
            made[rows, :, band] += added[rows]
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
        """Draw the clouds of one frame under gain w and offset b, in blocks of rows that fit the processor's cache.

        Returns:
            Three arrays `(H, W)`: opacity α, what is left of the ground's light, w (1 - α), what is added, w α I + b.
        """
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
            # I = (250 (1 + (2 v - 1) / 5) + N) / 255 = (100 v + N + 200) / 255
            light = (added[rows] * 100 + self._noise_rows[rows] @ noise + 200) * (1 / 255)
            added[rows] = light * alpha_gain + offset
        return opacity, kept, added

    def _opacity(self, thickness: NDArray[np.float32]) -> Opacity:
        """Turn u into α."""
        levels = np.maximum(np.floor(thickness * LEVELS), 0)  # a cubic curve may swing below 0
        return np.minimum((levels * 1.5 / LEVELS) ** self._sparsity * self._density, 1)
