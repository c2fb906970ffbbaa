"""Make the reference classifier of a data set: pixel series to land cover, learnt from real training frames.

Writes DIR/classifier.npz, DIR/scores.json and DIR/confusion_matrix.png. One classifier serves every experiment on
the data set. See docs/evaluation.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, number_of_jobs, run


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_configuration("experiment configuration (YAML)", required=True)
    parser.add_argument("--o", type=Path, required=True, metavar="DIR", help="folder (or file) of the classifier")
    parser.add_argument("--njobs", type=number_of_jobs, default="-1", metavar="N", help="cores to use (default: all)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Make it."""
    from src.rsgan.evaluation.reference import make_reference_classifier

    make_reference_classifier(arguments.cfg, arguments.o, njobs=arguments.njobs)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
