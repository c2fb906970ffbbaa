"""Make a product of what a checkpoint generates from others, of which no truth need be known.

Products may have frames of any size, and steps without one. Standard deviations, where the experiment gives them, are a
product of their own, DIR_std. See docs/open.md.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, options, path_argument, run  # noqa: E402


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_files("configuration of the experiment (YAML)", "folder of the product to make")
    folder = {"type": path_argument, "required": True}
    parser.add_argument("--chkpt", metavar="FILE", help="checkpoint of the experiment", **folder)
    products = "source; repeated in the order of dataset.sources"
    parser.add_argument("--product", dest="products", action="append", metavar="DIR", help=products, **folder)
    parser.add_argument("--device", metavar="IDS", help="GPU: 0 or auto (default: cpu)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing product")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.rsgan.devices import Devices
    from src.rsgan.predicting import predict

    chosen = options(arguments, "chkpt", "products", "overwrite")
    predict(arguments.cfg, out=arguments.o, devices=Devices.parse(arguments.device), **chosen)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
