"""The files that testing and reference classifiers leave, read against one schema.

All that reads them raises a DataError where a file is missing or not what was written.
"""

import csv
import math
import os
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from utils.config import validate
from utils.errors import ConfigError, DataError
from utils.files import find_files
from utils.reading import read_text
from utils.schema import Content, Name, Record, Scores
from utils.scores import CLASSIFIER_SCORES, SCORES
from utils.tables import Number, parse_json

LONGEST = 64 << 20  # bytes of a file of scores


class Row(BaseModel):
    """A row of a table: named cells, and any number of scores."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Number]

    def value(self, name: str) -> float:
        """Look a score up; NaN where it is undefined or wasn't measured."""
        return self.model_extra.get(name, math.nan)


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
        """Counts by predicted class."""
        return [*self.model_extra.values()]


class Validation(Content):
    """How well a classifier does on some views."""

    jaccard: Number
    macro_jaccard: Number
    accuracy: Number
    kappa: Number
    views: PositiveInt
    pixel_series: PositiveInt


class Settings(Content):
    """Of a classifier."""

    name: Name


class ClassifierAbout(Content):
    """Where a classifier is from."""

    identity: Record
    versions: dict[str, str]


class ClassifierScores(Content):
    """Content of a classifier's `scores.json`."""

    classifier: Settings
    validation: Validation
    training: Validation
    about: ClassifierAbout


Model = TypeVar("Model", bound=BaseModel)


def read_scores(path: Path) -> Scores:
    """Read what `run_testing.py` measured."""
    return read_json(Scores, path, f"a {SCORES}", "run run_testing.py again")


def read_classifier_scores(path: Path) -> ClassifierScores:
    """Read how well a reference classifier does."""
    what = f"the {CLASSIFIER_SCORES} of a classifier"
    return read_json(ClassifierScores, path, what, "run make_reference_classifier.py again")


RowModel = TypeVar("RowModel", bound=Row)


def read_rows(path: Path, model: type[RowModel], remedy: str = "run run_testing.py again") -> list[RowModel]:
    text = read_text(path, "a table of results", limit=LONGEST)
    try:
        rows = list(csv.DictReader(text.splitlines(), strict=True, restkey="more cells", restval="no cell"))
    except csv.Error as error:
        raise DataError(f"{path}: not a table ({error}); {remedy}") from error
    return [check(model, row, f"{path}: row {number}", remedy) for number, row in enumerate(rows, 1)]


def find_scores(path: Path) -> list[Path]:
    """List the score files that a path stands for."""
    return find(path, SCORES, "run run_testing.py, or correct the path")


def find(path: Path, name: str, remedy: str) -> list[Path]:
    """List the files of a name below a folder, at least one; a file stands for itself."""
    is_folder = os.path.isdir(path)  # noqa: PTH112 - that of pathlib raises for some paths
    found = find_files(path, name) if is_folder else [path]
    if not found:
        raise DataError(f"{path}: found no {name}; {remedy}")
    return found


def read_json(model: type[Model], path: Path, expected: str, remedy: str) -> Model:
    """Read a file that holds what a class describes, which is called `expected`."""
    try:
        content = parse_json(read_text(path, expected, limit=LONGEST))
    except ValueError as error:
        raise DataError(f"{path}: not {expected} ({error}); make it again") from error
    return check(model, content, path, remedy)


def check(model: type[Model], content: object, path: Path | str, remedy: str) -> Model:
    """Make sure that a file holds what a class describes; the error names everything that is wrong."""
    try:
        return validate(model, content, path)
    except ConfigError as error:
        raise DataError(f"{error}; {remedy}") from error
