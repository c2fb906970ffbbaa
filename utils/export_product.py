"""Export products to formats that other tools read: NetCDF, Zarr, or Cloud Optimized GeoTIFFs.

A product becomes one xarray data set in FILE.nc or DIR.zarr, or with --format=cog a folder of GeoTIFFs, one for each
time step. A view, or any other folder that holds products, becomes one file with a group for each of them. Of several,
and of a data set, --o is the folder of the files, and --format says which. See docs/own_images.md.
"""

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, path_argument, progress_bar, run  # noqa: E402

FORMATS = ("nc", "zarr", "cog")


def build_parser() -> Parser:
    parser = Parser(__doc__)
    words = "folder of a product, a view or a data set"
    parser.add_argument("products", type=path_argument, nargs="+", metavar="PRODUCT", help=words)
    words = "FILE.nc, DIR.zarr, or the folder of what is made"
    parser.add_argument("--o", type=path_argument, required=True, metavar="PATH", help=words)
    parser.add_argument("--format", choices=FORMATS, help="of what is made in a folder")
    parser.add_argument("--overwrite", action="store_true", help="replace earlier exports")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.toygeneration.exchange.writing import export_products, find_products

    found = find_products(arguments.products)
    with progress_bar("Export", len(found)) as on_file:
        export_products(found, arguments.o, arguments.format, overwrite=arguments.overwrite, on_file=on_file)
    logging.getLogger(__name__).info("%s: %d exported", arguments.o, len(found))


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
