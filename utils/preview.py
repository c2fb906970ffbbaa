"""Draw products: a contact sheet with time steps across and products down, and optionally an animation.

Each product shows its instances, its classes and its frames; the opacity of its clouds, where it has them, in a
second row (black clear, white opaque). Frames are shown from reflectance 0 to 1: red, green and blue for three
bands, first, middle and last band for more, grey for fewer.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    from src.toygeneration.export import ProductDataset

FRAMES_ACROSS = 8
CELL_PIXELS = 256
DPI = 100
MILLISECONDS = 200


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("products", type=Path, nargs="+", metavar="PRODUCT", help="folder of a product")
    parser.add_argument("--o", type=Path, required=True, metavar="FILE", help="picture to make (.png or .jpg)")
    parser.add_argument(
        "--gif", type=Path, nargs="?", const=True, metavar="FILE", help="also make an animation (default: beside --o)"
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=FRAMES_ACROSS,
        metavar="N",
        help="number of time steps shown (default: %(default)s)",
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Draw."""
    from src.toygeneration.export import read_products
    from utils.errors import UsageError

    if arguments.steps < 1:
        raise UsageError(f"--steps: found {arguments.steps}, expected 1 or more")
    gif = arguments.o.with_suffix(".gif") if arguments.gif is True else arguments.gif
    for path, suffixes in ((arguments.o, (".png", ".jpg")), (gif, (".gif",))):
        if path and path.suffix not in suffixes:
            raise UsageError(f"{path}: found a name that ends in {path.suffix!r}, expected {' or '.join(suffixes)}")
    products = read_products(arguments.products)
    draw_sheet(products, arguments.o, arguments.steps)
    if gif:
        draw_animation(products, gif)


def draw_sheet(products: "list[ProductDataset]", path: Path, across: int) -> None:
    """Draw the contact sheet.

    Args:
        products: what to show, from top to bottom.
        path: file to make.
        across: number of time steps shown, equally spaced.
    """
    import numpy as np
    from matplotlib.figure import Figure

    from utils.files import new_file
    from utils.pictures import colour_labels, to_picture

    steps = sorted({step for product in products for step in product.steps})
    steps = [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, across).round().astype(int))]
    rows = [
        (product, kind) for product in products for kind in (["frame", "cloud"] if product.has_clouds else ["frame"])
    ]
    columns = len(steps) + 2
    side = CELL_PIXELS / DPI
    figure = Figure(figsize=(columns * side, len(rows) * side * 1.12), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for line, (product, kind) in zip(axes, rows, strict=True):
        if kind == "frame":
            instances, classes = np.moveaxis(product.annotation(product.steps[0]), -1, 0)
            line[0].imshow(
                colour_labels(instances, max(product.features.ndigit, instances.max())), interpolation="nearest"
            )
            line[0].set_title(f"{product.root.name}: instances", loc="left")
            line[1].imshow(colour_labels(classes, classes.max()), interpolation="nearest")
            line[1].set_title("classes", loc="left")
        for axis, step in zip(line[2:], steps, strict=True):
            if step not in product.steps:
                continue
            if kind == "cloud":
                axis.imshow(product.cloud(step), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                axis.set_title(f"opacity, step {step}", loc="left")
            else:
                axis.imshow(to_picture(product.frame(step)), interpolation="nearest")
                axis.set_title(f"step {step}", loc="left")
    with new_file(path) as temporary:
        figure.savefig(temporary)


def draw_animation(products: "list[ProductDataset]", path: Path) -> None:
    """Draw all time steps as an animation, products side by side.

    Args:
        products: what to show, from left to right. Where one has no frame at a step, its last one stays.
        path: file to make.
    """
    import numpy as np
    from PIL import Image

    from utils.files import new_file
    from utils.pictures import to_picture

    height = max(product.features.height for product in products)
    width = max(product.features.width for product in products)
    shown = [np.zeros((height, width, 3), np.uint8) for _ in products]
    images = []
    for step in range(max(len(product) for product in products)):
        for place, product in enumerate(products):
            if step in product.steps:
                shown[place] = np.asarray(Image.fromarray(to_picture(product.frame(step))).resize((width, height), 0))
        images.append(Image.fromarray(np.concatenate(shown, axis=1)))
    with new_file(path) as temporary:
        images[0].save(temporary, save_all=True, append_images=images[1:], duration=MILLISECONDS, loop=0)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
