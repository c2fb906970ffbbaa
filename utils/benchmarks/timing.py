"""Fair timing on a busy machine: what is compared runs in turn, and the median counts."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median


def alternate(runs: int, *outputs: Path, pause: float = 0, **timed: Callable[[], object]) -> dict[str, float]:
    """Run several things in turn, several times.

    Args:
        runs: rounds; one more goes before and isn't counted.
        outputs: folders to remove before each run, outside the time.
        pause: seconds to wait before each run.
        timed: what to run, by name.

    Returns:
        Median seconds by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for round_ in range(runs + 1):
        for name, action in timed.items():
            for folder in outputs:
                shutil.rmtree(folder, ignore_errors=True)
            time.sleep(pause)
            start = time.perf_counter()
            action()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}
