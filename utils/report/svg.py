"""What charts are drawn with: scales, marks, legends. Colours are CSS variables, so that charts follow the page's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("chart.css")
WIDTH = 400  # units; a phone shows about 330 pixels of them, so type stays legible
LETTER = 6.9  # units of an average letter, in a wide fallback font
LINE = 18  # units of a line of the legend
COLOURS = 8
# Outlines around (0, 0): shapes tell methods apart where colours don't.
SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-3.5 -3.5h7v7h-7z",
    "M0 -4.6L4.2 3.2H-4.2z",
    "M0 -5L5 0L0 5L-5 0z",
    "M0 4.6L4.2 -3.2H-4.2z",
    "M-4.4 0L-2.2 -3.8H2.2L4.4 0L2.2 3.8H-2.2z",
    "M-1.5 -4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
    "M-4.2 -2.1L-2.1 -4.2L0 -2.1L2.1 -4.2L4.2 -2.1L2.1 0L4.2 2.1L2.1 4.2L0 2.1L-2.1 4.2L-4.2 2.1L-2.1 0z",
)


@dataclass(frozen=True)
class Look:
    """How a series is drawn.

    Attributes:
        colour: number of the colour; None for the text's own.
        shape: number of the mark; None for a line without.
        hollow: whether marks are outlines.
        dash: pattern of the line; empty for a solid one.
    """

    colour: int | None
    shape: int | None = None
    hollow: bool = False
    dash: str = ""


@dataclass(frozen=True)
class Drawing:
    """A finished chart.

    Attributes:
        name: unique in the report.
        title: what it shows.
        description: what there is to see, in words.
        height: units.
        body: elements.
    """

    name: str
    title: str
    description: str
    height: float
    body: str

    def inline(self) -> str:
        """Return the chart as an element of a web page."""
        return self._element("")

    def standalone(self) -> str:
        """Return the chart as a file of its own."""
        style = f"<style>{STYLE.read_text(encoding='utf-8')}</style>"
        return self._element(' xmlns="http://www.w3.org/2000/svg"', f'{style}<rect class="paper" {box(self.height)}/>')

    def _element(self, namespace: str, before: str = "") -> str:
        name = f"chart-{self.name}"
        return (
            f'<svg{namespace} class="chart" viewBox="0 0 {WIDTH} {self.height:g}" role="img" '
            f'aria-labelledby="{name}-title {name}-description"><title id="{name}-title">{escape(self.title)}</title>'
            f'<desc id="{name}-description">{escape(self.description)}</desc>{before}{self.body}</svg>'
        )


def box(height: float) -> str:
    """Write the attributes of a rectangle as large as a drawing."""
    return f'width="{WIDTH}" height="{height:g}"'


def ticks(low: float, high: float, number: int = 5, *, least: float = 0) -> list[float]:
    """Choose round numbers that enclose a range.

    Args:
        low: lower end.
        high: upper end.
        number: of steps, about.
        least: smallest step.

    Returns:
        Two or more multiples of 1, 2 or 5 times a power of ten, ascending, equally spaced.
    """
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        low, high = low - abs(low) / 2, high + (abs(high) / 2 or 1.0)
    power = 10.0 ** math.floor(math.log10((high - low) / number))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if high - low <= power * factor * number * 1.001)
    step = max(step, least)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [float(f"{place * step:.12g}") for place in range(first, max(last, first + 1) + 1)]


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Map values to places linearly.

    Args:
        low: value that goes to `start`.
        high: value that goes to `end`.
        start: a place.
        end: a place.

    Returns:
        The map.
    """
    return lambda value: start + (value - low) / (high - low) * (end - start)


def text(x: float, y: float, content: str, *, anchor: str = "start", css: str = "") -> str:
    """Write a line of text.

    Args:
        x: its start, middle or end, as `anchor` says.
        y: its base line.
        content: plain text.
        anchor: `start`, `middle` or `end`.
        css: classes.

    Returns:
        The element.
    """
    classes = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{classes}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Draw a straight line.

    Args:
        x1: start.
        y1: start.
        x2: end.
        y2: end.
        css: classes.

    Returns:
        The element.
    """
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def group(look: Look, content: str) -> str:
    """Give elements the colour of a series.

    Args:
        look: of the series.
        content: elements.

    Returns:
        The element around them.
    """
    colour = "neutral" if look.colour is None else f"c{look.colour % COLOURS}"
    return f'<g class="{colour}">{content}</g>'


def mark(look: Look, x: float, y: float, tip: str = "") -> str:
    """Draw the mark of a series.

    Args:
        look: of the series.
        x: its middle.
        y: its middle.
        tip: what a pointer that rests on it is told.

    Returns:
        The element; empty if the series has none.
    """
    if look.shape is None:
        return ""
    outline = SHAPES[look.shape % len(SHAPES)]
    title = f"<title>{escape(tip)}</title>" if tip else ""
    css = "mark hollow" if look.hollow else "mark"
    return f'<path class="{css}" d="{outline}" transform="translate({x:.1f} {y:.1f})">{title}</path>'


def path(look: Look, points: Sequence[tuple[float, float]]) -> str:
    """Draw the line of a series.

    Args:
        look: of the series.
        points: places.

    Returns:
        The element.
    """
    places = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    return f'<path class="line" d="M{places}"{dash}/>'


def legend(entries: Sequence[tuple[str, Look]], top: float) -> tuple[str, float]:
    """Name series, in two columns if their names are short.

    Args:
        entries: name and look of each.
        top: where to start.

    Returns:
        The elements, and where they end.
    """
    sample = 30
    longest = max((len(name) for name, _ in entries), default=0)
    columns = 2 if longest * LETTER + sample < WIDTH / 2 else 1
    rows = math.ceil(len(entries) / columns)
    parts = []
    for number, (name, look) in enumerate(entries):
        x, y = number // rows * WIDTH / columns + 4, top + number % rows * LINE + LINE / 2
        shown = path(look, [(x, y), (x + 22, y)]) + mark(look, x + 11, y)
        parts.append(group(look, shown) + text(x + sample, y + 4, shorten(name, WIDTH / columns - sample)))
    return "".join(parts), top + rows * LINE


def shorten(name: str, room: float) -> str:
    """Cut a text that has no room.

    Args:
        name: the text.
        room: units.

    Returns:
        The text, perhaps with an ellipsis.
    """
    letters = int(room / LETTER)
    return name if len(name) <= letters else name[: letters - 1] + "…"
