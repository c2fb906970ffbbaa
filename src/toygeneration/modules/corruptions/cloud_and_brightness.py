"""Semi-transparent clouds and a change of brightness."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, NonNegativeInt

from src.toygeneration.modules import clouds
from src.toygeneration.modules.clouds import Cover
from src.toygeneration.modules.corruptions import CORRUPTIONS, Corrupt, Corruption
from src.toygeneration.modules.fields import PowerLaw, enlargement
from utils.fields import Amount, Range, Share
from utils.memory import check
from utils.seeding import Streams

BYTES_A_NODE, BYTES_A_PIXEL = 27, 20  # of the grid's and the frame's spectra and enlargements (measured)


@CORRUPTIONS.register
class CloudAndBrightness(Corruption):
    """A frame x becomes `w ((1 - α) x + α I) + b` under clouds of opacity α and brightness I, see `clouds`.

    There, u and v are power-law fields (see `fields.PowerLaw`), exponents -1.5 and -1.2, and N is an 8 x 8 Gaussian
    field of standard deviation 5, enlarged cubically to the frame.
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

    def prepare(self, shape: tuple[int, int, int], streams: Streams, steps: Sequence[int]) -> Corrupt:
        (height, width, _), grid = shape, self.sampling_scale
        what = f"drawing clouds on a grid of {grid} x {grid}, for {width} x {height} pixels,"
        size = BYTES_A_NODE * grid**2 + BYTES_A_PIXEL * height * width
        check("corruption.sampling_scale", what, size, "lower it or use smaller frames")
        gain, offset = clouds.draw_gain(self.mul, self.add, self.seed, streams)
        drawn = _Clouds(self, height, width)

        def cover(step: int) -> Cover:
            rng = streams.rng("clouds", step)
            if rng.random() < self.cloud_probability:
                return drawn.cover(rng, gain, offset)
            clear = np.zeros((height, width), np.float32)
            return Cover({"cloud": clear} if self.cloud_probability else {}, clear + gain, clear + offset)

        return clouds.see_through(cover, shape, steps)


class _Clouds:
    """Draws clouds for frames of one size."""

    def __init__(self, config: CloudAndBrightness, height: int, width: int) -> None:
        self._density, self._sparsity = config.cloud_density, config.cloud_sparsity
        self._shape = PowerLaw(clouds.OPACITY_EXPONENT, config.sampling_scale, config.sampling_scale)
        self._light = PowerLaw(clouds.BRIGHTNESS_EXPONENT, height, width)
        self._rows, self._columns = (enlargement(config.sampling_scale, size) for size in (height, width))
        self._noise_rows, self._noise_columns = (enlargement(clouds.NOISE_NODES, size) for size in (height, width))

    def cover(self, rng: np.random.Generator, gain: np.float32, offset: np.float32) -> Cover:
        """Draw the clouds of one frame under gain w and offset b: w (1 - α) is kept, w α I + b added."""
        shape = self._shape.draw(rng) @ self._columns.T  # u, still to be enlarged along the rows
        added = self._light.draw(rng)  # v, to become w α I + b
        noise = rng.normal(0, clouds.NOISE_DEVIATION, (clouds.NOISE_NODES, clouds.NOISE_NODES)).astype(np.float32)
        noise = noise @ self._noise_columns.T
        opacity, kept = np.empty_like(added), np.empty_like(added)
        for rows in clouds.blocks(len(added)):
            alpha = clouds.opacity(clouds.levels(self._rows[rows] @ shape), self._density, self._sparsity)
            alpha_gain = gain * alpha
            opacity[rows] = alpha
            np.subtract(gain, alpha_gain, out=kept[rows])
            added[rows] = clouds.brightness(added[rows], self._noise_rows[rows] @ noise) * alpha_gain + offset
        return Cover({"cloud": opacity}, kept, added)
