"""Make the report: one self-contained web page with everything, and tables of all scores beside it.

Of a study, it holds exactly what the parameters name. By hand, it holds whatever lies below the given folders: several
seeds or one, networks or baselines.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    from src.report.page import Preview

FRAMES_ACROSS = 4


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument(
        "--study", type=Path, metavar="FILE", help="parameters of a study, instead of the folders below"
    )
    folders = {
        "experiments": "folder of tested experiments and baselines, or of one; may be repeated",
        "classifiers": "folder of reference classifiers",
        "data": "data set to show; may be repeated",
    }
    for name, words in folders.items():
        parser.add_argument(f"--{name}", type=Path, action="append", metavar="DIR", help=words)
    parser.add_argument("--o", type=Path, required=True, metavar="DIR", help="folder of the report")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.report import page
    from utils.errors import UsageError

    by_hand = (arguments.experiments, arguments.classifiers, arguments.data)
    if arguments.study and not any(by_hand):
        inputs = page.of_study(arguments.study)
    elif all(by_hand) and not arguments.study:
        inputs = page.below(*by_hand)
    else:
        raise UsageError("expected either --study, or all of --experiments, --classifiers and --data")
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        previews = [preview(data, Path(folder) / f"{number}.png") for number, data in enumerate(inputs.data)]
        page.write(inputs, previews, arguments.o)


def preview(data: Path, picture: Path) -> "Preview":
    """Draw the first view of a data set into a file."""
    from src.report.page import Preview
    from src.toygeneration.export import is_product, read_products
    from utils.errors import DataError
    from utils.files import natural
    from utils.preview import draw_sheet

    views = sorted(
        {path.parent.parent for path in data.glob("[!.]*/*/index.json")}, key=lambda path: natural(path.name)
    )
    if not views:
        raise DataError(
            f"{data}: found no view (DIR/SEED/PRODUCT); run repro/toy-data/build_dataset.py, or correct --data"
        )
    products = read_products(path for path in sorted(views[0].iterdir()) if is_product(path))
    draw_sheet(products, picture, FRAMES_ACROSS)
    clouds = any(product.has_clouds for product in products)
    shapes = [(product.root.name, len(product.steps), product.features) for product in products]
    words = "; ".join(
        f"{name}: {steps} frames of {shape.width} × {shape.height} pixels and {shape.nbands} bands"
        for name, steps, shape in shapes
    )
    return Preview(data.resolve().name, views[0].name, len(views), words, clouds, picture)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
