"""Training curves: whatever each epoch of each seed's run recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from src.report.charts import Chart, Line, Look, draw_lines
from src.report.runs import EpochRow, epochs, run
from src.report.tasks import BASELINE, Shown, Task
from utils.comparison import Result

PARTS = {"train_": "training", "val_": "validation", "": "training"}
DASHES = {"training": (1.5, 2), "validation": ()}
NOT_FIGURES = {"step"}


@dataclass(frozen=True, order=True)
class Figure:
    """What a tag such as `Metric/val_mae` is about: `mae` of the group `Metric`."""

    group: str
    name: str

    @property
    def title(self) -> str:
        """Name in words."""
        return self.name.replace("_", " ")


def split(tag: str) -> tuple[Figure, str]:
    """Take a tag apart into its figure, and whether it is of training or of validation."""
    group, _, name = tag.rpartition("/")
    prefix = next(prefix for prefix in PARTS if name.startswith(prefix))
    return Figure(group or "Others", name.removeprefix(prefix)), PARTS[prefix]


def curves(task: Task) -> tuple[list[Chart], dict[str, list[Chart]]]:
    """Draw the figures by which a task's checkpoints were chosen; and all others, by their group."""
    chosen: list[Chart] = []
    others: list[tuple[str, Chart]] = []
    for method in (method for method in task.methods if method.kind != BASELINE):
        recorded = [(result, epochs(result)) for result in method.results]
        made = run(method.results[0])
        monitored = made and split(made.monitor)[0]
        for figure in sorted({split(tag)[0] for _, rows in recorded for tag in _tags(rows)}):
            chart = _chart(task, method, figure, recorded)
            if chart and figure == monitored:
                chosen.append(chart)
            elif chart:
                others.append((figure.group, chart))
    others.sort(key=lambda pair: pair[0])
    return chosen, {group: [chart for _, chart in pairs] for group, pairs in groupby(others, lambda pair: pair[0])}


def _tags(rows: Iterable[EpochRow]) -> list[str]:
    return [tag for tag in dict.fromkeys(tag for row in rows for tag in row.model_extra) if tag not in NOT_FIGURES]


def _chart(
    task: Task, method: Shown, figure: Figure, runs: Sequence[tuple[Result, Sequence[EpochRow]]]
) -> Chart | None:
    lines = [
        Line(
            f"seed {result.about.seed}, {part}",
            [(row.epoch + 1, row.value(tag)) for row in rows],
            Look(number, dashes=DASHES[part]),
        )
        for number, (result, rows) in enumerate(runs)
        for tag, (its, part) in ((tag, split(tag)) for tag in _tags(rows))
        if its == figure
    ]
    return draw_lines(
        lines,
        title=f"{task.title}, {method.label}: {figure.group}, {figure.title} over training",
        x="epoch",
        y=figure.title,
        caption=f"{method.label}: {figure.title}.",
    )
