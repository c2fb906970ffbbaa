"""Intervals in configurations: `{min: …, max: …}`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from utils.registry import Configured

Share = Annotated[float, Field(ge=0, le=1)]
# Bounds far beyond any use, within which single precision neither overflows nor vanishes.
Scale = Annotated[float, Field(ge=1e-3, le=1e6)]
Amount = Annotated[float, Field(ge=0, le=1e6)]
Signed = Annotated[float, Field(ge=-1e6, le=1e6)]


class Range(Configured):
    """An interval to draw from, uniformly."""

    min: Signed
    max: Signed

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"found min {self.min:g} above max {self.max:g}, expected min <= max; swap them")
        return self


class ShareRange(Range):
    """An interval within [0, 1]."""

    min: Share
    max: Share
