"""Semi-transparent clouds and a change of brightness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from src.toygeneration.modules.corruptions import CORRUPTIONS, Corrupt, Corruption, Opacity
from src.toygeneration.modules.fields import PowerLaw, enlargement
from src.toygeneration.modules.resampling import Frame
from utils.ahead import Ahead
from utils.ranges import Range, Share
from utils.seeding import Streams

OPACITY_EXPONENT = -1.5
BRIGHTNESS_EXPONENT = -1.2
NOISE_NODES = 8
BLOCK_ROWS = 64
LEVELS = 255
LARGE = 2**20  # pixels of a frame; below, drawing clouds is not worth a thread


@CORRUPTIONS.register
class CloudAndBrightness(Corruption):
    """A frame x becomes `w ((1 - α) x + α I) + b` under clouds of opacity α and brightness I.

    With u and v power-law fields in [0, 1] (see `fields.PowerLaw`), exponents -1.5 and -1.2:
    `α = clip(density · (1.5 u)^sparsity, 0, 1)` and `I = (250 (1 + (2 v - 1) / 5) + N) / 255`, where N is an 8 x 8
    Gaussian field of standard deviation 5, enlarged cubically to the frame. u is cut down to a multiple of 1/255: the
    published generator held it in 8 bits, which shows in its statistics (2 % of pixels with α < 0.05, not 1.6 %).

    Attributes:
        sampling_scale: u is drawn on a square grid of this size and enlarged cubically to the frame: the smaller,
            the smoother the clouds.
        cloud_density: factor of the opacity.
        cloud_sparsity: exponent of the opacity; the larger, the fewer thin clouds.
        cloud_probability: share of frames that have clouds.
        mul: w is drawn from this range once per product.
        add: b likewise.
        seed: where given, fixes w and b alone, whatever the product.
    """

    name: Literal["cloud_and_brightness"]
    sampling_scale: PositiveInt
    cloud_density: NonNegativeFloat
    cloud_sparsity: PositiveFloat
    cloud_probability: Share
    mul: Range
    add: Range
    seed: NonNegativeInt | None = None

    def prepare(self, height: int, width: int, streams: Streams, steps: Sequence[int]) -> Corrupt:
        """Draw the brightness and compute spectra and enlargements; see `Corruption`."""
        brightness = (streams if self.seed is None else Streams((self.seed,))).rng("brightness")
        gain = np.float32(brightness.uniform(self.mul.min, self.mul.max))
        offset = np.float32(brightness.uniform(self.add.min, self.add.max))
        clouds = Clouds(self, height, width)

        def draw(step: int) -> Cover | None:
            rng = streams.rng("clouds", step)
            return clouds.draw(rng) if rng.random() < self.cloud_probability else None

        cover_of = Ahead(draw, steps) if height * width > LARGE else draw

        def corrupt(frame: Frame, step: int) -> tuple[Frame, Opacity | None]:
            if not self.cloud_probability:
                return frame * gain + offset, None
            opacity = np.zeros((height, width), np.float32)
            cover = cover_of(step)
            if cover is None:
                return frame * gain + offset, opacity
            made = np.empty_like(frame)
            for top in range(0, height, BLOCK_ROWS):
                rows = slice(top, top + BLOCK_ROWS)
                opacity[rows] = alpha = cover.opacity(rows)
                # w ((1 - α) x + α I) + b  =  (w (1 - α)) x + (w α I + b): one product and one sum for each value
                clear = gain - gain * alpha
                light = gain * alpha * cover.brightness(rows) + offset
                for band in range(frame.shape[2]):
                    np.multiply(frame[rows, :, band], clear, out=made[rows, :, band])
                    made[rows, :, band] += light
            return made, opacity

        return corrupt


class Clouds:
    """Draws clouds for frames of one size.

    Args:
        config: density, sparsity and sampling scale.
        height: of the frames.
        width: of the frames.
    """

    def __init__(self, config: CloudAndBrightness, height: int, width: int) -> None:
        self.density, self.sparsity = config.cloud_density, config.cloud_sparsity
        self._shape = PowerLaw(OPACITY_EXPONENT, config.sampling_scale, config.sampling_scale)
        self._light = PowerLaw(BRIGHTNESS_EXPONENT, height, width)
        self.rows, self._columns = (enlargement(config.sampling_scale, size) for size in (height, width))
        self.noise_rows, self._noise_columns = (enlargement(NOISE_NODES, size) for size in (height, width))

    def draw(self, rng: np.random.Generator) -> "Cover":
        """Draw the clouds of one frame.

        Args:
            rng: the stream `clouds` of a time step.

        Returns:
            The clouds, enlarged along the columns only.
        """
        shape = self._shape.draw(rng) @ self._columns.T
        light = self._light.draw(rng)
        noise = rng.normal(0, 5, (NOISE_NODES, NOISE_NODES)).astype(np.float32) @ self._noise_columns.T
        return Cover(self, shape, light, noise)


@dataclass(frozen=True)
class Cover:
    """The clouds of one frame, finished block by block of rows: each block stays in the processor's cache.

    Attributes:
        clouds: what all frames share.
        shape: u before its enlargement along the rows, `(sampling_scale, W)`.
        light: v, `(H, W)`.
        noise: N before its enlargement along the rows, `(8, W)`.
    """

    clouds: Clouds
    shape: NDArray[np.float32]
    light: NDArray[np.float32]
    noise: NDArray[np.float32]

    def opacity(self, rows: slice) -> Opacity:
        """Compute α.

        Args:
            rows: of the frame.

        Returns:
            `(rows, W)`, in [0, 1].
        """
        thickness = self.clouds.rows[rows] @ self.shape
        thickness *= LEVELS
        np.floor(thickness, out=thickness)
        np.maximum(thickness, 0, out=thickness)  # a cubic curve may swing below 0
        thickness *= 1.5
        thickness /= LEVELS
        thickness **= self.clouds.sparsity
        thickness *= self.clouds.density
        return np.minimum(thickness, 1, out=thickness)

    def brightness(self, rows: slice) -> NDArray[np.float32]:
        """Compute I.

        Args:
            rows: of the frame.

        Returns:
            `(rows, W)`, around 0.98.
        """
        level = self.clouds.noise_rows[rows] @ self.noise
        level += 250 * 0.8  # 250 (1 + (2 v - 1) / 5) = 250 (0.8 + 0.4 v)
        level += self.light[rows] * (250 * 0.4)
        level *= 1 / 255
        return level
