"""Draw products: a contact sheet with time steps across and products down, and optionally an animation.

Each product shows its instances, its classes and its frames; in rows of their own, where it has them, the opacity of
its clouds (black clear, white opaque) and their shadows (white where they take all light). Frames are shown from
reflectance 0 to 1, or to what their titles say where a product is dark: red, green and blue for three bands, first,
middle and last band for more, grey for fewer.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402
from utils.number_lists import equally_spaced  # noqa: E402

if TYPE_CHECKING:
    from src.toygeneration.export import ProductDataset
    from src.toygeneration.frames import Frame, Opacity
    from utils.colours import Picture

FRAMES_ACROSS = 8
CELL_PIXELS = 256
DPI = 100
MOST_CELLS = 400
MILLISECONDS = 200


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument("products", type=Path, nargs="+", metavar="PRODUCT", help="folder of a product")
    parser.add_argument("--o", type=Path, required=True, metavar="FILE", help="picture to make (.png or .jpg)")
    parser.add_argument(
        "--gif", type=Path, nargs="?", const=True, metavar="FILE", help="also make an animation (default: beside --o)"
    )
    steps = "number of time steps shown (default: %(default)s)"
    parser.add_argument("--steps", type=int, default=FRAMES_ACROSS, metavar="N", help=steps)
    return parser


def main(arguments: argparse.Namespace) -> None:
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
    """Draw the contact sheet: products from top to bottom, some equally spaced time steps from left to right."""
    import numpy as np
    from matplotlib.figure import Figure

    from utils.colours import show_row
    from utils.errors import UsageError
    from utils.files import new_file

    steps = equally_spaced(sorted({step for product in products for step in product.steps}), across)
    rows = [(product, kind) for product in products for kind in kinds_of(product)]
    columns = len(steps) + 2
    if columns * len(rows) > MOST_CELLS:
        raise UsageError(
            f"--steps: found {columns} x {len(rows)} pictures, expected at most {MOST_CELLS} on a sheet; lower it, or "
            "draw fewer products at once"
        )
    side = CELL_PIXELS / DPI
    figure = Figure(figsize=(columns * side, len(rows) * side * 1.12), dpi=DPI, layout="compressed")
    for axes, (product, kind) in zip(figure.subplots(len(rows), squeeze=False).ravel(), rows, strict=True):
        titles, pictures = zip(*cells(product, kind, steps), strict=True)
        show_row(axes, np.stack(pictures), titles)
    with new_file(path) as temporary:
        figure.savefig(temporary)


def kinds_of(product: "ProductDataset") -> list[str]:
    return ["frame", *["cloud"] * product.has_clouds, *["shadow"] * product.has_shadows]


def white_for(product: "ProductDataset", kind: str) -> float:
    """What a product shows as white: 1 of masks, of frames a reflectance, by what some have below white clouds."""
    if kind != "frame":
        return 1

    import numpy as np

    from utils.brightness import white_of

    samples = [product[step] for step in equally_spaced(product.steps, FRAMES_ACROSS)]
    ground = [
        uncovered(sample["frame"], sample["cloud"]) if "cloud" in sample else sample["frame"] for sample in samples
    ]
    return white_of(np.concatenate([values.ravel() for values in ground]))


def uncovered(frame: "Frame", opacity: "Opacity") -> "Frame":
    """The values `(n, C)` below clouds that are white, where they are thin."""
    thin = opacity < 0.5
    return (frame[thin] - opacity[thin, None]) / (1 - opacity[thin, None])


def picture_of(product: "ProductDataset", kind: str, step: int, white: float) -> "Picture":
    from utils.colours import to_picture

    if kind == "frame":
        return to_picture(product.frame(step) / white)
    return to_picture((product.cloud if kind == "cloud" else product.shadow)(step)[..., None])


def cells(product: "ProductDataset", kind: str, steps: Iterable[int]) -> "Iterator[tuple[str, Picture]]":
    """A line of the sheet: instances and classes of a product's first step, and some steps; each with a title."""
    import numpy as np

    from utils.colours import WHITE, colour_labels

    blank = np.full((product.features.height, product.features.width, 3), WHITE, np.uint8)
    if kind == "frame":
        instances, classes = np.moveaxis(product.annotation(product.steps[0]), -1, 0)
        yield f"{product.root.name}: instances", colour_labels(instances, max(product.features.ndigit, instances.max()))
        yield "classes", colour_labels(classes, max(1, classes.max()))
    else:
        yield from [("", blank)] * 2
    white = white_for(product, kind)
    title = {"frame": "" if white == 1 else f"white: {white:g}, ", "cloud": "opacity, ", "shadow": "shadow, "}[kind]
    for step in steps:
        there = step in product.steps
        yield (f"{title}step {step}", picture_of(product, kind, step, white)) if there else ("", blank)


def draw_animation(products: "list[ProductDataset]", path: Path) -> None:
    """Draw all time steps, products side by side, each with its masks; where one has no frame, its last one stays."""
    import numpy as np
    from PIL import Image

    from utils.files import new_file

    height = max(product.features.height for product in products)
    width = max(product.features.width for product in products)
    places = [(product, kind, white_for(product, kind)) for product in products for kind in kinds_of(product)]
    shown = [np.zeros((height, width, 3), np.uint8) for _ in places]
    images = []
    for step in range(max(len(product) for product in products)):
        for place, (product, kind, white) in enumerate(places):
            if step in product.steps:
                picture = Image.fromarray(picture_of(product, kind, step, white))
                shown[place] = np.asarray(picture.resize((width, height), 0))
        images.append(Image.fromarray(np.concatenate(shown, axis=1)))
    with new_file(path) as temporary:
        images[0].save(temporary, save_all=True, append_images=images[1:], duration=MILLISECONDS, loop=0)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
