"""Training curves: what each epoch of each seed's run recorded."""

import math
from pathlib import Path

from utils.report.blocks import Block, Chart, Fold, Gallery, slug
from utils.report.line_chart import LineChart, Series, draw_lines
from utils.report.results import DataSet, Kind, Method, parse, read_rows
from utils.report.svg import Look

FILE = "metrics.csv"
# Columns of training and validation, the first that is there; a CycleGAN's are those of the optical side.
MAE = "mean absolute error (network scale)"
FIGURES = {
    MAE: (("Metric/train_mae", "Loss/mae_AB"), ("Metric/val_mae",)),
    "generator's loss": (
        ("Loss/train_generator", "Loss/train_generator_AB"),
        ("Loss/val_generator", "Loss/val_generator_AB"),
    ),
    "discriminator's loss": (
        ("Loss/train_discriminator", "Loss/train_discriminator_B"),
        ("Loss/val_discriminator", "Loss/val_discriminator_B"),
    ),
    "discriminator's fooling rate": (
        ("Metric/train_fooling_rate", "Metric/train_fooling_rate_B"),
        ("Metric/val_fooling_rate",),
    ),
}
DASH = "2 3"


def blocks(dataset: DataSet) -> list[Block]:
    """Draw the training curves of a data set's networks.

    Args:
        dataset: its results.

    Returns:
        Errors side by side, and the rest folded; nothing where no run left figures.

    Raises:
        DataError: If a run's figures are malformed.
    """
    methods = dataset.of(Kind.NETWORK, Kind.BOUND)
    errors = [chart for method in methods if (chart := _chart(dataset, method, MAE))]
    others = [
        chart for method in methods for name in FIGURES if name != MAE and (chart := _chart(dataset, method, name))
    ]
    found: list[Block] = [Gallery(errors)] if errors else []
    return found + ([Fold("Losses, and how often the discriminator is fooled", [Gallery(others)])] if others else [])


def _chart(dataset: DataSet, method: Method, figure: str) -> Chart | None:
    series = []
    for number, result in enumerate(method.results):
        rows = result.run / FILE
        seed = result.about["seed"]
        for part, columns, dash in zip(("training", "validation"), FIGURES[figure], (DASH, ""), strict=True):
            points = parse(rows, lambda rows=rows, columns=columns: _points(rows, columns))
            series.append(Series(f"seed {seed}, {part}", points, Look(number, dash=dash)))
    drawing = draw_lines(
        LineChart(
            name=f"training-{slug(dataset.name)}-{slug(method.experiment)}-{list(FIGURES).index(figure)}",
            title=f"{method.label}: {figure} over training",
            x="epoch",
            y=f"{method.label}: {figure}",
            series=series,
            whole=True,
        )
    )
    return drawing and Chart(drawing, f"{method.label}: {figure}.")


def _points(file: Path, columns: tuple[str, ...]) -> list[tuple[float, float]]:
    rows = read_rows(file)
    column = next((column for column in columns if any(row.get(column) for row in rows)), None)
    return [(int(row["epoch"]) + 1, float(row[column] or math.nan)) for row in rows] if column else []
