"""What a study left behind: its results by data set and method, read from their folders."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from utils import score_table
from utils.errors import DataError
from utils.report.svg import Look

ABOUT = ("experiment", "seed", "dataset", "data", "views", "height", "width", "horizon", "classifier")
SPELLINGS = {"gan": "GAN", "cgan": "cGAN", "sar": "SAR"}
Read = TypeVar("Read")


class Kind(StrEnum):
    """What a method is."""

    NETWORK = "network"
    BASELINE = "baseline"
    BOUND = "upper bound"


LOOKS = {
    Kind.NETWORK: Look(0, 0),
    Kind.BASELINE: Look(1, 0, hollow=True, dash="5 3"),
    Kind.BOUND: Look(None, 3, dash="1 3"),
}


@dataclass(frozen=True, eq=False)
class Result:
    """One test: of a network trained with one seed, or of a baseline.

    Attributes:
        folder: `eval`, where the scores are.
        scores: content of the score file.
    """

    folder: Path
    scores: score_table.Scores

    @property
    def about(self) -> dict[str, Any]:
        """Where the scores are from."""
        return self.scores["about"]

    @property
    def run(self) -> Path:
        """Folder of the training, which a baseline doesn't have."""
        return self.folder.parent / "run"


@dataclass(frozen=True, eq=False)
class Method:
    """A network or a baseline.

    Attributes:
        experiment: its full name.
        label: a shorter one, without the data set.
        kind: what it is.
        results: of each seed, the lowest first.
        look: how charts draw it.
    """

    experiment: str
    label: str
    kind: Kind
    results: Sequence[Result]
    look: Look

    def values(self, key: str) -> list[float]:
        """Look up a score of each seed; NaN where it is undefined."""
        return [score_table.value(result.scores, key) for result in self.results]

    def mean(self, key: str) -> float:
        """Average a score over seeds."""
        return score_table.mean_of([result.scores for result in self.results], key)


@dataclass(frozen=True, eq=False)
class DataSet:
    """What was tested on one data set.

    Attributes:
        name: the data set's.
        methods: networks, baselines, upper bounds; the highest Jaccard ratio first in each.
        groups: the same scores, as `score_table` takes them.
    """

    name: str
    methods: Sequence[Method]
    groups: dict[tuple[str, str], list[score_table.Scores]]

    @property
    def label(self) -> str:
        """The data set's name in plain words."""
        return words(self.name.removeprefix("toy_"), capital=True)

    @property
    def about(self) -> dict[str, Any]:
        """Sizes and views, the same for all methods."""
        return self.methods[0].results[0].about

    @cached_property
    def comparable(self) -> bool:
        """Whether published figures are of data of this size."""
        return score_table.comparable(self.about)

    def of(self, *kinds: Kind) -> list[Method]:
        """List the methods of some kinds."""
        return [method for method in self.methods if method.kind in kinds]


def read_results(folder: Path) -> list[DataSet]:
    """Read all results below a folder.

    Args:
        folder: where to look, at any depth.

    Returns:
        The data sets, by name.

    Raises:
        DataError: If there are none, or some are malformed or don't go together.
    """
    results = [Result(file.parent, _read_scores(file)) for file in score_table.find(folder)]
    by_content = {id(result.scores): result for result in results}
    groups = score_table.group([result.scores for result in results])
    found = []
    for name in dict.fromkeys(dataset for dataset, _ in groups):
        chosen = {key: members for key, members in groups.items() if key[0] == name}
        members = {
            experiment: [by_content[id(scores)] for scores in content] for (_, experiment), content in chosen.items()
        }
        found.append(DataSet(name, _methods(name, members), chosen))
    return found


def _read_scores(file: Path) -> score_table.Scores:
    scores = score_table.read(file)
    missing = [f"about.{key}" for key in ABOUT if key not in scores["about"]]
    missing += [f"reflectance.{key}" for key in score_table.REFLECTANCE if key not in scores["reflectance"]]
    if missing:
        raise DataError(f"{file}: not a score file (key {missing[0]!r} is missing); run run_testing.py again")
    return scores


def _methods(dataset: str, members: dict[str, list[Result]]) -> list[Method]:
    labels = {experiment: label(experiment, dataset) for experiment in members}
    if len(set(labels.values())) < len(labels):
        labels = {experiment: experiment for experiment in members}
    kinds = {experiment: _kind(results[0]) for experiment, results in members.items()}
    coloured = sorted((kinds[name] is Kind.BASELINE, name) for name in members if kinds[name] is not Kind.BOUND)
    numbers = {name: number for number, (_, name) in enumerate(coloured)}
    methods = [
        Method(name, labels[name], kinds[name], sorted(results, key=_seed), _look(kinds[name], numbers.get(name)))
        for name, results in members.items()
    ]
    order = list(Kind)
    return sorted(methods, key=lambda method: (order.index(method.kind), -_or_lowest(method.mean("jaccard_ratio"))))


def _kind(result: Result) -> Kind:
    if "upper_bound" in result.about["experiment"]:
        return Kind.BOUND
    return Kind.BASELINE if result.about["seed"] is None else Kind.NETWORK


def _seed(result: Result) -> int:
    return -1 if result.about["seed"] is None else result.about["seed"]


def _look(kind: Kind, number: int | None) -> Look:
    look = LOOKS[kind]
    return look if number is None else Look(number, number, look.hollow, look.dash)


def _or_lowest(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def label(experiment: str, dataset: str) -> str:
    """Shorten an experiment's name.

    Args:
        experiment: such as `cgan_frame_recurrent_toy_cloud_removal`.
        dataset: its data set, such as `toy_cloud_removal`.

    Returns:
        The rest of the name in plain words, such as "cGAN frame recurrent"; the whole name if nothing is left.
    """
    return words(experiment.replace(dataset, "")) or words(experiment)


def words(name: str, *, capital: bool = False) -> str:
    """Turn an identifier into words.

    Args:
        name: with underscores.
        capital: whether to start with a capital letter.

    Returns:
        Plain text.
    """
    text = " ".join(SPELLINGS.get(word, word) for word in name.split("_") if word)
    return text[:1].upper() + text[1:] if capital else text


def read_rows(file: Path) -> list[dict[str, str]]:
    """Read a CSV file, if there is one.

    Args:
        file: its path.

    Returns:
        Its rows; none if there is no file.

    Raises:
        DataError: If it cannot be read.
    """
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return parse(file, lambda: list(csv.DictReader(stream, strict=True)))


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON file.

    Args:
        file: its path.

    Returns:
        Its content.

    Raises:
        DataError: If it isn't an object in JSON.
    """
    content = parse(file, lambda: json.loads(file.read_text(encoding="utf-8")))
    if not isinstance(content, dict):
        raise DataError(f"{file}: found {type(content).__name__}, expected a JSON object; make it again")
    return content


def parse(file: Path, read: Callable[[], Read]) -> Read:
    """Read a file's content, and name the file if it is malformed.

    Args:
        file: its path.
        read: what reads it.

    Returns:
        What `read` returns.

    Raises:
        DataError: If the content is not what `read` expects.
    """
    try:
        return read()
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(f"{file}: not what was expected ({type(error).__name__}: {error}); make it again") from error
