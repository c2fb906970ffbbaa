"""What a study compares: its tasks, and in each the methods as the page shows them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from src.report.charts import Look
from utils.comparison import Comparison, Method, compare, of
from utils.errors import DataError
from utils.scores import BASELINE, BOUND, KINDS, NETWORK, NO_GENERATION, REFERENCES, SUBMISSION

LOOKS = {
    NETWORK: Look(0),
    SUBMISSION: Look(0, dashes=(9, 2)),
    BASELINE: Look(1, hollow=True, dashes=(5, 3)),
    BOUND: Look(None, dashes=(1, 3)),
    NO_GENERATION: Look(None, hollow=True, dashes=(6, 2, 1, 2)),
}
GROUPS = {  # headings of tables
    NETWORK: "Networks",
    SUBMISSION: "Submissions",
    BASELINE: "Baselines",
    BOUND: "Upper bounds",
    NO_GENERATION: "No generation",
}
SPELLINGS = {"gan": "GAN", "cgan": "cGAN", "sar": "SAR"}


@dataclass(frozen=True, eq=False)
class Shown(Method):
    """A method with a short label, and how charts draw it."""

    look: Look

    @property
    def kind(self) -> str:
        return self.about.kind

    @property
    def title(self) -> str:
        """Label, kind, and the seed whose pictures and matrices are shown."""
        if self.kind == NO_GENERATION:
            return self.label
        return f"{self.label} ({self.kind}{'' if self.about.seed is None else f', seed {self.about.seed}'})"


@dataclass(frozen=True, eq=False)
class Task:
    """Methods that were tested on the same views and targets, by the same classifier."""

    title: str
    comparison: Comparison  # of the same methods under their full names
    methods: Sequence[Shown]  # by kind; the highest Jaccard ratio first in each

    def of(self, *kinds: str) -> list[Shown]:
        return of(self.methods, *kinds)


def read_tasks(files: Iterable[Path]) -> list[Task]:
    """Read score files; where runs of one name are not seeds of the same work, the error names two of their files."""
    comparisons = compare(files)
    _refuse_mixture(comparisons)
    titles = [words(_main_dataset(comparison).removeprefix("toy_"), capital=True) for comparison in comparisons]
    return [
        Task(
            title if titles.count(title) == 1 else f"{title}, {titles[:number].count(title) + 1}",
            comparison,
            _methods(comparison),
        )
        for number, (title, comparison) in enumerate(zip(titles, comparisons, strict=True))
    ]


def _refuse_mixture(comparisons: Sequence[Comparison]) -> None:
    """One experiment's runs belong to one comparison: else some are from before its data or classifier changed."""
    seen: dict[tuple[str, str], Method] = {}
    for method in (method for comparison in comparisons for method in comparison.methods):
        first = seen.setdefault((method.about.experiment, method.about.dataset), method)
        found, other = first.about.comparison, method.about.comparison
        if found == other:
            continue
        what = "views, targets or splits" if found[0] != other[0] else "classifiers"
        raise DataError(
            f"{first.results[0].file} and {method.results[0].file}: {method.about.experiment}: found scores of "
            f"different {what}, expected one work under one name; test again, or leave one out"
        )


def _main_dataset(comparison: Comparison) -> str:
    counts = Counter(method.about.dataset for method in comparison.methods)
    return min(counts, key=lambda name: (-counts[name], name))


def _methods(comparison: Comparison) -> list[Shown]:
    labels = _labels(comparison)
    drawn = sorted(
        (method for method in comparison.methods if method.about.kind not in REFERENCES),
        key=lambda method: (method.about.kind == BASELINE, method.label),
    )
    looks = {method: replace(LOOKS[method.about.kind], colour=number) for number, method in enumerate(drawn)}
    shown = [
        Shown(label, method.results, looks.get(method, LOOKS[method.about.kind]))
        for method, label in zip(comparison.methods, labels, strict=True)
    ]
    return sorted(shown, key=lambda method: KINDS.index(method.kind))


def _labels(comparison: Comparison) -> list[str]:
    """Short names where they tell the methods apart, else whole ones."""
    short = [_shorten(method) for method in comparison.methods]
    return [
        name if short.count(name) == 1 else printable(method.label)
        for name, method in zip(short, comparison.methods, strict=True)
    ]


def _shorten(method: Method) -> str:
    """`cgan_frame_recurrent_toy_cloud_removal`, on `toy_cloud_removal`, is "cGAN frame recurrent"."""
    return words(method.label.replace(f"_{method.about.dataset}", "").replace("_toy", "")) or words(method.label)


def words(name: str, *, capital: bool = False) -> str:
    """Turn an identifier into words."""
    text = " ".join(word for word in printable(name).split("_") if word)
    text = re.sub(r"\w+", lambda word: SPELLINGS.get(word[0], word[0]), text)
    return text[:1].upper() + text[1:] if capital else text


def printable(name: str) -> str:
    """Replace what no page and no chart can hold, such as control characters."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
