"""Build a data set of toy views, in parallel.

Each view is a folder named by its seed, and holds the products that the task's configurations derive. Views that
exist are left as they are, so that an interrupted run is simply run again.
"""

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, number_of_jobs, run  # noqa: E402

if TYPE_CHECKING:
    from src.toygeneration.task import Task

CONFIG = ROOT / "src" / "toygeneration" / "config"
TASKS = ("cloud_removal", "sar_to_optical")
MOST_VIEWS = 1_000_000


def seeds(text: str) -> list[int]:
    """Read ranges and lists of seeds.

    Args:
        text: `1-250`, `3`, `1-10,40`.

    Returns:
        The seeds, each once, in order.

    Raises:
        argparse.ArgumentTypeError: If it is neither.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]+)\s*(?:-\s*([0-9]+)\s*)?", part, flags=re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < first + MOST_VIEWS:
            raise argparse.ArgumentTypeError(
                f"found {text!r}, expected seeds and ascending ranges such as 1-10,40, at most {MOST_VIEWS} in a range"
            )
        found.update(dict.fromkeys(range(first, last + 1)))
    return list(found)


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--task", required=True, choices=TASKS, help="which configurations, unless --cfg names others")
    parser.add_argument("--seeds", required=True, type=seeds, metavar="N-M,…", help="of the views: ranges and lists")
    parser.add_argument("--o", required=True, type=Path, metavar="DIR", help="folder of the data set")
    parser.add_argument("--cfg", type=Path, metavar="DIR", help=f"default: {CONFIG.relative_to(ROOT)}/TASK")
    parser.add_argument("--njobs", type=number_of_jobs, default=-1, metavar="N", help="local workers (default: cores)")
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster, instead of local workers")
    parser.add_argument("--overwrite", action="store_true", help="make views that exist again")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="let DIR appear, which must not exist, when all is done; an interrupted run goes on unless code changed",
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Build."""
    from src.toygeneration.task import Task
    from src.toygeneration.views import build_views
    from utils.errors import RunError
    from utils.progress_bar import progress_bar

    task = Task.load(arguments.cfg or CONFIG / arguments.task)
    task.check()
    with place(task, arguments) as folder, progress_bar("Views", len(arguments.seeds)) as on_view:
        failures = build_views(
            task,
            folder,
            arguments.seeds,
            njobs=arguments.njobs,
            scheduler=arguments.scheduler,
            overwrite=arguments.overwrite,
            on_view=on_view,
        )
        if failures:
            failed = ", ".join(map(str, sorted(failures)))
            raise RunError(
                f"{arguments.o}: {len(failures)} of {len(arguments.seeds)} views failed (seeds {failed}); "
                "mend what the lines above say and run the same command again"
            )


def place(task: "Task", arguments: argparse.Namespace) -> contextlib.AbstractContextManager[Path]:
    """Choose the folder to work in.

    Args:
        task: the products of a view.
        arguments: the command line.

    Returns:
        What gives the folder when it is entered: the data set's own, or one beside it.

    Raises:
        UsageError: If the data set should appear whole, but something stands there already.
    """
    from utils.errors import UsageError
    from utils.resumable import resumable

    if not arguments.whole:
        return contextlib.nullcontext(arguments.o)
    if arguments.o.exists():
        raise UsageError(
            f"{arguments.o}: already there, and --whole makes data sets as a whole; remove it or drop --whole"
        )
    recipe = {name: task.provenance(0, name) for name in task.derivations}
    return resumable(arguments.o, {"recipe": recipe, "seeds": arguments.seeds})


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
