"""Training curves: whatever each epoch of each seed's run recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from src.report.charts import Chart, Line, Look, draw_lines
from src.report.runs import epochs, run
from src.report.tasks import Shown, Task
from utils.scores import BASELINE

PARTS = {"train_": "training", "val_": "validation", "": "training"}
DASHES = {"training": (1.5, 2), "validation": ()}


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
    return Figure(group or ("Loss" if name.endswith("loss") else "Others"), name.removeprefix(prefix)), PARTS[prefix]


def curves(task: Task) -> tuple[list[Chart], dict[str, list[Chart]]]:
    """Draw the figures by which a task's checkpoints were chosen; and all others, a chart for each method and group."""
    chosen: list[Chart | None] = []
    others: dict[str, list[Chart]] = {}
    for method in (method for method in task.methods if method.kind != BASELINE):
        found = _figures(method)
        made = run(method.results[0])
        monitored = made and split(made.monitor)[0]
        if monitored in found:
            chosen.append(_chart(task, method, {monitored: found.pop(monitored)}))
        for group, figures in groupby(sorted(found), key=lambda figure: figure.group):
            chart = _chart(task, method, {figure: found[figure] for figure in figures})
            others.setdefault(group, []).extend([chart] if chart else [])
    return [chart for chart in chosen if chart], {group: charts for group, charts in sorted(others.items()) if charts}


def _figures(method: Shown) -> dict[Figure, list[Line]]:
    """The curves of each figure, in the colours of seeds."""
    found: dict[Figure, list[Line]] = {}
    for number, result in enumerate(method.results):
        rows = epochs(result)
        for tag in dict.fromkeys(tag for row in rows for tag in row.model_extra):
            figure, part = split(tag)
            points = [(row.epoch + 1, row.value(tag)) for row in rows]
            name, look = f"seed {result.about.seed}, {part}", Look(number, dashes=DASHES[part])
            found.setdefault(figure, []).append(Line(name, points, look))
    return found


def _chart(task: Task, method: Shown, figures: Mapping[Figure, list[Line]]) -> Chart | None:
    """Draw a figure, each seed in its colour; or several of a group, each in its colour."""
    (figure, lines), *more = figures.items()
    y = figure.group if more else figure.title
    if more:
        lines = [
            replace(line, name=f"{its.title}, {line.name}", look=replace(line.look, colour=number), legend=its.title)
            for number, (its, lines) in enumerate(figures.items())
            for line in lines
        ]
    about = figure.group if more else f"{figure.group}, {figure.title}"
    title = f"{task.title}, {method.label}: {about} over training"
    return draw_lines(lines, title=title, x="epoch", y=y, caption=f"{method.label}: {y}.")
