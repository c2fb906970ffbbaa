"""Test an experiment: generate every test view's series, score it, and draw it.

Writes DIR/NAME/eval: test_scores.json, tables and pictures. See docs/evaluation.md.
"""

import argparse
import sys
from pathlib import Path

from utils.cli import Parser, run


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--cfg", type=Path, required=True, metavar="FILE", help="experiment configuration (YAML)")
    parser.add_argument("--o", type=Path, required=True, metavar="DIR", help="folder of experiments")
    parser.add_argument("--device", metavar="IDS", help="GPU: 0 or auto (default: cpu)")
    parser.add_argument(
        "--chkpt", type=Path, metavar="FILE", help="checkpoint (default: the file's, or DIR/NAME/checkpoints/best.ckpt)"
    )
    parser.add_argument("--classifier", type=Path, metavar="FILE", help="reference classifier (default: the file's)")
    parser.add_argument("--experiment_name", metavar="NAME", help="folder inside --o (default: the experiment's name)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Test."""
    from src.rsgan.devices import Devices
    from src.rsgan.testing import evaluate

    evaluate(
        arguments.cfg,
        arguments.o,
        devices=Devices.parse(arguments.device),
        chkpt=arguments.chkpt,
        classifier=arguments.classifier,
        experiment_name=arguments.experiment_name,
    )


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
