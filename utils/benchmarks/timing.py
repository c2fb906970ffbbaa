"""Fair timing on a busy machine: what is compared runs in turn, and the median counts."""

import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

from utils.cli import Parser

Result = TypeVar("Result")


def benchmark_parser(description: str | None, *, runs: int, writes: bool = False) -> Parser:
    parser = Parser(description)
    parser.add_argument("--runs", type=int, default=runs, metavar="N", help="runs of each (default: %(default)s)")
    if writes:
        parser.add_argument("--o", type=Path, metavar="DIR", help="folder for temporary files (default: the system's)")
    return parser


def in_turn(runs: int, actions: Mapping[str, Callable[[], Result]]) -> dict[str, list[Result]]:
    """Run several things in turn, several times, and collect what they give, by name."""
    results: dict[str, list[Result]] = {name: [] for name in actions}
    for _ in range(runs):
        for name, action in actions.items():
            results[name].append(action())
    return results


def median_seconds(
    runs: int, actions: Mapping[str, Callable[[], object]], *, outputs: Sequence[Path] = (), pause: float = 0
) -> dict[str, float]:
    """Time several things, by name.

    Args:
        runs: of each; one more goes before and isn't counted.
        outputs: folders to remove before each run, outside the time.
        pause: seconds to wait before each run.
    """

    def seconds(action: Callable[[], object]) -> float:
        for folder in outputs:
            shutil.rmtree(folder, ignore_errors=True)
        time.sleep(pause)
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    timed = in_turn(runs + 1, {name: lambda action=action: seconds(action) for name, action in actions.items()})
    return {name: median(values[1:]) for name, values in timed.items()}


def peak_memory() -> float:
    """How much memory this process has taken at most, in MiB. Not what `getrusage` says, which a child inherits."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for row in (head, ["---"] * len(head)):
        print(f"| {' | '.join(row)} |")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
