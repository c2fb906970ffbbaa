"""Collect the test_scores.json of several experiments and seeds into one table, as Markdown and as CSV.

Each row is an experiment: means over its seeds, ± the half-width of their 95 % confidence interval (Student's t) where
there are two or more. Published figures stand beside those of experiments on data of the published size.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402
from utils.scores import SCORES  # noqa: E402


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
    from utils.score_files import markdown, write

    comparisons = compare(dict.fromkeys(file for path in arguments.scores for file in find_scores(path)))
    if arguments.o is None:
        print(markdown(comparisons))
    else:
        write(comparisons, arguments.o)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
