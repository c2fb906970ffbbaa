"""Write the tables of pages in Markdown anew, each from the CSV file that an HTML comment above it names.

The comment starts with `<!-- table` and holds, in YAML,

    file: results/rehearsal/scores.csv  # beside the page
    where: {dataset: toy_cloud_removal, kind: [network, baseline]}  # what rows have in columns; all rows without
    columns: [method, rmse, jaccard_ratio_minirocket: "ratio, minirocket"]  # and their titles, where these differ
    rows: [sequence_toy: nothing]  # by the first column, and their titles; by default all, in the file's order
    across: value  # the last column once for each value of this one
    intervals: true  # of scores of one seed too, over test views

Of a score, which has its interval in two columns more, as many decimals are shown as scores.md has; other cells are
shown as they are.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument("pages", type=Path, nargs="+", metavar="PAGE", help="a file in Markdown, which is written anew")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from utils.files import new_file
    from utils.page_tables import fill

    for page, text in {page: fill(page) for page in arguments.pages}.items():
        with new_file(page) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
