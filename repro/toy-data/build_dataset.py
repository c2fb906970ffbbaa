"""Build a data set of toy views, in parallel.

Each view is a folder named by its seed, and holds the products that the task's configurations derive. Views that
exist are left as they are, so that an interrupted run is simply run again. DIR/identity.json says what they were made
from; views of anything else are never mixed with them.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, number_of_jobs, numbers_argument, options, progress_bar, run  # noqa: E402

CONFIG = ROOT / "src" / "toygeneration" / "config"


def build_parser() -> Parser:
    parser = Parser(__doc__)
    parser.add_argument("--task", required=True, help="cloud_removal or another folder of configurations")
    words = "of the views: ranges and lists"
    parser.add_argument("--seeds", required=True, type=numbers_argument, metavar="N-M,…", help=words)
    words = f"folder of configurations (default: {CONFIG.relative_to(ROOT)}/TASK)"
    parser.add_files(words, "folder of the data set", metavar="PATH", required=False)
    parser.add_argument("--njobs", type=number_of_jobs, default="-1", metavar="N", help="workers (default: cores)")
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster, instead of local workers")
    parser.add_argument("--overwrite", action="store_true", help="remove views of other configurations or seeds")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.toygeneration.dataset.recipe import Recipe
    from src.toygeneration.dataset.views import build_views
    from utils.errors import RunError

    given = arguments.cfg or []
    folder = next((path for path in given if path.is_dir()), CONFIG / arguments.task)
    recipe = Recipe.load(folder, *(path for path in given if path != folder))
    with progress_bar("Views", len(arguments.seeds)) as on_view:
        how = options(arguments, "njobs", "scheduler", "overwrite")
        failures = build_views(recipe, arguments.o, arguments.seeds, **how, on_view=on_view)
    if failures:
        failed = ", ".join(map(str, sorted(failures)))
        raise RunError(
            f"{arguments.o}: {len(failures)} of {len(arguments.seeds)} views failed (seeds {failed}); "
            "mend what the lines above say and run the same command again"
        )


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
