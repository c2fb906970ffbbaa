"""Scores by cloud cover: the charts, and one table of all experiments."""

import math
from pathlib import Path
from typing import Any

from utils.report.blocks import Chart, slug
from utils.report.line_chart import LineChart, Series, draw_lines
from utils.report.results import DataSet, Method, parse, read_rows

FILE = "by_cloud_cover.csv"
FEWEST = 30  # of pixels or pixel series in a bin that is drawn: with fewer, a Jaccard index is mostly chance
SERIES, PIXEL = "pixel series", "pixel"


def table(datasets: list[DataSet]) -> list[dict[str, Any]]:
    """Put the rows of all experiments and seeds together.

    Args:
        datasets: the study.

    Returns:
        Each row with its data set, experiment and seed in front.
    """
    return [
        {"dataset": dataset.name, "experiment": method.experiment, "seed": result.about["seed"], **row}
        for dataset in datasets
        for method in dataset.methods
        for result in method.results
        for row in read_rows(result.folder / FILE)
    ]


def curve(method: Method, unit: str, column: str) -> list[tuple[float, float]]:
    """Average a score in each bin of cloud cover over seeds.

    Args:
        method: network or baseline.
        unit: `pixel`, `frame` or `pixel series`.
        column: the score.

    Returns:
        The bins' middles and the means, in order; bins of too little are left out.

    Raises:
        DataError: If a table is malformed.
    """
    bins: dict[float, list[float]] = {}
    for result in method.results:
        file = result.folder / FILE
        for middle, value in parse(file, lambda file=file: _points(file, unit, column)):
            bins.setdefault(middle, []).append(value)
    return [(middle, sum(values) / len(values)) for middle, values in sorted(bins.items())]


def _points(file: Path, unit: str, column: str) -> list[tuple[float, float]]:
    return [
        ((float(row["above"]) + float(row["up_to"])) / 2, float(row.get(column) or math.nan))
        for row in read_rows(file)
        if row["unit"] == unit and int(row["count"]) >= FEWEST
    ]


def charts(dataset: DataSet) -> list[Chart]:
    """Draw the Jaccard ratio and the error against cloud cover, all methods together.

    Args:
        dataset: its results.

    Returns:
        Those of two charts for which there are figures.
    """
    ratio = LineChart(
        name=f"ratio-by-cloud-{slug(dataset.name)}",
        title=f"{dataset.label}: Jaccard ratio against cloud cover",
        x="mean opacity over a pixel's series",
        y="Jaccard ratio",
        series=_series(dataset, SERIES, "jaccard_ratio"),
        include=(0, 1),
        reference=(1, "real images"),
    )
    error = LineChart(
        name=f"rmse-by-cloud-{slug(dataset.name)}",
        title=f"{dataset.label}: RMSE against cloud cover",
        x="opacity of the pixel's cloud",
        y="RMSE (reflectance)",
        series=_series(dataset, PIXEL, "rmse"),
        include=(0,),
    )
    captions = (
        f"Jaccard ratio of pixel series by how cloudy they are. {_seeds(dataset)}Bins of fewer than {FEWEST} pixel "
        "series are left out. Solid lines and filled marks are networks, dashed lines and hollow marks baselines.",
        "Error of pixels by the opacity of the cloud over them, in the reflectance protocol.",
    )
    drawn = zip(map(draw_lines, (ratio, error)), captions, strict=True)
    return [Chart(drawing, caption) for drawing, caption in drawn if drawing]


def _series(dataset: DataSet, unit: str, column: str) -> list[Series]:
    return [Series(method.label, curve(method, unit, column), method.look) for method in dataset.methods]


def _seeds(dataset: DataSet) -> str:
    several = any(len(method.results) > 1 for method in dataset.methods)
    return "Lines are means over seeds. " if several else ""
