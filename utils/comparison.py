"""Which results stand in one table, and which are seeds of one method and may be averaged."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np

from utils.errors import DataError
from utils.files import natural
from utils.intervals import Interval, bootstrap_ratio, half_width
from utils.results import About, Scores, ViewRow, read_scores
from utils.scores import (
    BASELINE,
    COMPETITORS,
    KNOCKED_OUT,
    NO_GENERATION,
    PUBLISHED,
    PUBLISHED_SIZE,
    PUBLISHED_VIEWS,
    RATIO,
    REFERENCES,
    TABLES,
    VIEWS,
    Score,
    judged,
    of_judge,
    under,
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
    def run(self) -> Path:
        return self.file.absolute().parent.parent

    @property
    def folder(self) -> Path:
        """Of its method: `FOLDER/eval/test_scores.json`, or `FOLDER/SEED/eval/test_scores.json` with several seeds."""
        return self.run.parent if self.run.name == str(self.about.seed) else self.run

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


def of(methods: Iterable[AnyMethod], *kinds: str) -> list[AnyMethod]:
    return [method for method in methods if method.about.kind in kinds]


def best(methods: Iterable[AnyMethod], score: Score) -> AnyMethod | None:
    """Find the first of the methods that are best in a score; None if it is undefined for all."""
    defined = [method for method in methods if not math.isnan(method.mean(score))]
    return max(defined, key=lambda method: score.merit(method.mean(score)), default=None)


def without_generation(among: Iterable[AnyMethod], method: Method | None, score: Score) -> AnyMethod | None:
    """What judges reach that learn from the best of the sources: the line that a method's images have to be above.

    Data sets may show the same targets beside other sources: those of the method's own count, where there are any.
    """
    every = of(among, NO_GENERATION)
    own = [other for other in every if method and other.about.dataset == method.about.dataset]
    return best(own or every, score)


def ratio_difference(one: Method, other: Method, judge: str = "") -> Interval | None:
    """Estimate `one`'s Jaccard ratio less `other`'s, under the headline judge or another; see `paired_difference`."""
    return paired_difference(one, other, under(judge, "jaccard_generated"), over=under(judge, "jaccard_real"))


def paired_difference(one: Method, other: Method, score: str, *, over: str | None = None) -> Interval | None:
    """Estimate `one`'s mean score, or ratio of means, less `other`'s; None if not all views' scores are known.

    Both are tested on the same views, so views are drawn together for both (paired bootstrap); a view's score is its
    mean over seeds.
    """
    ours, others = _by_view(one, score), _by_view(other, score)
    lower = _by_view(one, over) if over else dict.fromkeys(ours, 1.0)
    if len(lower) < 2 or not ours.keys() == others.keys() == lower.keys():
        return None
    values = [np.array([found[view] for view in sorted(lower)]) for found in (ours, others, lower)]
    if not np.isfinite(values).all() or not values[2].all():
        return None
    return bootstrap_ratio(values[0] - values[1], values[2], rng=np.random.default_rng(0))


def _by_view(method: Method, score: str) -> dict[str, float]:
    """Average a score over seeds, view by view."""
    found: dict[str, list[float]] = {}
    for result in method.results:
        for row in result.rows(VIEWS, ViewRow):
            found.setdefault(row.view, []).append(row.value(score))
    return {view: sum(values) / len(values) for view, values in found.items() if len(values) == len(method.results)}


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

    def gains(self) -> Iterator[tuple[Method, Method, str, Interval]]:
        """What images are worth.

        Yields:
            Each method that competes; the best reference without generation, and the best baseline; a judge, by whom
            they are the best; and the method's Jaccard ratio less theirs under it, where all views' scores are known.
        """
        for method in of(self.methods, *COMPETITORS):
            for judge in self.about.judges:
                ratio = judged(judge.name, RATIO)
                references = without_generation(self.methods, method, ratio), best(of(self.methods, BASELINE), ratio)
                for reference in references:
                    if reference not in (None, method):
                        found = ratio_difference(method, reference, judge.name)
                        if found:
                            yield method, reference, judge.name, found


def compare(files: Iterable[Path], *, each_seed: bool = False) -> list[Comparison]:
    """Read score files, and put together what belongs together; each seed is a method of its own if that is asked for.

    Raises:
        DataError: If two files are of one seed, or of different runs under one name; both are named.
    """
    compared: dict[tuple[str, ...], list[Result]] = {}
    for file in files:
        result = Result(file, read_scores(file))
        compared.setdefault(result.about.comparison, []).append(result)
    found = [_comparison(results, each_seed=each_seed) for results in compared.values()]
    return sorted(found, key=lambda comparison: (comparison.name, comparison.about.data))


def _comparison(results: list[Result], *, each_seed: bool) -> Comparison:
    folders: dict[Path, list[Result]] = {}
    for result in results:
        folders.setdefault(result.folder, []).append(result)
    methods = []
    for folder, seeds in folders.items():
        label = _label(folder, folders)
        if each_seed:
            methods += [_method(str(Path(label, seed.run.relative_to(folder))), [seed]) for seed in seeds]
        else:
            methods.append(_method(label, seeds))
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
