"""Semi-transparent clouds and a change of brightness."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from src.toygeneration.modules.corruptions import CORRUPTIONS, Corrupt, Corruption, Opacity
from src.toygeneration.modules.fields import PowerLaw, enlargement
from src.toygeneration.modules.resampling import Frame
from utils.ranges import Range, Share
from utils.seeding import Streams

OPACITY_EXPONENT = -1.5
BRIGHTNESS_EXPONENT = -1.2
NOISE_NODES = 8


@CORRUPTIONS.register
class CloudAndBrightness(Corruption):
    """A frame x becomes `w ((1 - α) x + α I) + b` under clouds of opacity α and brightness I.

    With u and v power-law fields in [0, 1] (see `fields.PowerLaw`), exponents -1.5 and -1.2:
    `α = clip(density · (1.5 u)^sparsity, 0, 1)` and `I = (250 (1 + (2 v - 1) / 5) + N) / 255`, where N is an 8 x 8
    Gaussian field of standard deviation 5, enlarged cubically to the frame.

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

    def prepare(self, height: int, width: int, streams: Streams) -> Corrupt:
        """Draw the brightness and compute spectra and enlargements; see `Corruption`."""
        brightness = (streams if self.seed is None else Streams((self.seed,))).rng("brightness")
        gain = np.float32(brightness.uniform(self.mul.min, self.mul.max))
        offset = np.float32(brightness.uniform(self.add.min, self.add.max))
        clouds = Clouds(self, height, width)

        def corrupt(frame: Frame, step: int) -> tuple[Frame, Opacity]:
            rng = streams.rng("clouds", step)
            if rng.random() >= self.cloud_probability:
                return frame * gain + offset, np.zeros((height, width), np.float32)
            opacity = clouds.opacity(rng)
            light = clouds.brightness(rng)
            # w ((1 - α) x + α I) + b  =  (w (1 - α)) x + (w α I + b), one multiplication and sum per value
            light *= opacity
            light *= gain
            light += offset
            clear = gain - gain * opacity
            made = np.empty_like(frame)
            for band in range(frame.shape[2]):
                np.multiply(frame[..., band], clear, out=made[..., band])
                made[..., band] += light
            return made, opacity

        return corrupt


class Clouds:
    """Draws opacity and brightness for frames of one size.

    Args:
        config: density, sparsity and sampling scale.
        height: of the frames.
        width: of the frames.
    """

    def __init__(self, config: CloudAndBrightness, height: int, width: int) -> None:
        self._density = np.float32(config.cloud_density)
        self._sparsity = config.cloud_sparsity
        self._shape = PowerLaw(OPACITY_EXPONENT, config.sampling_scale, config.sampling_scale)
        self._light = PowerLaw(BRIGHTNESS_EXPONENT, height, width)
        self._rows = enlargement(config.sampling_scale, height)
        self._columns = enlargement(config.sampling_scale, width)
        self._noise_rows = enlargement(NOISE_NODES, height)
        self._noise_columns = enlargement(NOISE_NODES, width)

    def opacity(self, rng: np.random.Generator) -> Opacity:
        """Draw α.

        Args:
            rng: the stream `clouds` of a time step.

        Returns:
            `(H, W)`, in [0, 1].
        """
        thickness = self._rows @ self._shape.draw(rng) @ self._columns.T
        thickness *= np.float32(1.5)
        np.maximum(thickness, 0, out=thickness)  # a cubic curve may swing below 0
        thickness **= self._sparsity
        thickness *= self._density
        return np.minimum(thickness, 1, out=thickness)

    def brightness(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw I.

        Args:
            rng: the stream `clouds` of a time step.

        Returns:
            `(H, W)`, around 0.98.
        """
        light = self._light.draw(rng)
        light *= np.float32(250 * 0.4 / 255)
        noise = rng.normal(0, 5, (NOISE_NODES, NOISE_NODES)).astype(np.float32)
        light += self._noise_rows @ (noise / 255 + np.float32(250 * 0.8 / 255)) @ self._noise_columns.T
        return light
