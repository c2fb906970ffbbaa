"""Test an experiment: generate every test view's series, score it, and draw it.

Writes DIR/NAME/eval: test_scores.json, tables and pictures. See docs/evaluation.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, options, run


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_files("experiment configuration (YAML)", "folder of experiments")
    parser.add_argument("--device", metavar="IDS", help="GPU: 0 or auto (default: cpu)")
    parser.add_argument(
        "--chkpt", type=Path, metavar="FILE", help="checkpoint (default: the file's, or DIR/NAME/checkpoints/best.ckpt)"
    )
    parser.add_argument(
        "--classifier",
        type=Path,
        action="append",
        metavar="PATH",
        help="reference classifier, or a folder of one or several; may be repeated (default: the file's)",
    )
    parser.add_argument(
        "--experiment_name",
        metavar="NAME",
        help="folder inside --o (default: that of the run of --chkpt, else the experiment's name)",
    )
    parser.add_argument(
        "--knock_outs", action="store_true", help="score also what is made without each product of the source"
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.rsgan.devices import Devices
    from src.rsgan.testing import evaluate

    chosen = options(arguments, "chkpt", "experiment_name", "knock_outs")
    devices = Devices.parse(arguments.device)
    evaluate(arguments.cfg, arguments.o, devices=devices, classifiers=arguments.classifier or (), **chosen)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
