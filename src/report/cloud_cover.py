"""Scores by cloud cover: the charts, and one table of all experiments; nothing where there are no clouds."""

import math
from collections.abc import Iterable
from typing import Any

from src.report.charts import Chart, Line, draw_lines
from src.report.estimates import without_generation
from src.report.tasks import Task
from utils.comparison import Method
from utils.results import CoverRow
from utils.scores import BY_CLOUD_COVER, NO_GENERATION

FEWEST = 30  # of pixels or pixel series in a bin that is drawn: with fewer, a Jaccard index is mostly chance


def table(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """The rows of all experiments and seeds, with method, data set, experiment and seed in front."""
    return [
        {"method": method.label, "dataset": about.dataset, "experiment": about.experiment, "seed": about.seed}
        | row.model_dump()
        for task in tasks
        for method in task.comparison.methods
        for result in method.results
        for about in [result.about]
        for row in result.rows(BY_CLOUD_COVER, CoverRow)
    ]


def curve(method: Method, unit: str, column: str) -> list[tuple[float, float]]:
    """The middle of each bin of cloud cover, and a score's mean over seeds; bins of too little are left out."""
    bins: dict[float, list[float]] = {}
    for row in (row for result in method.results for row in result.rows(BY_CLOUD_COVER, CoverRow)):
        if row.unit == unit and row.count >= FEWEST:
            bins.setdefault((row.above + row.up_to) / 2, []).append(row.value(column))
    return [(middle, sum(values) / len(values)) for middle, values in sorted(bins.items())]


def charts(task: Task) -> list[Chart]:
    """Draw the Jaccard ratio and the error against cloud cover, as far as they were measured."""
    several = any(len(method.results) > 1 for method in task.methods)
    ratios = draw_lines(
        _lines(task, "pixel series", "jaccard_ratio"),
        title=f"{task.title}: Jaccard ratio against cloud cover",
        x="mean opacity over a pixel's series",
        y="Jaccard ratio",
        zero=True,
        real=True,
        caption=f"Jaccard ratio of pixel series by how cloudy they are. {'Lines are means over seeds. ' * several}Bins "
        f"of fewer than {FEWEST} pixel series are left out. Solid lines and filled marks are networks, dashed lines "
        "and hollow marks baselines, grey ones references.",
    )
    errors = draw_lines(
        _lines(task, "pixel", "rmse"),
        title=f"{task.title}: RMSE against cloud cover",
        x="opacity of the pixel's cloud",
        y="RMSE (reflectance)",
        zero=True,
        caption="Error of pixels by the opacity of the cloud over them, in the reflectance protocol.",
    )
    return [chart for chart in (ratios, errors) if chart]


def _lines(task: Task, unit: str, column: str) -> list[Line]:
    reference = without_generation(task)
    shown = (method for method in task.methods if method.kind != NO_GENERATION or method is reference)
    return [Line(method.label, curve(method, unit, column), method.look) for method in shown]


def change(method: Method) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The least and the most cloudy bin that have a Jaccard ratio, and that ratio; None if there are no two."""
    points = [point for point in curve(method, "pixel series", "jaccard_ratio") if math.isfinite(point[1])]
    return (points[0], points[-1]) if len(points) > 1 else None
