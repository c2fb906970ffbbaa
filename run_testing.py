"""Test an experiment: generate every test view's series, score it, and draw it. Or score anyone's predictions.

Writes DIR/NAME/eval: test_scores.json, tables and pictures. See docs/evaluation.md and docs/open.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # before whatever the caller's settings put there

from utils.cli import Parser, options, path_argument, run
from utils.scores import SCALES, SEES


def build_parser() -> Parser:
    parser = Parser(__doc__)
    out = parser.add_files("experiment configuration (YAML)", "folder of experiments")
    out.required = False  # of a list
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
    saved = "new folder for what is generated, a file for each view"
    parser.add_argument("--save-predictions", type=path_argument, metavar="DIR", help=saved)
    foreign = parser.add_argument_group("somebody's predictions, in place of a network's")
    given = "folder of them: VIEW.nc, VIEW.zarr, VIEW.h5 or VIEW.npz of each test view; needs --experiment_name"
    foreign.add_argument("--predictions", type=path_argument, metavar="DIR", help=given)
    scale = "what their values are (default: reflectance, which is checked)"
    foreign.add_argument("--scale", choices=SCALES, help=scale)
    sees = "they are made of the sources and opacity of the configuration, each frame from one frame or from the series"
    foreign.add_argument("--sees", choices=SEES, help=sees + " (default: unknown)")
    listed = "print what they must hold, and do nothing else"
    foreign.add_argument("--predictions-list", action="store_true", help=listed)
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.rsgan.devices import Devices
    from src.rsgan.predictions import Submission, describe_predictions
    from src.rsgan.testing import evaluate
    from utils.errors import UsageError

    if arguments.predictions_list:
        print(describe_predictions(arguments.cfg), end="")
        return
    if arguments.o is None:
        raise UsageError("--o: missing, expected the folder of experiments")
    if not arguments.predictions and (arguments.scale or arguments.sees):
        raise UsageError("--scale, --sees: found one of them without --predictions; leave it out")
    submission = arguments.predictions and Submission(arguments.predictions, arguments.scale, arguments.sees)
    chosen = options(arguments, "chkpt", "experiment_name", "knock_outs", "save_predictions")
    chosen |= {"classifiers": arguments.classifier or (), "submission": submission}
    evaluate(arguments.cfg, arguments.o, devices=Devices.parse(arguments.device), **chosen)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
