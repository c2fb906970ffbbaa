"""Clouds that move, change, and cast shadows: the same ones over all products of a scene."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, model_validator

from src.toygeneration.frames import Masks, Opacity
from src.toygeneration.modules import clouds
from src.toygeneration.modules.clouds import Cover
from src.toygeneration.modules.corruptions import CORRUPTIONS, Corrupt, Corruption
from src.toygeneration.modules.fields import Field as Values
from src.toygeneration.modules.fields import Phases, PowerLaw, knots, moved_enlargement, rescaled
from src.toygeneration.modules.resampling import resample
from utils.errors import ConfigError
from utils.fields import Amount, Range, Share
from utils.memory import check
from utils.registry import Configured
from utils.seeding import Streams

LIGHT_NODES = 64
ZERO, ONE = np.float32(0), np.float32(1)
MOST_LEVELS = 2 * clouds.LEVELS  # of u, which a cubic curve may carry above 1
# Of grids' spectra and phases; of masks and light, and beside that of each layer and each band that differs (measured).
BYTES_A_NODE, BYTES_A_PIXEL, BYTES_A_PART = 18, 12, 8
NOISE_FACTOR = np.float32(
    clouds.NOISE_DEVIATION * clouds.NOISE_NODES**2 / math.sqrt((clouds.NOISE_NODES**2 - 1) / 2)
)  # of a field of NOISE_NODES² - 1 waves of amplitude 1
Degrees = Annotated[float, Field(ge=-360, le=360)]
Factors = Mapping[str, float]  # of the opacity of layers, in a band


def away_from(degrees: float) -> NDArray[np.float64]:
    """Unit vector, right and down, away from where a compass with north at the top points."""
    angle = math.radians(degrees)
    return np.array([-math.sin(angle), math.cos(angle)])


class Wind(Configured):
    speed: Amount  # shares of the frame's width in a time step
    direction: Degrees  # that it blows from, clockwise from the top of the frame: 270 moves clouds to the right
    variability: Amount = 0.0  # standard deviation of both components of each step, in the unit of the speed


class Layer(Configured):
    """Clouds of one kind, of opacity `clip(density · (1.5 u)^sparsity, 0, 1)`, see `clouds.opacity`."""

    # u is drawn on a square grid of this size, a period as large as the frame: the smaller, the smoother the clouds
    sampling_scale: Annotated[int, Field(ge=1, le=2**13)]
    exponent: Annotated[float, Field(ge=-4, le=0)] = clouds.OPACITY_EXPONENT  # of u's spectrum
    density: Amount
    sparsity: Annotated[float, Field(ge=0, le=100)]
    probability: Share = 1.0  # share of time steps that have such clouds
    speed: Amount = 1.0  # as a multiple of the wind's
    brightness: Amount = 1.0  # as a multiple of the clouds' I


class Shadow(Configured):
    azimuth: Degrees  # where the sun stands, clockwise from the top of the frame
    elevation: Annotated[float, Field(ge=1, le=90)]  # of the sun above the horizon, in degrees
    height: Amount  # of the clouds, in shares of the frame's width
    strength: Share  # share of the ground's light that an opaque cloud takes

    @property
    def displacement(self) -> NDArray[np.float64]:
        """Of shadows from their clouds, right and down, in shares of the frame's width."""
        return self.height / math.tan(math.radians(self.elevation)) * away_from(self.azimuth)


