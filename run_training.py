"""Train an experiment: cloud removal or SAR-to-optical translation, as a YAML file describes it.

Run the same command again after an interruption: training goes on from the last checkpoint. See docs/experiments.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, options, run, seed_argument


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_files("experiment configuration (YAML)", "folder of experiments")
    parser.add_argument("--device", metavar="IDS", help="GPUs: 0 or 0,1 or auto (default: cpu)")
    parser.add_argument("--experiment_name", metavar="NAME", help="folder inside --o (default: the experiment's name)")
    parser.add_argument("--seed", type=seed_argument, metavar="N", help="instead of the file's; the split stays")
    parser.add_argument("--overwrite", action="store_true", help="replace other work in DIR/NAME, its scores too")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.rsgan.devices import Devices
    from src.rsgan.training import train

    devices = Devices.parse(arguments.device)
    train(arguments.cfg, arguments.o, devices=devices, **options(arguments, "experiment_name", "seed", "overwrite"))


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
