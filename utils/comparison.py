"""Which results stand in one table, and which are seeds of one method and may be averaged."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from utils.errors import DataError
from utils.files import natural
from utils.intervals import Interval, half_width
from utils.results import About, Scores, read_scores
from utils.scores import (
    KNOCKED_OUT,
    PUBLISHED,
    PUBLISHED_SIZE,
    PUBLISHED_VIEWS,
    REFERENCES,
    TABLES,
    Score,
    of_judge,
)
from utils.tables import RowModel, read_rows

RANKED_BY = TABLES["original"][-1]  # the published Jaccard ratio
FREE = ("seed", "code")  # what seeds of one method may differ in


@dataclass(frozen=True, eq=False)
class Result:
    """One test, of a network trained with one seed, or of a rule: its `test_scores.json`, and what that holds."""

    file: Path
    scores: Scores

    @property
    def about(self) -> About:
        return self.scores.about

    @property
    def folder(self) -> Path:
        """Of its method: `FOLDER/eval/test_scores.json`, or `FOLDER/SEED/eval/test_scores.json` with several seeds."""
        run = self.file.absolute().parent.parent
        return run.parent if run.name == str(self.about.seed) else run

    def rows(self, name: str, model: type[RowModel]) -> list[RowModel]:
        """Of a table beside the scores; none if it isn't there."""
        file = self.file.with_name(name)
        return read_rows(file, model) if file.exists() else []


@dataclass(frozen=True, eq=False)
class Method:
    """What was tested, with each seed that it was trained with."""

    label: str  # name of its folder, after those of folders above where other methods' are the same
    results: tuple[Result, ...]  # the lowest seed first

    @property
    def about(self) -> About:
        return self.results[0].about

    @property
    def told(self) -> str:
        """Say what it is told of a view; a dash where that wasn't recorded."""
        return str(self.about.told or "–")

    @property
    def knock_outs(self) -> dict[str, list[Interval]]:
        """`KNOCKED_OUT` with the whole source, then without each product that was knocked out."""
        every = [result.scores for result in self.results]
        common = [name for name in every[0].knock_outs if all(name in scores.knock_outs for scores in every)]
        if not common:
            return {}
        found = {"nothing": [[scores.reflectance[key] for scores in every] for key in KNOCKED_OUT]}
        for name in common:
            found[name] = [[getattr(scores.knock_outs[name], key) for scores in every] for key in KNOCKED_OUT]
        return {name: [*map(_over_seeds, scores)] for name, scores in found.items()}

    @property
    def is_reference(self) -> bool:
        """Whether others are measured by it, and none competes with it."""
        return self.about.kind in REFERENCES

    def has(self, score: Score) -> bool:
        return any(result.scores.has(score) for result in self.results)

    def mean(self, score: Score) -> float:
        return self.interval(score).mean

    def interval(self, score: Score) -> Interval:
        """A score, NaN where it is undefined or wasn't measured."""
        return _over_seeds([result.scores.interval(score) for result in self.results])


def _over_seeds(found: Sequence[Interval]) -> Interval:
    """A score with its 95 % interval: over seeds where there are several, else over test views."""
    if len(found) == 1:
        return found[0]
    values = [seed.mean for seed in found]
    mean, half = sum(values) / len(values), half_width(values)
    return Interval(mean=mean, low=mean - half, high=mean + half, count=len(values))


AnyMethod = TypeVar("AnyMethod", bound=Method)


def having(methods: Iterable[AnyMethod], scores: Sequence[Score]) -> list[AnyMethod]:
    """The methods that have any of some scores."""
    return [method for method in methods if any(map(method.has, scores))]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods that were tested on the same views and judged by the same classifiers, the best Jaccard ratio first.

    References stand last.
    """

    methods: tuple[Method, ...]

    @property
    def about(self) -> About:
        return self.methods[0].about

    @property
    def name(self) -> str:
        return ", ".join(sorted({method.about.dataset for method in self.methods}, key=natural))

    @property
    def of_published_size(self) -> bool:
        """Whether its scores may stand beside published ones: frames, series and number of views are as theirs."""
        about, views = self.about, self.about.views
        size = {key: getattr(about, key) for key in PUBLISHED_SIZE}
        return size == PUBLISHED_SIZE and views.train + views.val + views.test == PUBLISHED_VIEWS

    def published(self, method: Method) -> tuple[float, ...]:
        """The published scores of a method, in the order of their table; none where data are of another size."""
        return PUBLISHED.get(method.about.experiment, ()) if self.of_published_size else ()

    def columns(self, protocol: str) -> list[Score]:
        """The scores of a protocol's table, or of that by judge, that any method has."""
        known = TABLES.get(protocol) or [score for judge in self.about.judges for score in of_judge(judge.name)]
        return [score for score in known if any(method.has(score) for method in self.methods)]


def compare(files: Iterable[Path]) -> list[Comparison]:
    """Read score files, and put together what belongs together.

    Raises:
        DataError: If two files are of one seed, or of different runs under one name; both are named.
    """
    compared: dict[tuple[str, ...], list[Result]] = {}
    for file in files:
        result = Result(file, read_scores(file))
        compared.setdefault(result.about.comparison, []).append(result)
    return sorted(map(_comparison, compared.values()), key=lambda comparison: (comparison.name, comparison.about.data))


def _comparison(results: list[Result]) -> Comparison:
    folders: dict[Path, list[Result]] = {}
    for result in results:
        folders.setdefault(result.folder, []).append(result)
    methods = (_method(_label(folder, folders), seeds) for folder, seeds in folders.items())
    return Comparison(tuple(sorted(methods, key=_rank)))


def _label(folder: Path, among: Iterable[Path]) -> str:
    """The name of a folder, after those of as many above it as it takes to tell it from all others."""
    others = [other.parts for other in among if other != folder]
    depth = next(n for n in range(1, len(folder.parts) + 1) if all(parts[-n:] != folder.parts[-n:] for parts in others))
    return str(Path(*folder.parts[-depth:]))


def _method(label: str, members: Iterable[Result]) -> Method:
    seeds = sorted(members, key=lambda result: -1 if result.about.seed is None else result.about.seed)
    _check(seeds)
    return Method(label, tuple(seeds))


def _rank(method: Method) -> tuple[bool, float, str]:
    ratio = method.mean(RANKED_BY)
    return method.is_reference, math.inf if math.isnan(ratio) else -ratio, method.label


def _check(members: Sequence[Result]) -> None:
    for previous, other in pairwise(members):
        where = f"{previous.file} and {other.file}: {other.about.experiment}"
        if previous.about.seed == other.about.seed:
            which = "what has no seed" if other.about.seed is None else f"seed {other.about.seed}"
            raise DataError(f"{where}: found two files of {which}; leave one out")
        found = previous.about.run.differences(other.about.run, apart_from=FREE)
        if found:
            raise DataError(f"{where}: different runs cannot be averaged ({found}); leave one out")
