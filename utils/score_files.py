"""The table of several experiments and seeds as Markdown and as CSV."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from utils.comparison import Comparison, Method
from utils.files import new_file
from utils.intervals import half_width
from utils.scores import ORIGINAL, REFLECTANCE, TABLES, TITLES, Score, digits
from utils.tables import escape, markdown_table, write_csv


def write(comparisons: Sequence[Comparison], folder: Path) -> None:
    """Write `scores.md` and `scores.csv`."""
    with new_file(folder / "scores.md") as temporary:
        temporary.write_text(markdown(comparisons) + "\n", encoding="utf-8")
    write_csv(folder / "scores.csv", [row for comparison in comparisons for row in _records(comparison)])


def _records(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Rows of the CSV file: mean and half-width of each score of each method, NaN where undefined."""
    columns = [score for protocol in (ORIGINAL, REFLECTANCE) for score in comparison.columns(protocol)]
    for method in comparison.methods:
        row = {"dataset": method.about.dataset, "experiment": method.about.experiment, "seeds": len(method.results)}
        for score in columns:
            row |= {score.key: method.mean(score), f"{score.key}_±": half_width(method.values(score))}
        yield row


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Make the tables: one for each comparison and protocol."""
    return "\n\n".join(part for comparison in comparisons for part in _parts(comparison))


def _parts(comparison: Comparison) -> Iterator[str]:
    about = comparison.about
    views = f"{about.views.test} test views of {about.width} × {about.height} pixels, {about.horizon} steps"
    yield f"## {escape(comparison.name)}: {views}, land cover by {escape(about.classifier)}"
    for protocol in TABLES:
        yield f"{TITLES[protocol]}\n\n{_table(comparison, protocol)}"


def _table(comparison: Comparison, protocol: str) -> str:
    columns, rows = comparison.columns(protocol), []
    for method in comparison.methods:
        cells = [_cell(method, score) for score in columns]
        rows.append([escape(method.label), str(len(method.results)), *cells])
        published = comparison.published(method)
        if published and protocol == ORIGINAL:
            rows.append(["*published*", "*5*", *(f"*{number:g}*" for number in published)])
    return markdown_table(["experiment", "seeds", *(score.title for score in columns)], rows)


def _cell(method: Method, score: Score) -> str:
    mean, half = method.mean(score), half_width(method.values(score))
    if math.isnan(mean):
        return "–"
    places = digits(mean)
    return f"{mean:.{places}f}" + ("" if math.isnan(half) else f" ± {half:.{places}f}")
