"""Generate a synthetic imagery product: land parcels animated by real time series.

The scene, the time series and the texture are described by a YAML file; see docs/generation.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, options, run, seed_argument


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_files("generation configuration (YAML)", "folder of the product to make")
    parser.add_argument("--seed", type=seed_argument, metavar="N", help="instead of the configuration's seed")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing product")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.toygeneration.run import generate

    generate(arguments.cfg, arguments.o, **options(arguments, "seed", "overwrite"))


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
