"""Data sets of views, one file each, chosen by name in a configuration."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from src.rsgan.data.split import SplitRatios
from utils.registry import Configured, Registry

Kind = Literal["source", "target", "annotation", "cloud"]
Cache = Literal["auto", "none", "ram", "device"]


class Dataloader(Configured):
    """How batches are read.

    Attributes:
        batch_size: frames (series, where an experiment runs through them in time order) to a batch.
        num_workers: processes that read ahead; never more than there are cores.
    """

    batch_size: PositiveInt
    num_workers: NonNegativeInt = 0


class DatasetConfig(Configured):
    """The `dataset` section of an experiment. A subclass says which products of a view are source and target.

    Attributes:
        root: folder of the views, each a folder of products.
        split: shares of the views for training, validation and testing.
        dataloader: how batches are read.
        cache: `none` reads files whenever a frame is needed, `ram` decodes each once, `device` keeps them on the GPU in
            half precision; `auto` takes the fastest that fits.
        sources: products whose bands, in this order, are the source.
        target: product that is the target; its annotations are the truth.
        clouds: product whose opacities say where clouds are.
    """

    root: Annotated[str, Field(min_length=1)]
    split: SplitRatios
    dataloader: Dataloader
    cache: Cache = "auto"

    sources: ClassVar[tuple[str, ...]]
    target: ClassVar[str]
    clouds: ClassVar[str]

    @classmethod
    def products(cls) -> list[str]:
        """Name the products that a view must have, each once.

        Returns:
            The names.
        """
        return list(dict.fromkeys((*cls.sources, cls.target)))

    def bands(self, nbands: Mapping[str, int]) -> tuple[int, int]:
        """Count channels.

        Args:
            nbands: bands of each product.

        Returns:
            Channels of the source and of the target.
        """
        return sum(nbands[name] for name in self.sources), nbands[self.target]


DATASETS = Registry(__name__)
