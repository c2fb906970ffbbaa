"""Types of fields in configurations: paths, bounded numbers, intervals `{min: …, max: …}`."""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from utils.number_lists import parse_numbers
from utils.reading import expand
from utils.registry import Configured

PathText = Annotated[str, AfterValidator(expand)]


def _is_list_of_numbers(text: str) -> str:
    parse_numbers(text)
    return text


# As `parse_numbers` reads them. YAML makes a whole number of `40`.
Numbers = Annotated[
    str, BeforeValidator(lambda value: str(value) if type(value) is int else value), AfterValidator(_is_list_of_numbers)
]
Share = Annotated[float, Field(ge=0, le=1)]
# Bounds far beyond any use, within which single precision neither overflows nor vanishes.
Scale = Annotated[float, Field(ge=1e-3, le=1e6)]
Amount = Annotated[float, Field(ge=0, le=1e6)]
Signed = Annotated[float, Field(ge=-1e6, le=1e6)]


class Range(Configured):
    min: Signed
    max: Signed

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"found min {self.min:g} above max {self.max:g}, expected min <= max; swap them")
        return self


class ShareRange(Range):
    min: Share
    max: Share
