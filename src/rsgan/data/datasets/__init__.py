"""Which products of a view are source and target."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from src.rsgan.data.split import SplitConfig
from utils.fields import PathText
from utils.registry import Configured, nearest
from utils.scores import OpacityTold

Kind = Literal["source", "target", "annotation", "cloud", "shadow", "clouded", "opacity"]
Cache = Literal["auto", "none", "ram", "device"]
ProductName = Annotated[str, Field(pattern=r"^[^./\\\x00][^/\\\x00]*$", max_length=255)]
# What the data sets of the published experiments are made of.
KNOWN: dict[str, dict[str, Any]] = {
    "toy_cloud_removal": {
        "sources": ("clouded_optical", "sar"),
        "target": "clean_optical",
        "clouds": "clouded_optical",
    },
    "toy_sar_to_optical": {"sources": ("sar",), "target": "optical"},
}


class Dataloader(Configured):
    """How batches are read: of frames, or of series where an experiment runs through them in time order."""

    batch_size: PositiveInt
    num_workers: NonNegativeInt = 0


class DatasetConfig(Configured):
    """The `dataset` section of an experiment: a folder of views, each a folder of products.

    Attributes:
        name: one of `KNOWN`, which says what is source and target, or any other.
        target: product that is the target; its annotations are the truth.
        clouds: product whose opacities say where clouds are; None where there are no clouds to see through.
        opacity: what a method is told of them: a network as one more band of its source, the last.
        crop: height and width, in pixels, of the windows of series that networks are trained on; None for whole frames.
    """

    name: Annotated[str, Field(min_length=1)] = "own"
    root: Annotated[PathText, Field(min_length=1)]
    sources: Annotated[tuple[ProductName, ...], Field(strict=False, min_length=1)]
    target: ProductName
    clouds: ProductName | None = None
    opacity: Annotated[OpacityTold, Field(exclude_if=lambda told: told == "none")] = "none"
    split: SplitConfig
    dataloader: Dataloader
    cache: Cache = "auto"
    crop: Annotated[PositiveInt | None, Field(exclude_if=lambda crop: crop is None)] = None

    @model_validator(mode="before")
    @classmethod
    def _products_by_name(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        if not isinstance(content, Mapping) or not isinstance(content.get("name", "own"), str):
            return content
        name = content.get("name", "own")
        if name not in KNOWN and not {"sources", "target"} <= set(content):
            known = ", ".join(KNOWN)
            raise ValueError(f"unknown name {name!r}{nearest(name, KNOWN)}, expected {known}, or sources and target")
        return KNOWN.get(name, {}) | content

    @model_validator(mode="after")
    def _clouds_to_be_told_of(self) -> Self:
        if self.opacity != "none" and self.clouds is None:
            raise ValueError(f"opacity: found {self.opacity} without clouds, expected clouds to name a product")
        return self

    @property
    def products(self) -> list[str]:
        """Names of the products that a view must have, each once."""
        clouds = () if self.clouds is None else (self.clouds,)
        return list(dict.fromkeys((*self.sources, self.target, *clouds)))

    def bands(self, nbands: Mapping[str, int]) -> tuple[int, int]:
        """Count the channels of source and target, from the bands of each product."""
        told = 0 if self.opacity == "none" else 1
        return sum(nbands[name] for name in self.sources) + told, nbands[self.target]
