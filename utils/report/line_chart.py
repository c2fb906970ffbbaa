"""A chart of lines: one series each, all on the same axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from utils.report.svg import WIDTH, Drawing, Look, group, legend, line, mark, path, scale, text, ticks

LEFT, RIGHT, TOP, BOTTOM = 44, WIDTH - 12, 26, 240


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes:
        name: in the legend.
        points: x and y; the line is broken where y isn't finite.
        look: how it is drawn.
    """

    name: str
    points: Sequence[tuple[float, float]]
    look: Look


@dataclass(frozen=True)
class LineChart:
    """What to draw.

    Attributes:
        name: unique in the report.
        title: what it shows.
        x: label of the horizontal axis.
        y: label of the vertical axis.
        series: the lines.
        include: values that the vertical axis must reach.
        reference: value and name of a horizontal line to compare with.
        whole: whether the horizontal axis counts something.
    """

    name: str
    title: str
    x: str
    y: str
    series: Sequence[Series]
    include: Sequence[float] = ()
    reference: tuple[float, str] | None = None
    whole: bool = False


def draw_lines(chart: LineChart) -> Drawing | None:
    """Draw lines.

    Args:
        chart: what to draw.

    Returns:
        The drawing; None if there is no finite value.
    """
    shown = [series for series in chart.series if any(math.isfinite(y) for _, y in series.points)]
    if not shown:
        return None
    xs = [x for series in shown for x, _ in series.points]
    ys = [y for series in shown for _, y in series.points if math.isfinite(y)] + list(chart.include)
    across, up = ticks(min(xs), max(xs), least=float(chart.whole)), ticks(min(ys), max(ys))
    place = _Place(across, up)
    names, end = legend([(series.name, series.look) for series in shown], BOTTOM + 46)
    lines = "".join(group(series.look, place.line(series)) for series in shown)
    body = place.axes(chart) + lines + names
    return Drawing(chart.name, chart.title, "; ".join(map(_describe, shown)) + ".", end + 4, body)


class _Place:
    """The plot's axes.

    Args:
        across: ticks of the horizontal axis.
        up: ticks of the vertical axis.
    """

    def __init__(self, across: Sequence[float], up: Sequence[float]) -> None:
        self._across, self._up = across, up
        self._x = scale(across[0], across[-1], LEFT, RIGHT)
        self._y = scale(up[0], up[-1], BOTTOM, TOP)

    def axes(self, chart: LineChart) -> str:
        parts = [text(0, 12, chart.y, css="small")]
        for value in self._up:
            parts.append(line(LEFT, self._y(value), RIGHT, self._y(value), "grid"))
            parts.append(text(LEFT - 6, self._y(value) + 4, f"{value:g}", anchor="end", css="small"))
        parts.append(line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"))
        for value in self._across:
            parts.append(line(self._x(value), BOTTOM, self._x(value), BOTTOM + 4, "axis"))
            parts.append(text(self._x(value), BOTTOM + 17, f"{value:g}", anchor="middle", css="small"))
        parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 34, chart.x, anchor="middle", css="small"))
        if chart.reference:
            value, name = chart.reference
            parts.append(line(LEFT, self._y(value), RIGHT, self._y(value), "reference"))
            parts.append(text(RIGHT, self._y(value) - 5, name, anchor="end", css="small"))
        return "".join(parts)

    def line(self, series: Series) -> str:
        parts = []
        for finite, run in groupby(series.points, lambda point: math.isfinite(point[1])):
            if finite:
                values = list(run)
                places = [(self._x(x), self._y(y)) for x, y in values]
                parts.append(path(series.look, places))
                tips = [f"{series.name}: {y:.3g} at {x:.3g}" for x, y in values]
                parts += [mark(series.look, *where, tip) for where, tip in zip(places, tips, strict=True)]
        return "".join(parts)


def _describe(series: Series) -> str:
    finite = [(x, y) for x, y in series.points if math.isfinite(y)]
    (first, start), (last, end) = finite[0], finite[-1]
    return f"{series.name}: {start:.3g} at {first:.3g}, {end:.3g} at {last:.3g}"
