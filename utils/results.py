"""The files that testing and reference classifiers leave: what they hold, read against one schema.

All that reads them raises a DataError where a file is missing or not what was written.
"""

import math
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from utils.errors import DataError
from utils.files import find_files
from utils.identity import Identity
from utils.intervals import Interval
from utils.scores import (
    CLASSIFIER_SCORES,
    CLOUDS_ONLY,
    ORIGINAL,
    SCORES,
    SHADOWS_ONLY,
    TABLES,
    TEST_SERIES,
    TSTR_RATIO,
    UNCERTAINTY,
    Kind,
    OpacityTold,
    Score,
    Seen,
    Sees,
    of_judge,
)
from utils.tables import Number, Row, number, read_json

ROUNDING = 1e-6
UNMEASURED = Interval(mean=math.nan, low=math.nan, high=math.nan, count=0)
Name = Annotated[str, Field(min_length=1, max_length=500)]


class Content(BaseModel):
    """Base of what files hold; keys that nobody reads are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Views(Content):
    train: NonNegativeInt
    val: NonNegativeInt
    test: PositiveInt


class Told(Content):
    """What a method is told of a view."""

    sensors: Annotated[list[Name], Field(min_length=1)]  # products
    opacity: OpacityTold
    sees: Sees

    def __str__(self) -> str:
        opacity = "" if self.opacity == "none" else f", {self.opacity} opacity"
        return f"{' + '.join(self.sensors)}{opacity}, one {self.sees}"


class JudgeRecord(Content):
    name: Name
    digest: Name
    validation_jaccard: Number  # on real series of validation views; NaN where the classifier's file doesn't say


class About(Content):
    experiment: Name
    kind: Kind
    run: Identity  # what was tested, apart from its seed: only runs that agree in it may be averaged
    seed: NonNegativeInt | None  # of training; None where nothing is random
    checkpoint: str | None
    epoch: NonNegativeInt | None
    split_seed: NonNegativeInt
    dataset: Name
    target: Name
    told: Told | None = None
    data: Name  # digest of what was compared: views, their target product and their split, whatever the sources
    test_series: Seen = "seen"
    judge: Name  # digest of the headline judge
    classifier: Name  # its name
    judges: list[JudgeRecord] = Field(default_factory=list)  # that of the headline first
    views: Views
    height: PositiveInt
    width: PositiveInt
    horizon: PositiveInt

    @property
    def comparison(self) -> tuple[str, ...]:
        """What results must agree in to stand in one table."""
        return self.data, self.judge, *(judge.digest for judge in self.judges[1:])

    @property
    def series(self) -> str:
        """Say what time series test views show."""
        return TEST_SERIES[self.test_series]


class KnockOut(Content):
    """Scores of what a method makes without a product of its source."""

    rmse: Interval
    jaccard_generated: Interval
    jaccard_ratio: Interval


class Scores(Content):
    """Content of `test_scores.json`. Read scores by `value` and `interval`: the published keys repeat them."""

    model_config = ConfigDict(extra="allow")
    reflectance: dict[str, Interval]
    original: dict[str, Interval]
    uncertainty: dict[str, Interval] = Field(default_factory=dict)
    judges: dict[str, dict[str, Interval]] = Field(default_factory=dict)
    knock_outs: dict[Name, KnockOut] = Field(default_factory=dict)
    about: About

    def has(self, score: Score) -> bool:
        """Data without clouds have no scores of cloudy pixels, and few methods any of uncertainty."""
        return score.name in self._section(score)

    def interval(self, score: Score) -> Interval:
        """Look a score up; NaN where it is undefined or wasn't measured."""
        return self._section(score).get(score.name, UNMEASURED)

    def value(self, score: Score) -> float:
        return self.interval(score).mean

    def _section(self, score: Score) -> dict[str, Interval]:
        section = getattr(self, score.protocol)
        return section.get(score.judge, {}) if score.judge else section

    @model_validator(mode="after")
    def _complete(self) -> "Scores":
        judges = [judge.name for judge in self.about.judges]
        if [*self.judges] != judges:
            found, expected = (", ".join(names) or "none" for names in (self.judges, judges))
            raise ValueError(f"judges: found {found}, expected {expected} as in about.judges")
        every = (score for table in (*TABLES.values(), *map(of_judge, judges)) for score in table)
        problem = next(filter(None, map(self._problem, every)), "")
        if problem:
            raise ValueError(problem)
        return self

    def _problem(self, score: Score) -> str:
        where = ".".join(filter(None, (score.protocol, score.judge, score.name)))
        if not self.has(score):
            of_some = score.name == TSTR_RATIO or (score.protocol == UNCERTAINTY and not self.uncertainty)
            optional = of_some or score.name.endswith((*CLOUDS_ONLY, SHADOWS_ONLY))
            return "" if optional else f"missing key '{where}'"
        found, (least, most) = self.value(score), score.range
        if found < least - ROUNDING or found > most + ROUNDING:
            return f"{where}.mean: found {found}, expected {least} to {most}"
        published = number(self.model_extra.get(score.key, "none"))
        same = published == found or (published is math.nan and math.isnan(found))
        if score in TABLES[ORIGINAL] and not same:
            return f"{score.key}: expected {found} as in {where}.mean"
        return ""


class ViewRow(Row):
    """Of `views.csv`: the scores of one view."""

    view: Name


class CoverRow(Row):
    """Of `by_cloud_cover.csv`: a count of units with an opacity above one value and up to another."""

    unit: Literal["pixel", "frame", "pixel series"]
    above: Annotated[float, Field(ge=0, le=1)]
    up_to: Annotated[float, Field(ge=0, le=1)]
    count: NonNegativeInt


class ConfusionRow(Row):
    """Of `confusion_*.csv`: how many series of a true class were predicted each class, from 1 on."""

    true: PositiveInt

    @property
    def predicted(self) -> list[float]:
        return [*self.model_extra.values()]


class Validation(Content):
    jaccard: Number
    macro_jaccard: Number
    accuracy: Number
    kappa: Number
    views: PositiveInt
    pixel_series: PositiveInt


class Settings(Content):
    name: Name


class ClassifierAbout(Content):
    identity: Identity
    versions: dict[str, str]


class ClassifierScores(Content):
    classifier: Settings
    validation: Validation
    training: Validation
    about: ClassifierAbout


def read_scores(path: Path) -> Scores:
    return read_json(Scores, path, f"a {SCORES}", "run run_testing.py again")


def read_classifier_scores(path: Path) -> ClassifierScores:
    what = f"the {CLASSIFIER_SCORES} of a classifier"
    return read_json(ClassifierScores, path, what, "run make_reference_classifier.py again")


def find_scores(path: Path) -> list[Path]:
    return find(path, SCORES, "run run_testing.py, or correct the path")


def find(path: Path, name: str, remedy: str) -> list[Path]:
    """List the files of a name below a folder, at least one; a file stands for itself."""
    is_folder = os.path.isdir(path)  # noqa: PTH112 - that of pathlib raises for some paths
    found = find_files(path, name) if is_folder else [path]
    if not found:
        raise DataError(f"{path}: found no {name}; {remedy}")
    return found
