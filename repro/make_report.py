"""Make the study's report: one web page, and the same as Markdown with its pictures and tables beside it.

Collects all scores below --experiments, at any depth, whatever is there: several seeds or one, networks or baselines.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    from utils.report.inputs import Preview

FRAMES_ACROSS = 4


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    folders = {
        "experiments": "folder of tested experiments and baselines",
        "classifiers": "folder of reference classifiers",
    }
    for name, words in folders.items():
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="DIR", help=words)
    parser.add_argument(
        "--data", type=Path, required=True, action="append", metavar="DIR", help="data set to show; may be repeated"
    )
    parser.add_argument("--params", type=Path, metavar="FILE", help="the study's parameters, shown as they are")
    parser.add_argument("--o", type=Path, required=True, metavar="DIR", help="folder of the report")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Report."""
    import tempfile

    from utils.errors import UsageError
    from utils.report import document
    from utils.report.classifiers import read_classifiers
    from utils.report.results import read_results

    document.check_output(arguments.o)
    if arguments.params and not arguments.params.is_file():
        raise UsageError(f"{arguments.params}: no such file; correct --params")
    datasets, classifiers = read_results(arguments.experiments), read_classifiers(arguments.classifiers)
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        previews = [preview(data, Path(folder) / f"{number}.png") for number, data in enumerate(arguments.data)]
        report = document.compose(datasets, classifiers, previews, arguments.params)
    document.write(report, datasets, arguments.o)


def preview(data: Path, picture: Path) -> "Preview":
    """Draw the first view of a data set.

    Args:
        data: folder of the views.
        picture: file to make.

    Returns:
        What there is to say about it.

    Raises:
        DataError: If there is no view, or it cannot be read.
    """
    from src.toygeneration.export import is_product, read_products
    from utils.errors import DataError
    from utils.files import natural
    from utils.preview import draw_sheet
    from utils.report.inputs import Preview

    views = sorted({path.parent.parent for path in data.glob("*/*/index.json")}, key=lambda path: natural(path.name))
    if not views:
        raise DataError(
            f"{data}: found no view (DIR/SEED/PRODUCT); run repro/toy-data/build_dataset.py, or correct --data"
        )
    products = read_products(path for path in sorted(views[0].iterdir()) if is_product(path))
    draw_sheet(products, picture, FRAMES_ACROSS)
    words = [
        (
            product.root.name,
            f"{len(product.steps)} frames of {shape.width} × {shape.height} pixels and {shape.nbands} bands",
        )
        for product in products
        for shape in [product.features]
    ]
    return Preview(data.resolve().name, views[0].name, len(views), words, picture)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
