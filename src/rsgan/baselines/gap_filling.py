"""Filling what clouds hide from other steps of the same series: what such rules share."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from src.rsgan.baselines import BaselineSettings, Rule
from src.rsgan.baselines.brightness import fit_brightness
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from utils.errors import ConfigError
from utils.fields import Share
from utils.scores import Sees


class CloudRemovalSettings(BaselineSettings):
    """A rule that makes something of the clouded bands, the first of the source."""

    def sensors(self, dataset: DatasetConfig) -> Sequence[str]:
        return dataset.sources[:1]

    def clouded_bands(self, dataset: DatasetConfig, nbands: Mapping[str, int]) -> int:
        """Make sure that the source begins with the target's bands under clouds, and count them.

        Raises:
            ConfigError: If it doesn't.
        """
        found, bands = dataset.sources[0], nbands[dataset.target]
        if found != dataset.clouds:
            raise ConfigError(
                f"dataset.sources: found {found} first and dataset.clouds {dataset.clouds}, but {self.name} needs the "
                "clouded product first"
            )
        if nbands[found] != bands:
            raise ConfigError(
                f"dataset.target: found {bands} bands in {dataset.target} and {nbands[found]} in {found}, but "
                f"{self.name} needs as many"
            )
        return bands


class GapFillingSettings(CloudRemovalSettings):
    """A rule for cloud removal that is told the opacity: exactly, as no real data set could, or as it is estimated.

    Attributes:
        correct_brightness: whether what makes clear values clean, as training views show it, is done to its output.
    """

    correct_brightness: bool = True

    sees: ClassVar[Sees] = "series"

    @abstractmethod
    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        """Fill what clouds hide: `(T, C, H, W)` of clouded frames in time order and their opacity `(T, 1, H, W)`."""

    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> Rule:
        bands = self.clouded_bands(dataset, nbands)
        if dataset.opacity == "none":
            raise ConfigError(
                f"dataset.opacity: found none, expected exact or estimated: {self.name} must be told where clouds are"
            )
        brightness = fit_brightness(training, bands) if self.correct_brightness else None

        def translate(series: Batch) -> Tensor:
            filled = self.fill(series["source"][:, :bands], series["opacity"])
            return brightness.correct(filled) if brightness else filled

        return Rule(translate, ("source", "opacity"))


class ClearValueSettings(GapFillingSettings):
    """A rule that trusts what is seen through clouds thin enough.

    Attributes:
        clear_opacity: up to which a value counts as clear; of a pixel that never is, the least clouded value does. By
            default what gave the smallest errors on validation views: less leaves too few values, more lets clouds in.
    """

    clear_opacity: Share = 0.2

    @abstractmethod
    def fill_clear(self, frames: Tensor, clear: Tensor) -> Tensor:
        """Make `(T, C, H, W)` from where frames are clear, `(T, 1, H, W)`: at least one step of each pixel."""

    def fill(self, frames: Tensor, opacity: Tensor) -> Tensor:
        return self.fill_clear(frames, clear_steps(opacity, self.clear_opacity))


def clear_steps(opacity: Tensor, limit: float) -> Tensor:
    """Say where values can be trusted, as opacity; of a pixel that is never clear, at the steps of least opacity."""
    return opacity <= opacity.amin(dim=0).clamp_min(limit)


def steps(frames: Tensor) -> Tensor:
    """Number the steps: `(T, 1, 1, 1)`."""
    return torch.arange(len(frames), device=frames.device).reshape(-1, 1, 1, 1)


def neighbours(clear: Tensor) -> tuple[Tensor, Tensor]:
    """Last clear step up to each step and first one from it on; each stands in for the other where there is none."""
    numbers, horizon = steps(clear), len(clear)
    before = torch.where(clear, numbers, -1).cummax(dim=0).values
    after = torch.where(clear, numbers, horizon).flip(0).cummin(dim=0).values.flip(0)
    return torch.where(before < 0, after, before), torch.where(after == horizon, before, after)


def at(frames: Tensor, chosen: Tensor) -> Tensor:
    """Values of each pixel at steps `(T, 1, H, W)`."""
    return frames.gather(0, chosen.expand_as(frames))
