"""Derive a degraded product: what a sensor would see of a synthetic scene.

Clouds, distortion, point spread function and speckle are described by a YAML file; see docs/derivation.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, options, run, seed_argument


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_files("derivation configuration (YAML)", "folder of the product to make")
    parser.add_argument("--product", type=Path, metavar="DIR", help="source, instead of latent_product_path")
    parser.add_argument("--seed", type=seed_argument, metavar="N", help="instead of the configuration's seed")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing product")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.toygeneration.run import derive

    derive(arguments.cfg, arguments.o, **options(arguments, "product", "seed", "overwrite"))


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
