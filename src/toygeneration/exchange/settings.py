"""What an import of real images may be told."""

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt, field_validator, model_validator

from utils.fields import Share
from utils.registry import Configured

Fill = Literal["null", "previous", "linear"]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class ImportConfig(Configured):
    """The settings of an import; see docs/own_images.md.

    Attributes:
        bands: from 1, or names where files' names have bands in them.
        scale: with `offset`, reflectance is scale · value + offset.
        nodata: value of pixels without one, instead of what the files say.
        masks: where masks are: a pattern of names, a variable or a file, as the images are.
        masked: values of masks that take a pixel away; any but 0 where not given.
        classes: values of the labels that become class 1, 2 and so on.
        fill: of pixels without a value: their time step becomes null in that product, or they are filled.
        tile: side of the views that a scene is cut into, in pixels; None for one product of the whole scene.
        block: side of the blocks of space that are assigned to training, validation and testing, in tiles; by default
            up to 4, so that a scene has four of them in either direction.
        shares: of these three.
        seed: of that assignment.
    """

    pattern: str | None = None
    variable: str | None = None
    bands: Names | None = None
    scale: FiniteFloat = 1.0
    offset: FiniteFloat = 0.0
    nodata: float | None = Field(None, allow_inf_nan=True)
    masks: str | None = None
    masked: tuple[int, ...] | None = None
    label_field: str | None = None
    instance_field: str | None = None
    classes: Names | None = None
    fill: Fill = "null"
    tile: PositiveInt | None = None
    block: PositiveInt | None = None
    shares: tuple[Share, Share, Share] = (0.7, 0.15, 0.15)
    seed: NonNegativeInt = 0

    @field_validator("scale")
    @classmethod
    def _not_flat(cls, scale: float) -> float:
        if not scale:
            raise ValueError("found 0, expected another number: all values would become one")
        return scale

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(sum(self.shares) - 1) > 1e-6 or not self.shares[0] or not self.shares[1]:
            shares = ", ".join(f"{share:g}" for share in self.shares)
            raise ValueError(
                f"shares: found {shares}, expected shares of training, validation and testing that sum to 1"
            )
        if self.masked is not None and self.masks is None:
            raise ValueError("masked: found values without masks, expected masks to say where these are")
        return self
