"""Degradation: what a sensor would see of a product."""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from src.toygeneration.config_files import DerivationConfig
from src.toygeneration.frames import MASKS, Features, Frame, FrameSource, Georeference, Labels, Opacity, Sample, Size
from src.toygeneration.index import describe
from src.toygeneration.modules.aggregations import Aggregation
from src.toygeneration.modules.deformations import Deformation
from src.toygeneration.modules.resampling import AxisMap, chain, majority, resample
from utils.errors import ConfigError
from utils.seeding import Streams

RANDOM = ("corruption", "postprocess", "lost", "misregistration")  # keys of what draws random numbers


class DerivedProduct(FrameSource):
    """A product seen by a sensor: corruption, geometry, aggregation, postprocess, one frame at a time.

    Random streams come from the seed and those of the source. Raises `ConfigError` if the steps don't fit the source's
    frames, or a random step has no seed.
    """

    def __init__(self, config: DerivationConfig, source: FrameSource, seed: int | None) -> None:
        random = [key for key in RANDOM if getattr(config, key)]
        if seed is None and random:
            raise ConfigError(f"seed: missing, and {' and '.join(random)} draw random numbers; set it or pass --seed")
        given = source.features
        self._config, self._source, self._seed = config, source, seed
        self._geometry = Geometry(config.deformation, config.aggregation, config.target_size, given)
        self.seeds = source.seeds if seed is None else (seed, *source.seeds)
        self.steps = [step for step in source.steps if step % config.temporal_res == 0]
        if not self.steps:
            raise ConfigError(
                f"temporal_res: found {config.temporal_res}, but the source has frames at steps {source.steps} only, "
                "none of them a multiple of it; lower it"
            )
        height, width = self._geometry.size
        self.features = Features(width, height, given.nbands, given.horizon, given.ndigit)
        self.georeference = source.georeference and self._geometry.georeference(source.georeference)
        self.dates = source.dates
        self._streams = Streams(self.seeds)
        if config.lost:
            self.steps = config.lost.kept(self.steps, self._streams)
        shape = given.height, given.width, given.nbands
        self._corrupt = config.corruption and config.corruption.prepare(shape, self._streams, self.steps)
        casts = config.corruption is not None and config.corruption.casts_shadows
        self.has_shadows = casts or source.has_shadows
        self._annotations: tuple[Labels, Labels] | None = None

    def _make(self, step: int) -> Sample:
        given = self._source.read(step)
        frame, masks = given["frame"], {kind: given[kind] for kind in MASKS if kind in given}
        if self._corrupt:
            frame, made = self._corrupt(frame, step)
            for kind, mask in made.items():
                masks[kind] = 1 - (1 - masks[kind]) * (1 - mask) if kind in masks else mask
        moved = (0.0, 0.0)
        if self._config.misregistration:
            moved = self._config.misregistration.draw(self._streams.rng("misregistration", step))
        frame = self._geometry.frame(frame, moved)
        if self._config.postprocess:
            frame = self._config.postprocess(frame, rng=self._streams.rng("speckle", step))
        sample: Sample = {"frame": frame, "annotation": self._annotation(given["annotation"])}
        return sample | {kind: self._geometry.frame(mask, moved) for kind, mask in masks.items()}

    def _annotation(self, given: Labels) -> Labels:
        """Resample labels, unless they are those of the step before: parcels rarely move."""
        if self._annotations is None or not np.array_equal(self._annotations[0], given):
            self._annotations = given, self._geometry.labels(given)
        return self._annotations[1]

    def provenance(self) -> dict[str, Any]:
        return describe(self._seed, self._config, self._source.provenance(), shadows=self.has_shadows)


class Geometry:
    """Deformation and aggregation of frames and labels, precomputed for one size.

    Attributes:
        size: height and width of what comes out.

    Raises `ConfigError` if steps, target size and the source's figures don't fit together.
    """

    def __init__(
        self, deformation: Deformation | None, aggregation: Aggregation | None, target: Size | None, given: Features
    ) -> None:
        before = given.height, given.width
        self._maps = deformation.maps(*before) if deformation else (None, None)
        size = [len(axis.nearest) if axis else length for axis, length in zip(self._maps, before, strict=True)]
        self.size = (target.height, target.width) if target else tuple(size)
        self._blocks = _blocks(size, self.size, aggregates=aggregation is not None)
        blurs = [None, None]
        if aggregation:
            aggregation.check(*size)
            blurs = [_blur(aggregation.profile(b), length) for b, length in zip(self._blocks, size, strict=True)]
        self._axes = [*map(chain, (axis and axis.weights for axis in self._maps), blurs)]
        self._pixel = [length / after for length, after in zip(before, self.size, strict=True)]

    def frame(self, frame: Frame | Opacity, moved: tuple[float, float] = (0.0, 0.0)) -> Frame:
        """Resample what is seen, which lies by a part of a pixel of the result, down and right, beside the ground."""
        axes = self._axes
        if any(moved):
            shifts = [by * pixel for by, pixel in zip(moved, self._pixel, strict=True)]
            axes = [chain(_shift(*at), axis) for *at, axis in zip(frame.shape, shifts, axes, strict=False)]
        return resample(frame, *axes)

    def georeference(self, given: Georeference) -> Georeference | None:
        """Place coarser pixels; None for distorted ones, which no affine map places."""
        return None if any(self._maps) else given.window(0, 0, *self._blocks)

    def labels(self, annotation: Labels) -> Labels:
        """Resample labels: nearest neighbour, then the majority of each block, so that none is invented."""
        for axis, along in enumerate(self._maps):
            if along is not None:
                annotation = np.take(annotation, along.nearest, axis=axis)
        if self._blocks == (1, 1):
            return annotation
        return np.stack([majority(layer, *self._blocks) for layer in np.moveaxis(annotation, -1, 0)], axis=-1)


def _shift(size: int, by: float) -> csr_array:
    """The matrix `(size, size)` that moves an axis towards larger indices: interpolated linearly, ends repeated."""
    return AxisMap.from_coordinates(np.arange(size) - by, size).weights


def _blur(profile: np.ndarray, size: int) -> csr_array:
    """The matrix of a weighted mean over blocks, `(size / block, size)`."""
    block = len(profile)
    count = size // block
    return csr_array((np.tile(profile, count), np.arange(size), np.arange(0, size + 1, block)), shape=(count, size))


def _blocks(size: list[int], target: tuple[int, int], *, aggregates: bool) -> tuple[int, int]:
    """Check the target size against the frames', and compute how many pixels of a frame make one."""
    found = f"found {target[1]}x{target[0]} (width x height)"
    frames = f"{size[1]}x{size[0]} after deformation"
    if not aggregates and tuple(size) != target:
        raise ConfigError(f"target_size: {found}, but frames are {frames} and no aggregation is set; make them agree")
    problems = []
    for name, before, after in zip(("width", "height"), size[::-1], target[::-1], strict=True):
        if before % after:
            fitting = ", ".join(str(n) for n in range(1, before + 1) if before % n == 0)
            problems.append(f"{name} {after} does not divide {before}, use one of {fitting}")
    if problems:
        raise ConfigError(f"target_size: {found}, but frames are {frames}: {'; '.join(problems)}")
    return size[0] // target[0], size[1] // target[1]