@CORRUPTIONS.register
class MovingClouds(Corruption):
    """Layers of clouds drift with the wind and evolve; each time step has the law of `cloud_and_brightness`.

    The world of clouds is the scene's: it depends on the seed of the latent product, on `world`, and on the keys that
    describe it. So products of a scene see the same clouds, each at its own time steps, at its own resolution, and with
    its own brightness and sensitivity. u of each layer and v are periodic power-law fields that evolve while they move
    (see `fields.PowerLaw.evolve`); so is N, of white spectrum.

    A frame x becomes `w ((1 - α) (1 - s) x + β I) + b` under layers of opacity α_k, from the ground up, where
    `1 - α = ∏ (1 - α_k)` and `β = β_n`, `β_k = (1 - α_k) β_(k-1) + α_k · brightness_k`. The shadow s is
    `strength · α`, displaced away from the sun by `height / tan(elevation)`. Where bands differ in their opacity, the
    largest is written.
    """

    name: Literal["moving_clouds"]
    world: NonNegativeInt = 0  # which of the scene's worlds of clouds
    persistence: Share  # ρ: correlation of the clouds' fields with those a time step later, motion apart
    wind: Wind
    layers: dict[str, Layer | None]  # by name, from the ground up; an empty one is left out
    shadow: Shadow | None = None
    # of a layer by band, from 0 to 1: factors of its opacity in this sensor's bands; 1 for layers that aren't named
    sensitivity: dict[str, Annotated[list[Share], Field(min_length=1)]] = Field(default_factory=dict)
    mul: Range  # w is drawn from this range once per product
    add: Range  # b likewise
    seed: NonNegativeInt | None = None  # where given, fixes w and b alone, whatever the product

    @model_validator(mode="after")
    def _layers_are_known(self) -> Self:
        unknown = [name for name in self.sensitivity if name not in self.layers]
        if unknown:
            known = ", ".join(self.layers) or "none"
            raise ValueError(f"sensitivity: found layer {unknown[0]!r}, expected one of layers: {known}")
        return self

    @property
    def casts_shadows(self) -> bool:
        return self.shadow is not None and bool(self.present)

    @property
    def present(self) -> dict[str, Layer]:
        return {name: layer for name, layer in self.layers.items() if layer is not None and layer.probability}

    def prepare(self, shape: tuple[int, int, int], streams: Streams, steps: Sequence[int]) -> Corrupt:
        height, width, nbands = shape
        factors = self._factors(nbands)
        nodes = sum(layer.sampling_scale**2 for layer in self.present.values())
        parts = len(self.present) + len(factors)
        size = BYTES_A_NODE * nodes + (BYTES_A_PIXEL + BYTES_A_PART * parts) * height * width
        what = f"drawing layers of clouds on grids of {nodes} nodes, for {width} x {height} pixels,"
        check("corruption.layers", what, size, "lower their sampling_scale or use smaller frames")
        gain, offset = clouds.draw_gain(self.mul, self.add, self.seed, streams)
        world = _World(self, Streams((streams.seeds[-1],)), height, width)

        def cover(step: int) -> Cover:
            return world.cover(step, factors, gain, offset)

        return clouds.see_through(cover, shape, steps)

    def _factors(self, nbands: int) -> list[Factors]:
        """Factors of the opacity by layer, of each band; of one that stands for all where they don't differ."""
        for name, factors in self.sensitivity.items():
            if len(factors) != nbands:
                raise ConfigError(
                    f"corruption.sensitivity.{name}: found {len(factors)} factors, expected {nbands}, one for each "
                    "band of the source's frames; correct the list"
                )
        bands = range(nbands if self.sensitivity else 1)
        one = [1.0] * len(bands)
        return [{k: self.sensitivity.get(k, one)[band] for k in self.present} for band in bands]


class _Evolving:
    """A periodic field that is there in a share of all time steps: the same at a step, whatever was asked before."""

    def __init__(
        self,
        law: PowerLaw,
        persistence: float,
        stream: Callable[[int], np.random.Generator],
        probability: float = 1.0,
    ) -> None:
        self._law, self._persistence, self._stream, self._probability = law, persistence, stream, probability
        self._last = -1, (False, (np.empty(0), np.empty(0)))

    def at(self, step: int) -> Values | None:
        present, phases = self._state(step)
        return self._law.compose(phases) if present else None

    def _state(self, step: int) -> tuple[bool, Phases]:
        if self._persistence == 0:
            return self._start(self._stream(step))
        step = 0 if self._persistence == 1 else step
        done, state = self._last
        if not 0 <= done <= step:
            done, state = 0, self._start(self._stream(0))
        for following in range(done + 1, step + 1):
            state = self._evolve(*state, self._stream(following))
        self._last = step, state
        return state

    def _start(self, rng: np.random.Generator) -> tuple[bool, Phases]:
        return rng.random() < self._probability, self._law.phases(rng)

    def _evolve(self, present: bool, phases: Phases, rng: np.random.Generator) -> tuple[bool, Phases]:
        stays, anew = rng.random(2)
        present = present if stays < self._persistence else anew < self._probability
        return present, self._law.evolve(phases, self._persistence, rng)


