"""Charts as SVG inside a page, which says what its colours are in light and in dark; equal values give equal bytes."""

import hashlib
import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from utils.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

WIDTH, HEIGHT = 5.2, 2.4  # inches; the height is that of the axes
LETTER, LINE = 0.085, 0.2  # inches of text
LONGEST = 26  # letters of a name on one line
# Colours that stand for those of the page.
INK, MUTED, RULE, PAPER = "#010101", "#020202", "#030303", "#040404"
SERIES = [f"#0505{number:02x}" for number in range(8)]
PAINTS = {INK: "currentColor", MUTED: "var(--muted)", RULE: "var(--rule)", PAPER: "var(--paper)"}
PAINTS |= {colour: f"var(--c{number})" for number, colour in enumerate(SERIES)}
MARKERS = "osD^vPX*"
STYLE, PAGE_STYLE = (Path(__file__).with_name(name) for name in ("chart.mplstyle", "page.css"))


@dataclass(frozen=True)
class Look:
    """How a series is drawn."""

    colour: int | None  # number of its colour and marker; None for a neutral one
    hollow: bool = False  # whether marks are empty
    dashes: tuple[float, ...] = ()  # lengths of dashes and gaps; a solid line without

    def options(self) -> dict[str, object]:
        """In matplotlib's words."""
        number = self.colour
        colour = MUTED if number is None else SERIES[number % len(SERIES)]
        return {
            "color": colour,
            "marker": "o" if number is None else MARKERS[(number + number // len(SERIES)) % len(MARKERS)],
            "markerfacecolor": PAPER if self.hollow else colour,
            "linestyle": (0, self.dashes) if self.dashes else "-",
        }


@dataclass(frozen=True)
class Line:
    """A series of points `(x, y)`; the line is broken where y isn't finite."""

    name: str
    points: Sequence[tuple[float, float]]
    look: Look
    legend: str = ""  # what it is called there, where that isn't its name; lines may share it
    band: Sequence[tuple[float, float]] = ()  # finite ends of each point's interval

    @property
    def finite(self) -> list[tuple[float, float]]:
        return [point for point in self.points if math.isfinite(point[1])]

    def __str__(self) -> str:
        (first, start), (last, end) = self.finite[0], self.finite[-1]
        return f"{self.name}: {start:.3g} at {first:.3g}, {end:.3g} at {last:.3g}"


@dataclass(frozen=True)
class Dot:
    """A finite mean, and its interval if there is one."""

    name: str
    found: Interval
    look: Look

    @property
    def sides(self) -> tuple[float, float] | None:
        """How far the interval reaches on either side."""
        below, above = self.found.mean - self.found.low, self.found.high - self.found.mean
        return (max(below, 0), max(above, 0)) if math.isfinite(below + above) else None

    def __str__(self) -> str:
        ends = f" ({self.found.low:.3f} to {self.found.high:.3f})" if self.sides else ""
        return f"{self.name}: {self.found.mean:.3f}{ends}"


@dataclass(frozen=True)
class Chart:
    """A drawing, as an element of a page, and what is said below it."""

    svg: str
    caption: str


def draw_lines(
    lines: Sequence[Line],
    *,
    title: str,
    x: str,
    y: str,
    caption: str,
    zero: bool = False,
    real: bool = False,
    log: bool = False,
) -> Chart | None:
    """Draw series over whole numbers or shares, or a `log` axis, from 0 if `zero`, beside the line of `real` images.

    There is no chart if there is no finite value.
    """
    shown = [line for line in lines if line.finite]
    if not shown:
        return None
    entries = [_wrapped(name) for name in dict.fromkeys(line.legend or line.name for line in shown)]
    half = math.ceil(len(entries) / 2)
    below = 0.65 + LINE * max(sum(map(_lines, column)) for column in (entries[:half], entries[half:]))
    with _figure(HEIGHT, left=0.6, right=0.1, top=0.3, bottom=below) as (figure, axes):
        drawn = {}
        for line in shown:
            if line.band:
                xs, ends = [x for x, _ in line.points], zip(*line.band, strict=True)
                axes.fill_between(xs, *ends, color=line.look.options()["color"], alpha=0.12, linewidth=0)
            points = [(x, y if math.isfinite(y) else math.nan) for x, y in line.points]
            (drawn[line.legend or line.name],) = axes.plot(*zip(*points, strict=True), **line.look.options())
        figure.legend(drawn.values(), entries, loc="lower left", ncols=2, borderaxespad=0)
        axes.set_title(y)
        axes.set_xlabel(x)
        axes.grid(axis="y")
        places = sorted({x for line in shown for x, _ in line.points})
        if log:
            axes.set_xscale("log")
            axes.set_xticks(places, [f"{place:g}" for place in places])
            axes.minorticks_off()
        else:
            axes.xaxis.get_major_locator().set_params(integer=places[-1] > 1)
        if real:
            axes.axhline(1, color=INK, linewidth=1, linestyle=":")
            _name_line(axes, "real images", 1, axes.get_yaxis_transform())
        if zero:
            axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
        return Chart(_svg(figure, title, shown), caption)


def draw_dots(dots: Sequence[Dot], *, title: str, caption: str, line: Dot | None = None) -> Chart:
    """Draw values from 0 on with their intervals, one below the other, beside the line of real images and another."""
    names = [_wrapped(dot.name) for dot in dots]
    left = 0.15 + LETTER * max(len(line) for name in names for line in name.split("\n"))
    height = (0.2 + 0.1 * max(map(_lines, names))) * len(dots)
    with _figure(height, left=left, right=0.55, top=0.25 + LINE * bool(line), bottom=0.3) as (figure, axes):
        for row, dot in enumerate(dots):
            sides = dot.sides and [[side] for side in dot.sides]
            axes.errorbar([dot.found.mean], [row], xerr=sides, **dot.look.options() | {"linestyle": ""})
            axes.annotate(f"{dot.found.mean:.3f}", (1.02, row), xycoords=axes.get_yaxis_transform(), va="center")
        # Intervals over two seeds may be many times the value: these end with the chart.
        lines = [line] if line else []
        axes.set_xlim(0, 1.05 * max(1, *(dot.found.mean for dot in (*dots, *lines))))
        axes.set_yticks(range(len(dots)), names, color=INK)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(dots) - 0.5, -0.5)
        axes.axvline(1, color=INK, linewidth=1, linestyle=":")
        _name_line(axes, "real images", 1, axes.get_xaxis_transform())
        for reference in lines:
            axes.axvline(reference.found.mean, color=MUTED, linewidth=1, linestyle="--")
            _name_line(axes, reference.name, reference.found.mean, axes.get_xaxis_transform(), row=1)
        axes.grid(axis="x")
        return Chart(_svg(figure, title, [*dots, *lines]), caption)


def _name_line(axes: "Axes", name: str, x: float, within: "Transform", *, row: int = 0) -> None:
    """Write a line's name above its end, in a row of such names."""
    offset = {"xytext": (0, 2 + 72 * LINE * row), "textcoords": "offset points"}
    axes.annotate(name, (x, 1), xycoords=within, **offset, ha="right", va="bottom")


@contextmanager
def _figure(height: float, *, left: float, right: float, top: float, bottom: float) -> "Iterator[tuple[Figure, Axes]]":
    """Make axes of a height with margins, all in inches."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(fname=STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the page's reader has fonts of their own
        whole = top + height + bottom
        figure = Figure(figsize=(WIDTH, whole))
        yield figure, figure.add_axes((left / WIDTH, bottom / whole, 1 - (left + right) / WIDTH, height / whole))


def _svg(figure: "Figure", title: str, drawn: Iterable[Line | Dot]) -> str:
    stream = io.StringIO()
    figure.savefig(
        stream, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
    )
    _, head, body = re.split(r"(<svg[^>]*>)", stream.getvalue(), maxsplit=1)
    body = re.sub(r"<defs>\s*<style.*?</defs>", "", body, count=1, flags=re.DOTALL)
    prefix = f"{hashlib.sha256(title.encode()).hexdigest()[:8]}-"
    body = re.sub(r"<[^>]*>", lambda tag: _of_the_page(tag[0], prefix), body)
    (box,) = re.findall('viewBox="([^"]*)"', head)
    said = f"<title>{escape(title)}</title><desc>{escape('; '.join(map(str, drawn)))}.</desc>"
    return f'<svg class="chart" role="img" viewBox="{box}">{said}{body}'


def alone(chart: Chart) -> str:
    """Make an SVG file of a chart, which has the page's colours in light and in dark."""
    colours, _, _ = PAGE_STYLE.read_text(encoding="utf-8").partition("svg.chart")
    style = f"{colours}svg {{ color: var(--ink); background: var(--paper); font-family: sans-serif; }}"
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="720" '
    return chart.svg.replace("<svg ", head, 1).replace("<title>", f"<style>{style}</style><title>", 1) + "\n"


def _of_the_page(tag: str, prefix: str) -> str:
    """Give an element the page's colours and font, and a name that no other chart's element has."""
    tag = re.sub("|".join(PAINTS), lambda colour: PAINTS[colour[0]], tag)
    tag = re.sub(r"font: ([0-9.]+px)[^;\"]*", r"font-size: \1", tag)
    tag = tag.replace("xlink:href", "href")
    return re.sub(r'((?: id="|href="#|url\(#))', rf"\g<1>{prefix}", tag)


def _wrapped(name: str) -> str:
    """Write a name on several lines; of a very long one the middle is left out, as names differ at their ends."""
    half = LONGEST - 2
    return "\n".join(wrap(name if len(name) <= 2 * half else f"{name[:half]} … {name[-half:]}", LONGEST))


def _lines(name: str) -> int:
    return name.count("\n") + 1
