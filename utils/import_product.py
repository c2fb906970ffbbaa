"""Import a series of real images as a latent product, from which run_toy_derivation.py and whole studies start.

IMAGES is a folder of rasters such as GeoTIFFs, whose names say when they were taken (--pattern), a NetCDF file or Zarr
store, or an array (T, H, W, C) of NumPy in an .npy file. With --tile, DIR holds a product for each tile of the scene,
named by its number, and split.yaml, which says which train, validate and test. See docs/own_images.md.
"""

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, path_argument, progress_bar, run, seed_argument  # noqa: E402

# Settings by option: how they are read, what stands for a value, and what they mean.
SETTINGS = {
    "pattern": (str, "TEXT", "names of the rasters: 'S2_{date:%%Y%%m%%d}*.tif'; also {step} and {band}"),
    "variable": (str, "NAME", "of a NetCDF file or Zarr store; of a group: GROUP/NAME"),
    "bands": (list, "N,…", "that are kept, in this order: numbers from 1, or names (default: all)"),
    "scale": (float, "X", "reflectance is scale · value + offset (default: 1)"),
    "offset": (float, "X", "(default: 0)"),
    "nodata": (float, "X", "value of pixels without one (default: what the files say)"),
    "masks": (str, "TEXT", "pixels to leave out: a pattern, variable or .npy file, as the images are"),
    "masked": (list, "N,…", "values of masks that leave a pixel out (default: all but 0)"),
    "label_field": (str, "NAME", "class of the polygons"),
    "instance_field": (str, "NAME", "parcel of the polygons (default: each is one)"),
    "classes": (list, "NAME,…", "what is class 1, 2 and so on; other labels are background"),
    "fill": (str, "HOW", "pixels without a value: null (leave out their time step), previous or linear in time"),
    "tile": (int, "N", "side of the views that the scene is cut into, pixels (default: one product)"),
    "block": (int, "N", "side of what is assigned to a split as a whole, tiles (default: up to 4)"),
    "shares": (list, "X,X,X", "of training, validation and testing (default: 0.7,0.15,0.15)"),
}
NUMBERS = {"masked": int, "shares": float}  # what lists hold that aren't of text


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument("images", type=path_argument, metavar="IMAGES", help="folder or file of the series")
    words = "folder of the product, or of the views"
    parser.add_argument("--o", type=path_argument, required=True, metavar="DIR", help=words)
    parser.add_argument("--labels", type=path_argument, metavar="FILE", help="raster of classes, or polygons")
    words = "raster of parcels (default: connected pixels of a class)"
    parser.add_argument("--instances", type=path_argument, metavar="FILE", help=words)
    for name, (kind, metavar, words) in SETTINGS.items():
        read = str if kind is list else kind
        parser.add_argument(f"--{name.replace('_', '-')}", type=read, metavar=metavar, help=words)
    parser.add_argument("--seed", type=seed_argument, metavar="N", help="of the split (default: 0)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing product, or earlier views")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.toygeneration.exchange.importing import Images, import_scene, import_tiles
    from src.toygeneration.exchange.settings import ImportConfig
    from utils import config
    from utils.errors import UsageError

    given = {name: getattr(arguments, name) for name in (*SETTINGS, "seed")}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given.keys() & {name for name, (kind, *_) in SETTINGS.items() if kind is list}:
        try:
            given[name] = tuple(map(NUMBERS.get(name, str), given[name].split(",")))
        except ValueError as error:
            raise UsageError(f"--{name}: found {given[name]!r}, expected numbers such as 1,2") from error
    settings = config.validate(ImportConfig, given, "command line")
    images = Images.open(arguments.images, settings, arguments.labels, arguments.instances)
    scene, overwrite = images.scene, arguments.overwrite
    if settings.tile is None:
        with progress_bar("Import", scene.horizon) as step:
            made = import_scene(images, arguments.o, overwrite=overwrite, on_step=step)
    else:
        with progress_bar("Import", (scene.height // settings.tile) * (scene.width // settings.tile)) as step:
            made = import_tiles(images, arguments.o, overwrite=overwrite, on_tile=step)
    logging.getLogger(__name__).info("%s: %s", arguments.o, made)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
