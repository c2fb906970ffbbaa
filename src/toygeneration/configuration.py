"""What generation and derivation files may hold."""

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from src.toygeneration.modules.aggregations import AGGREGATIONS
from src.toygeneration.modules.corruptions import CORRUPTIONS
from src.toygeneration.modules.deformations import DEFORMATIONS
from src.toygeneration.modules.postprocesses import POSTPROCESSES
from src.toygeneration.modules.samplers import SAMPLERS
from src.toygeneration.timeserie.source import resolve
from utils.errors import DataError
from utils.registry import Configured
from utils.sizes import Size

LARGEST_LABEL = 2**15 - 1  # annotations are int16


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _none_if_empty(value: object) -> object:
    return None if value in ({}, "") else value


Empty = BeforeValidator(_none_if_empty)
Paths = Annotated[list[str], Field(min_length=1), BeforeValidator(_as_list)]
Count = Annotated[int, Field(ge=1, le=LARGEST_LABEL)]


class TimeSeries(Configured):
    """Where the pixels' values over time come from.

    Attributes:
        path: `.ts` files read as one data set; `sktime:NAME` names one that ships inside sktime.
        ndim: number of bands kept.
        nclass: number of land-cover classes.
        dims: indices of the bands kept, where they aren't the first ones.
        reference_dataset_path: accepted for the published files' sake, unused.
    """

    path: Paths
    ndim: PositiveInt
    nclass: Count
    dims: Annotated[list[NonNegativeInt], Field(min_length=1)] | None = None
    reference_dataset_path: Any = None

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
    """The scene.

    Attributes:
        size: of the frames, in pixels.
        nbands: number of bands, equal to `ts.ndim`.
        horizon: number of time steps.
        n_polygons: number of parcels.
        background_color: value of field borders, from 0 to 255 for 0 to 1.
        border_width: of the field borders, in pixels; 0 for none.
    """

    size: Size
    nbands: PositiveInt
    horizon: PositiveInt
    n_polygons: Count
    background_color: Annotated[float, Field(ge=0, le=255)]
    border_width: NonNegativeFloat = 1.0


class GenerationConfig(Configured):
    """A generation file.

    Attributes:
        ts: time series.
        product: the scene.
        random_sampler: texture.
        astype: format of the frames.
        seed: of all random streams, unless the command line gives one.
    """

    ts: TimeSeries
    product: Scene
    random_sampler: SAMPLERS.choice
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


class DerivationConfig(Configured):
    """A derivation file.

    Attributes:
        latent_product_path: the source, unless the command line gives one.
        target_size: of the derived frames, in pixels; checked against what the steps make of the source's.
        temporal_res: one time step in this many is kept.
        corruption: what stands between ground and sensor.
        deformation: the sensor's geometry.
        postprocess: what happens last.
        aggregation: the sensor's spatial resolution.
        seed: of all random streams, unless the command line gives one.
    """

    target_size: Size
    latent_product_path: str | None = None
    temporal_res: PositiveInt = 1
    corruption: Annotated[CORRUPTIONS.choice | None, Empty] = None
    deformation: Annotated[DEFORMATIONS.choice | None, Empty] = None
    postprocess: Annotated[POSTPROCESSES.choice | None, Empty] = None
    aggregation: Annotated[AGGREGATIONS.choice | None, Empty] = None
    seed: NonNegativeInt | None = None