class _World:
    """The clouds of a scene, as seen in frames of one size."""

    def __init__(self, config: MovingClouds, streams: Streams, height: int, width: int) -> None:
        self._config, self._streams, self._size = config, streams, (height, width)
        self._shapes = {
            name: self._evolving(f"clouds {name}", layer.exponent, layer.sampling_scale, layer.probability)
            for name, layer in config.present.items()
        }
        every = np.arange(MOST_LEVELS, dtype=np.float32)
        self._tables = {k: clouds.opacity(every, layer.density, layer.sparsity) for k, layer in config.present.items()}
        self._light = self._evolving("light of clouds", clouds.BRIGHTNESS_EXPONENT, LIGHT_NODES)
        self._noise = self._evolving("noise of clouds", 0, clouds.NOISE_NODES)
        self._finer = moved_enlargement(clouds.NOISE_NODES, LIGHT_NODES, 0).toarray()  # both are on the light's grid

    def _evolving(self, name: str, exponent: float, nodes: int, probability: float = 1.0) -> _Evolving:
        law = PowerLaw(exponent, nodes, nodes, periodic=True)
        stream = partial(self._streams.rng, name, self._config.world)
        return _Evolving(law, self._config.persistence, stream, probability)

    def cover(self, step: int, factors: Sequence[Factors], gain: np.float32, offset: np.float32) -> Cover:
        """Draw what a sensor of given factors, of each band, gain w and offset b sees at a time step."""
        config, moved = self._config, self._moved(step)
        drawn = {name: shape.at(step) for name, shape in self._shapes.items()}
        shapes = {name: knots(rescaled(field)) for name, field in drawn.items() if field is not None}
        noise = self._finer @ knots(self._noise.at(step) * NOISE_FACTOR) @ self._finer.T
        light = self._enlarge(knots(clouds.brightness(rescaled(self._light.at(step)), noise)), moved)
        over, cast = self._thickness(shapes, moved), {}
        masks: Masks = {"cloud": np.zeros(self._size, np.float32)} if self._shapes else {}
        if config.casts_shadows:
            cast = self._thickness(shapes, moved, config.shadow.displacement)
            masks["shadow"] = np.empty(self._size, np.float32)
        kept, added = np.empty((2, len(factors), *self._size), np.float32)
        for rows in clouds.blocks(self._size[0]):
            ground = gain  # w (1 - s)
            if config.casts_shadows:
                through = math.prod((1 - alpha for alpha in self._opacities(cast, rows).values()), start=ONE)
                masks["shadow"][rows] = config.shadow.strength * (1 - through)
                ground = gain * (1 - masks["shadow"][rows])
            alphas = self._opacities(over, rows)
            for band, of_band in enumerate(factors):
                left, glow = ONE, ZERO  # 1 - α and β
                for name, alpha in alphas.items():
                    hidden = alpha * of_band[name]
                    left, glow = left * (1 - hidden), glow + hidden * (config.layers[name].brightness - glow)
                kept[band, rows] = ground * left
                added[band, rows] = gain * light[rows] * glow + offset
                if masks:
                    np.maximum(masks["cloud"][rows], 1 - left, out=masks["cloud"][rows])
        return Cover(masks, kept, added)

    def _thickness(
        self, shapes: Mapping[str, Values], moved: NDArray[np.float64], displaced: NDArray[np.float64] | float = 0.0
    ) -> dict[str, Values]:
        speeds = {name: self._config.layers[name].speed for name in shapes}
        return {name: self._enlarge(shape, moved * speeds[name] + displaced) for name, shape in shapes.items()}

    def _opacities(self, thickness: Mapping[str, Values], rows: slice) -> dict[str, Opacity]:
        levels = {name: (values[rows] * clouds.LEVELS).astype(np.intp) for name, values in thickness.items()}
        return {name: self._tables[name].take(level, mode="clip") for name, level in levels.items()}

    def _moved(self, step: int) -> NDArray[np.float64]:
        """Where the wind has carried clouds, right and down, in shares of the frame's width."""
        wind = self._config.wind
        deviations = self._streams.rng("wind", self._config.world).standard_normal((step, 2)).sum(axis=0)
        return step * wind.speed * away_from(wind.direction) + wind.variability * deviations

    def _enlarge(self, field: Values, moved: NDArray[np.float64]) -> Values:
        height, width = self._size
        rows = moved_enlargement(len(field), height, moved[1] * width / height)
        columns = moved_enlargement(len(field), width, moved[0])
        return resample(resample(field, None, columns), rows, None)  # along columns first, while rows are few
