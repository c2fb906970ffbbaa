"""What `test_scores.json` holds, and what may be said of its scores."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from utils.identity import Identity
from utils.intervals import Interval
from utils.scores import CLOUDS_ONLY, ORIGINAL, REFLECTANCE, TABLES, Score
from utils.tables import number

ROUNDING = 1e-6
Kind = Literal["network", "baseline", "upper bound"]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class Content(BaseModel):
    """Base of what files hold; keys that nobody reads are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Record(Content):
    """Of an `Identity`."""

    configuration: dict[str, Any]
    seed: NonNegativeInt | None = None
    data: str | None = None
    code: str | None = None


class Views(Content):
    """Numbers of views."""

    train: NonNegativeInt
    val: NonNegativeInt
    test: PositiveInt


class About(Content):
    """Where scores are from."""

    experiment: Name
    kind: Kind
    run: Record  # what was tested, apart from its seed: only runs that agree in it may be averaged
    seed: NonNegativeInt | None  # of training; None where nothing is random
    checkpoint: str | None
    epoch: NonNegativeInt | None
    split_seed: NonNegativeInt
    dataset: Name
    target: Name
    data: Name  # digest of what was compared: views, their target product and their split, whatever the sources
    judge: Name  # digest of the reference classifier
    classifier: Name
    views: Views
    height: PositiveInt
    width: PositiveInt
    horizon: PositiveInt

    @property
    def comparison(self) -> tuple[str, str]:
        """What scores must agree in to stand in one table."""
        return self.data, self.judge

    @property
    def identity(self) -> Identity:
        """Of what was tested, without its seed."""
        return Identity(**dict(self.run))


class Scores(Content):
    """Content of `test_scores.json`. Read scores by `value` and `interval`: the published keys repeat them."""

    model_config = ConfigDict(extra="allow")
    reflectance: dict[str, Interval]
    original: dict[str, Interval]
    about: About

    def has(self, score: Score) -> bool:
        """Whether testing measured it: data without clouds have no scores of cloudy pixels."""
        return score.name in getattr(self, score.protocol)

    def interval(self, score: Score) -> Interval:
        """Look a score up, with its interval over views."""
        return getattr(self, score.protocol)[score.name]

    def value(self, score: Score) -> float:
        """Look a score up; NaN where it is undefined or wasn't measured."""
        return self.interval(score).mean if self.has(score) else math.nan

    @model_validator(mode="after")
    def _complete(self) -> "Scores":
        problem = next(filter(None, map(self._problem, (*TABLES[REFLECTANCE], *TABLES[ORIGINAL]))), "")
        if problem:
            raise ValueError(problem)
        return self

    def _problem(self, score: Score) -> str:
        """Say what is wrong with a score, if anything is."""
        if not self.has(score):
            optional = score.name.endswith(CLOUDS_ONLY)
            return "" if optional else f"missing key '{score.protocol}.{score.name}'"
        found, (least, most) = self.value(score), score.range
        if found < least - ROUNDING or found > most + ROUNDING:
            return f"{score.protocol}.{score.name}.mean: found {found}, expected {least} to {most}"
        published = number(self.model_extra.get(score.key, "none"))
        if score in TABLES[ORIGINAL] and published != found and not (_undefined(published) and _undefined(found)):
            return f"{score.key}: expected {found} as in {score.protocol}.{score.name}.mean"
        return ""


def _undefined(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
