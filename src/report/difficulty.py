"""How methods fare as one key of the data takes other values: the table, and charts with intervals."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.report.charts import Chart, Line, draw_lines
from src.report.estimates import RATIO, RMSE, without_generation
from src.report.tasks import Shown, Task, read_tasks
from utils.errors import DataError
from utils.scores import SCORES, Score
from utils.study import Study

DIFFICULTY = "difficulty.csv"
WIDE = 8  # times the least value


@dataclass(frozen=True, eq=False)
class Sweep:
    key: str
    tasks: Mapping[float, Task]  # what was tested at each value, in their order

    @property
    def is_geometric(self) -> bool:
        """Whether values grow by factors, so that they are drawn on a logarithmic axis."""
        return min(self.tasks) > 0 and max(self.tasks) >= WIDE * min(self.tasks)

    @property
    def methods(self) -> dict[str, dict[float, Shown]]:
        """Methods by label, and by the values at which they were tested."""
        found: dict[str, dict[float, Shown]] = {}
        for value, task in self.tasks.items():
            for method in task.methods:
                found.setdefault(method.label, {})[value] = method
        return found


def read_sweep(study: Study) -> Sweep | None:
    """Read all scores of a study's sweep; None where it has none.

    Raises:
        DataError: If some are missing, or those of one value cannot be compared.
    """
    levels = study.sweep.levels.items()
    tasks = {value: _task([folder / SCORES for folder in study.results_at(level)]) for level, value in levels}
    return Sweep(study.sweep.key, tasks) if tasks else None


def _task(files: list[Path]) -> Task:
    tasks = read_tasks(files)
    if len(tasks) != 1:
        found = " and ".join(str(task.methods[0].results[0].file) for task in tasks)
        raise DataError(f"{found}: found scores of different data or judges, expected one work; test again")
    return tasks[0]


def table(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """A row for each value and method: scores with their intervals, and what judges reach without generation."""
    for value, task in sweep.tasks.items():
        for method in task.methods:
            about, reference = method.about, without_generation(task, method)
            row = {"key": sweep.key, "value": value, "method": method.label, "kind": about.kind}
            row |= {"seeds": len(method.results), "views": about.views.test}
            row |= method.interval(RATIO).cells("ratio") | method.interval(RMSE).cells("rmse")
            if reference:
                row |= reference.interval(RATIO).cells("no_generation")
            yield row


def charts(sweep: Sweep) -> list[Chart]:
    """Draw the Jaccard ratio and the error of each method against the key, as far as they were measured."""
    what = "Shaded are 95 % intervals. Solid lines and filled marks are networks, trained at each value; dashed lines "
    what += "and hollow marks baselines; grey ones references: what judges reach that learn from sources."
    error = "Error in the reflectance protocol. Without generation there is no image, and no error."
    drawn = [
        draw_lines(
            _lines(sweep, score),
            title=f"{name} against {sweep.key}",
            x=sweep.key,
            y=axis,
            zero=True,
            real=score is RATIO,
            log=sweep.is_geometric,
            caption=caption,
        )
        for score, name, axis, caption in (
            (RATIO, "Jaccard ratio", "Jaccard ratio", what),
            (RMSE, "RMSE", "RMSE (reflectance)", error),
        )
    ]
    return [chart for chart in drawn if chart]


def _lines(sweep: Sweep, score: Score) -> list[Line]:
    lines = []
    for label, methods in sweep.methods.items():
        found = {value: method.interval(score) for value, method in methods.items()}
        points = [(value, interval.mean) for value, interval in found.items()]
        band = [(interval.low, interval.high) for interval in found.values()]
        finite = all(math.isfinite(end) for ends in band for end in ends)
        lines.append(Line(label, points, next(iter(methods.values())).look, band=band if finite else ()))
    return lines
