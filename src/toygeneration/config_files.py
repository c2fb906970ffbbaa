"""What generation and derivation files may hold."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from src.toygeneration.frames import LARGEST_LABEL, Size
from src.toygeneration.modules.aggregations import AGGREGATIONS
from src.toygeneration.modules.corruptions import CORRUPTIONS
from src.toygeneration.modules.deformations import DEFORMATIONS
from src.toygeneration.modules.postprocesses import POSTPROCESSES
from src.toygeneration.modules.samplers import SAMPLERS
from src.toygeneration.timeserie.dataset import TSDataset
from src.toygeneration.timeserie.ts_file import resolve
from utils.errors import DataError
from utils.fields import Amount, Numbers, PathText, Share
from utils.memory import problem
from utils.number_lists import parse_numbers
from utils.registry import Configured
from utils.seeding import Streams

BYTES_A_PIXEL, BYTES_A_VALUE = 14, 12  # of a scene's maps; of its texture, frame and what they are made of (measured)

Empty = BeforeValidator(lambda value: None if value in ({}, "") else value)
OneOrMore = BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
Paths = Annotated[list[PathText], Field(min_length=1), OneOrMore]
Count = Annotated[int, Field(ge=1, le=LARGEST_LABEL)]


class HeldOut(Configured):
    """Time series that some views draw, and no others."""

    views: Numbers  # the seeds of their products
    share: Annotated[float, Field(gt=0, lt=1)]  # of each class's series


class TimeSeries(Configured):
    """Where the pixels' values over time come from."""

    path: Paths  # `.ts` files read as one data set; `sktime:NAME` names one that ships inside sktime
    ndim: PositiveInt
    nclass: Count
    # indices of the bands kept, where they aren't the first `ndim` ones
    dims: Annotated[list[NonNegativeInt], Field(min_length=1)] | None = None
    reference_dataset_path: Any = None  # accepted for the published files' sake, unused
    held_out: HeldOut | None = Field(None, exclude_if=lambda value: value is None)

    @property
    def files(self) -> list[Path]:
        return [file for path in self.path for file in resolve(path)]

    def read(self) -> TSDataset:
        share = self.held_out and self.held_out.share
        return TSDataset.from_files(self.files, ndim=self.ndim, nclass=self.nclass, dims=self.dims, held_out=share)

    def holds_out(self, seed: int) -> bool:
        """Whether the product of a seed draws from the held-out series."""
        return self.held_out is not None and seed in parse_numbers(self.held_out.views)

    @field_validator("path")
    @classmethod
    def _exists(cls, paths: list[str]) -> list[str]:
        try:
            for path in paths:
                resolve(path)
        except DataError as error:
            raise ValueError(str(error)) from error
        return paths

    @field_validator("dims")
    @classmethod
    def _one_index_a_band(cls, dims: list[int] | None, info: ValidationInfo) -> list[int] | None:
        ndim = info.data.get("ndim")
        if dims is not None and len(set(dims)) != len(dims):
            raise ValueError(f"found {dims}, expected each band once")
        if dims is not None and ndim is not None and len(dims) != ndim:
            raise ValueError(f"found {len(dims)} bands, expected ts.ndim = {ndim}; make them agree")
        return dims


class Scene(Configured):
    size: Size
    nbands: PositiveInt  # equal to `ts.ndim`
    horizon: PositiveInt
    n_polygons: Count
    background_color: Annotated[float, Field(ge=0, le=255)]  # value of field borders, from 0 to 255 for 0 to 1
    border_width: Amount = 1.0  # of the field borders, in pixels; 0 for none

    @model_validator(mode="after")
    def _fits_into_memory(self) -> Self:
        pixels = self.size.width * self.size.height
        series = self.n_polygons * self.horizon * self.nbands
        size = pixels * (BYTES_A_PIXEL + BYTES_A_VALUE * self.nbands) + 8 * series
        what = f"a scene of {self.size.width} x {self.size.height} pixels, {self.nbands} bands and {self.horizon} steps"
        found = problem(what, size, "lower product.size, product.nbands or product.horizon")
        if found:
            raise ValueError(found)
        return self


class GenerationConfig(Configured):
    """A generation file. The command line may give another `seed`, as in a derivation file."""

    ts: TimeSeries
    product: Scene
    random_sampler: SAMPLERS.choice
    texture: Literal["shared", "own"] = Field("shared", exclude_if=lambda value: value == "shared")
    astype: Literal["h5", "jpg"] = "h5"
    seed: NonNegativeInt | None = None

    @field_validator("product")
    @classmethod
    def _bands_agree(cls, product: Scene, info: ValidationInfo) -> Scene:
        ts = info.data.get("ts")
        if ts is not None and product.nbands != ts.ndim:
            raise ValueError(f"nbands: found {product.nbands}, expected ts.ndim = {ts.ndim}; make them agree")
        return product

    @field_validator("astype")
    @classmethod
    def _jpg_has_three_bands(cls, astype: str, info: ValidationInfo) -> str:
        product = info.data.get("product")
        if astype == "jpg" and product is not None and product.nbands != 3:
            raise ValueError(f"jpg holds 3 bands, found {product.nbands}; use h5 or keep 3 bands")
        return astype


class Lost(Configured):
    """Time steps at which the sensor saw nothing."""

    share: Share  # of the steps that are lost, each by itself; one stays in any case

    def kept(self, steps: list[int], streams: Streams) -> list[int]:
        """Choose those that are kept: with a smaller share the same ones, and more."""
        luck = {step: streams.rng("lost", step).random() for step in steps}
        return [step for step in steps if luck[step] >= self.share] or [max(steps, key=luck.__getitem__)]


class Misregistration(Configured):
    """At each time step, frame and masks lie beside the ground, whose labels stay."""

    deviation: Amount  # standard deviation, down and right, in pixels of the derived frames

    def draw(self, rng: np.random.Generator) -> tuple[float, float]:
        down, right = rng.normal(0, self.deviation, 2)
        return float(down), float(right)


class ImportedConfig(Configured):
    """Latent products that exist: of real images, as `utils/import_product.py --tile` makes them."""

    path: PathText  # folder with one for each view, named by the view's number


class DerivationConfig(Configured):
    # of the derived frames, in pixels; checked against what the steps make of the source's, and that where left out
    target_size: Annotated[Size | None, Empty] = None
    latent_product_path: PathText | None = None  # the source, unless the command line gives one
    temporal_res: PositiveInt = 1  # one time step in this many is kept
    corruption: Annotated[CORRUPTIONS.choice | None, Empty] = None
    deformation: Annotated[DEFORMATIONS.choice | None, Empty] = None
    postprocess: Annotated[POSTPROCESSES.choice | None, Empty] = None
    aggregation: Annotated[AGGREGATIONS.choice | None, Empty] = None
    lost: Annotated[Lost | None, Empty] = Field(None, exclude_if=lambda value: value is None)
    misregistration: Annotated[Misregistration | None, Empty] = Field(None, exclude_if=lambda value: value is None)
    seed: NonNegativeInt | None = None
