"""Train an experiment: cloud removal or SAR-to-optical translation, as a YAML file describes it.

Run the same command again after an interruption: training goes on from the last checkpoint. See docs/experiments.md.
"""

import argparse
import sys
from pathlib import Path

from utils.cli import Parser, run, seed_argument


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--cfg", type=Path, required=True, metavar="FILE", help="experiment configuration (YAML)")
    parser.add_argument("--o", type=Path, required=True, metavar="DIR", help="folder of experiments")
    parser.add_argument("--device", metavar="IDS", help="GPUs: 0 or 0,1 or auto (default: cpu)")
    parser.add_argument("--experiment_name", metavar="NAME", help="folder inside --o (default: the experiment's name)")
    parser.add_argument("--seed", type=seed_argument, metavar="N", help="instead of the file's; the split stays")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="let results appear in DIR/NAME when all is done; an interrupted run goes on if the code is the same, too",
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Train."""
    from src.rsgan.devices import Devices
    from src.rsgan.training import train

    train(
        arguments.cfg,
        arguments.o,
        devices=Devices.parse(arguments.device),
        experiment_name=arguments.experiment_name,
        seed=arguments.seed,
        whole=arguments.whole,
    )


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
