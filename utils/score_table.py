"""Collect the test_scores.json of several experiments and seeds into one table, as Markdown and as CSV.

Each row is a method, under the name of its folder: means over its seeds, ± the half-width of their 95 % confidence
interval (Student's t) where there are two or more; the CSV files have all intervals, over test views where there is one
seed. References, which compete with nobody, stand last. Published figures
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

from utils.cli import Parser, options, run  # noqa: E402
from utils.scores import (  # noqa: E402
    JUDGES,
    KNOCKED_OUT,
    ORIGINAL,
    REFERENCES,
    REFLECTANCE,
    SCORES,
    TITLES,
    UNCERTAINTY,
    digits,
)

WITHOUT = "What scores rest on: without a product of the source, or with that of another view"

if TYPE_CHECKING:
    from utils.comparison import Comparison
    from utils.intervals import Interval


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument(
        "scores", type=Path, nargs="+", metavar="PATH", help=f"{SCORES}, or a folder in which to look for such files"
    )
    parser.add_argument("--o", type=Path, metavar="DIR", help="folder for the table and the CSV files (default: print)")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="folder for the CSV files alone, such as docs' tables")
    parser.add_argument("--each_seed", action="store_true", help="a row for each seed, NAME/SEED, in place of means")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from utils.comparison import compare
    from utils.results import find_scores

    files = dict.fromkeys(file for path in arguments.scores for file in find_scores(path))
    comparisons = compare(files, **options(arguments, "each_seed"))
    if arguments.o:
        write(comparisons, arguments.o)
    if arguments.csv:
        write_tables(comparisons, arguments.csv)
    if not (arguments.o or arguments.csv):
        print(markdown(comparisons))


def write(comparisons: "Sequence[Comparison]", folder: Path) -> None:
    from utils.files import new_file

    with new_file(folder / "scores.md") as temporary:
        temporary.write_text(markdown(comparisons) + "\n", encoding="utf-8")
    write_tables(comparisons, folder)


def write_tables(comparisons: "Sequence[Comparison]", folder: Path) -> None:
    from utils.tables import write_csv

    knock_outs = [row for comparison in comparisons for row in _knock_out_records(comparison)]
    write_csv(folder / "scores.csv", [row for comparison in comparisons for row in _records(comparison)])
    if knock_outs:
        write_csv(folder / "knock_outs.csv", knock_outs)
    gains = [row for comparison in comparisons for row in _gain_records(comparison)]
    if gains:
        write_csv(folder / "gains.csv", gains)


def _records(comparison: "Comparison") -> Iterator[dict[str, Any]]:
    """Rows of the CSV file: each score of each method with its interval, NaN where undefined."""
    columns = [
        score for protocol in (ORIGINAL, REFLECTANCE, JUDGES, UNCERTAINTY) for score in comparison.columns(protocol)
    ]
    for method in comparison.methods:
        about = method.about
        row = {"method": method.label, "dataset": about.dataset, "test_series": about.test_series}
        row |= {"experiment": about.experiment, "kind": about.kind, "told": method.told, "seeds": len(method.results)}
        for score in columns:
            row |= method.interval(score).cells(score.key)
        yield row


def _knock_out_records(comparison: "Comparison") -> Iterator[dict[str, Any]]:
    for method in comparison.methods:
        about = {"method": method.label, "dataset": method.about.dataset, "kind": method.about.kind}
        for missing, scores in method.knock_outs.items():
            row = about | {"missing": missing, "seeds": len(method.results)}
            for key, score in zip(KNOCKED_OUT, scores, strict=True):
                row |= score.cells(key)
            yield row


def _gain_records(comparison: "Comparison") -> Iterator[dict[str, Any]]:
    for method, reference, judge, found in comparison.gains():
        row = {"method": method.label, "dataset": method.about.dataset, "kind": method.about.kind, "judge": judge}
        yield row | {"above": reference.about.kind, "which": reference.label} | found.cells("gain")


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
        seeds = len(method.results)
        cells = [in_words(method.interval(score), seeds) for score in columns]
        rows.append([titled(method.label, method.about.kind), str(seeds), *cells, escape(method.told)])
        published = comparison.published(method)
        if published and protocol == ORIGINAL:
            rows.append(["*published*", "*5*", *(f"*{number:g}*" for number in published), ""])
    return markdown_table(["method", "seeds", *(score.title for score in columns), "told"], rows)


def _knock_outs(comparison: "Comparison") -> str:
    from utils.tables import escape, markdown_table

    rows = [
        [escape(method.label), escape(missing), *(_number(score.mean) for score in scores)]
        for method in comparison.methods
        for missing, scores in method.knock_outs.items()
    ]
    return markdown_table(["method", "what is missing", "RMSE", "Jaccard generated", "ratio"], rows)


def titled(method: str, kind: str) -> str:
    from utils.tables import escape

    return escape(method) + (" *(reference)*" if kind in REFERENCES else "")


def in_words(found: "Interval", seeds: int, *, of_views: bool = False) -> str:
    """Write a score with its interval: `± half` over seeds, and `[low, high]` over test views if that is asked for."""
    places = digits(found.mean)
    if not math.isfinite(found.high - found.low):
        return _number(found.mean)
    if seeds > 1:
        return f"{_number(found.mean)} ± {(found.high - found.low) / 2:.{places}f}"
    return _number(found.mean) + (f" [{found.low:.{places}f}, {found.high:.{places}f}]" if of_views else "")


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits(value)}f}"


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
