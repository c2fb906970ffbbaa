"""A chart of dots: a value and its interval for each method, one below the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from utils.report.svg import LETTER, WIDTH, Drawing, Look, group, line, mark, scale, shorten, text, ticks

STEP, TOP, END = 24, 30, WIDTH - 44
ROOM = 165  # units for names


@dataclass(frozen=True)
class Dot:
    """A value.

    Attributes:
        name: whose it is.
        value: finite.
        low: lower end of its interval; NaN for none.
        high: upper end.
        look: how it is drawn.
    """

    name: str
    value: float
    low: float
    high: float
    look: Look


def draw_dots(
    name: str,
    title: str,
    dots: Sequence[Dot],
    *,
    reference: tuple[float, str],
) -> Drawing:
    """Draw values from 0 on.

    Args:
        name: unique in the report.
        title: what they are.
        dots: from top to bottom, one or more.
        reference: value and name of a vertical line to compare with.

    Returns:
        The drawing.
    """
    left = min(ROOM, max(len(dot.name) for dot in dots) * LETTER) + 10
    bottom = TOP + STEP * len(dots)
    # Intervals over two seeds may be many times the value: these end with the chart.
    across = ticks(0, max(reference[0], *(dot.value for dot in dots)))
    x = scale(across[0], across[-1], left, END)
    parts = []
    for value in across:
        parts.append(line(x(value), TOP - 4, x(value), bottom, "grid"))
        parts.append(text(x(value), bottom + 15, f"{value:g}", anchor="middle", css="small"))
    parts.append(line(x(reference[0]), TOP - 4, x(reference[0]), bottom, "reference"))
    parts.append(text(min(x(reference[0]), END), TOP - 12, reference[1], anchor="end", css="small"))
    for number, dot in enumerate(dots):
        y = TOP + STEP * (number + 0.5)
        ends = (end if math.isfinite(end) else dot.value for end in (dot.low, dot.high))
        low, high = (min(max(x(end), left), END) for end in ends)
        parts.append(text(left - 10, y + 4, shorten(dot.name, ROOM), anchor="end"))
        parts.append(group(dot.look, line(low, y, high, y, "whisker") + mark(dot.look, x(dot.value), y)))
        parts.append(text(WIDTH, y + 4, f"{dot.value:.3f}", anchor="end"))
    return Drawing(name, title, "; ".join(map(_describe, dots)) + ".", bottom + 20, "".join(parts))


def _describe(dot: Dot) -> str:
    interval = f" ({dot.low:.3f} to {dot.high:.3f})" if math.isfinite(dot.low) else ""
    return f"{dot.name}: {dot.value:.3f}{interval}"
