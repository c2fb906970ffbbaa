"""What every baseline shares: a rule in place of networks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import ClassVar

from torch import Tensor

from src.rsgan.data.datasets import Kind
from src.rsgan.data.store import Sample
from src.rsgan.experiments import BaselineSettings
from utils.ranges import Share


class Baseline(ABC):
    """Translates series by a rule; on the device that they are on.

    Args:
        bands: number of the target's.

    Attributes:
        kinds: what series to translate must hold.
        learns_from: what training series must hold; nothing for a rule that needs none.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("source",)
    learns_from: ClassVar[tuple[Kind, ...]] = ()

    def __init__(self, bands: int) -> None:
        self.bands = bands

    def learn(self, series: Iterable[Sample]) -> None:  # noqa: B027 - most rules learn nothing
        """Estimate what the rule needs.

        Args:
            series: the training views, each the whole series of one; time is the first axis.
        """

    @abstractmethod
    def translate(self, series: Sample) -> Tensor:
        """Generate the frames of a series.

        Args:
            series: one series; time is the first axis.

        Returns:
            `(T, C, H, W)` float32 in network scale.
        """


class GapFilling(Baseline):
    """Fills what clouds hide from the same series' other steps; clouded optical bands come first in the source.

    Args:
        bands: number of the target's.
        fill: makes frames `(T, C, H, W)` of clouded ones and their opacity `(T, 1, H, W)`.
    """

    kinds = ("source", "cloud")

    def __init__(self, bands: int, fill: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(bands)
        self._fill = fill

    def translate(self, series: Sample) -> Tensor:
        """See `Baseline`."""
        return self._fill(series["source"][:, : self.bands], series["cloud"])


class GapFillingSettings(BaselineSettings):
    """A rule for cloud removal that is given the exact opacity, as no real data set could."""

    dataset = "toy_cloud_removal"

    @abstractmethod
    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        """Fill what clouds hide.

        Args:
            frames: `(T, C, H, W)`, clouded, in time order.
            opacity: `(T, 1, H, W)`, 0 to 1.

        Returns:
            `(T, C, H, W)`.
        """

    def build(self, bands: int) -> GapFilling:
        """See `BaselineSettings`."""
        return GapFilling(bands, self.fill)


class ClearValueSettings(GapFillingSettings):
    """A rule that trusts what is seen through clouds thin enough.

    Attributes:
        clear_opacity: up to which a value counts as clear; of a pixel that never is, the least clouded value does. By
            default what gave the smallest errors on validation views: less leaves too few values, more lets clouds in.
    """

    clear_opacity: Share = 0.2
