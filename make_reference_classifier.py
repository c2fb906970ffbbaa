"""Make the reference classifier of a data set: pixel series to land cover, learnt from real training frames.

Writes DIR/classifier.npz, DIR/scores.json and DIR/confusion_matrix.png. One classifier serves every experiment on
the data set. See docs/evaluation.md.
"""

import argparse
import os
import sys
from pathlib import Path

from utils.cli import Parser, number_of_jobs, run


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--cfg", type=Path, required=True, metavar="FILE", help="experiment configuration (YAML)")
    parser.add_argument("--o", type=Path, required=True, metavar="DIR", help="folder (or file) of the classifier")
    parser.add_argument("--njobs", type=number_of_jobs, default=-1, metavar="N", help="cores to use (default: all)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Make it."""
    from src.rsgan.evaluation.reference import make_reference_classifier

    njobs = arguments.njobs if arguments.njobs > 0 else os.cpu_count() or 1
    make_reference_classifier(arguments.cfg, arguments.o, njobs=njobs)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
