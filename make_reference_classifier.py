"""Make the reference classifiers of a data set: pixel series to land cover, learnt from real training frames.

Writes DIR/classifier.npz, DIR/scores.json and DIR/confusion_matrix.png; of several classifiers, into DIR/NAME each.
They serve every experiment on the data set. See docs/evaluation.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, number_of_jobs, run


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_files("experiment configuration (YAML)", "folder of the classifiers (or file, of one)")
    parser.add_argument("--njobs", type=number_of_jobs, default="-1", metavar="N", help="cores to use (default: all)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.rsgan.evaluation.reference import make_reference_classifier

    make_reference_classifier(arguments.cfg, arguments.o, njobs=arguments.njobs)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
