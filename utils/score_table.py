"""Collect the test_scores.json of several experiments and seeds into one table, as Markdown and as CSV.

Each row is a method, under the name of its folder: means over its seeds, ± the half-width of their 95 % confidence
interval (Student's t) where there are two or more. References, which compete with nobody, stand last. Published figures
stand beside those of experiments on data of the published size.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402
from utils.scores import JUDGES, ORIGINAL, REFLECTANCE, SCORES, TITLES, UNCERTAINTY, Score, digits  # noqa: E402

WITHOUT = "What scores rest on: without a product of the source, or with that of another view"

if TYPE_CHECKING:
    from utils.comparison import Comparison, Method


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument(
        "scores", type=Path, nargs="+", metavar="PATH", help=f"{SCORES}, or a folder in which to look for such files"
    )
    parser.add_argument("--o", type=Path, metavar="DIR", help="folder for scores.md and scores.csv (default: print)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from utils.comparison import compare
    from utils.results import find_scores

    comparisons = compare(dict.fromkeys(file for path in arguments.scores for file in find_scores(path)))
    if arguments.o is None:
        print(markdown(comparisons))
    else:
        write(comparisons, arguments.o)


def write(comparisons: "Sequence[Comparison]", folder: Path) -> None:
    from utils.files import new_file
    from utils.tables import write_csv

    with new_file(folder / "scores.md") as temporary:
        temporary.write_text(markdown(comparisons) + "\n", encoding="utf-8")
    write_csv(folder / "scores.csv", [row for comparison in comparisons for row in _records(comparison)])


def _records(comparison: "Comparison") -> Iterator[dict[str, Any]]:
    """Rows of the CSV file: mean and half-width of each score of each method, NaN where undefined."""
    columns = [
        score for protocol in (ORIGINAL, REFLECTANCE, JUDGES, UNCERTAINTY) for score in comparison.columns(protocol)
    ]
    for method in comparison.methods:
        about = method.about
        row = {"method": method.label, "dataset": about.dataset, "test_series": about.test_series}
        row |= {"experiment": about.experiment, "kind": about.kind, "told": method.told, "seeds": len(method.results)}
        for score in columns:
            row |= {score.key: method.mean(score), f"{score.key}_±": method.half_width(score)}
        yield row


def markdown(comparisons: "Sequence[Comparison]") -> str:
    from utils.tables import escape

    parts = []
    for comparison in comparisons:
        about = comparison.about
        views = f"{about.views.test} test views of {about.width} × {about.height} pixels, {about.horizon} steps"
        parts.append(f"## {escape(comparison.name)}: {views}, {about.series}, land cover by {escape(about.classifier)}")
        protocols = [protocol for protocol in TITLES if comparison.columns(protocol)]
        parts += [f"{TITLES[protocol]}\n\n{_table(comparison, protocol)}" for protocol in protocols]
        if any(method.knock_outs for method in comparison.methods):
            parts.append(f"{WITHOUT}\n\n{_knock_outs(comparison)}")
    return "\n\n".join(parts)


def _table(comparison: "Comparison", protocol: str) -> str:
    from utils.comparison import having
    from utils.tables import escape, markdown_table

    columns, rows = comparison.columns(protocol), []
    for method in having(comparison.methods, columns):
        cells = [_cell(method, score) for score in columns]
        label = escape(method.label) + (" *(reference)*" if method.is_reference else "")
        rows.append([label, str(len(method.results)), *cells, escape(method.told)])
        published = comparison.published(method)
        if published and protocol == ORIGINAL:
            rows.append(["*published*", "*5*", *(f"*{number:g}*" for number in published), ""])
    return markdown_table(["method", "seeds", *(score.title for score in columns), "told"], rows)


def _knock_outs(comparison: "Comparison") -> str:
    from utils.tables import escape, markdown_table

    rows = [
        [escape(method.label), escape(missing), *map(_number, means)]
        for method in comparison.methods
        for missing, means in method.knock_outs.items()
    ]
    return markdown_table(["method", "what is missing", "RMSE", "Jaccard generated", "ratio"], rows)


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits(value)}f}"


def _cell(method: "Method", score: Score) -> str:
    mean, half = method.mean(score), method.half_width(score)
    return _number(mean) + ("" if math.isnan(mean) or math.isnan(half) else f" ± {half:.{digits(mean)}f}")


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
