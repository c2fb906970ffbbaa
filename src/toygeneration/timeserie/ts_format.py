"""The `.ts` format: a header of `@` lines, then a case a line, `band:band:label`.

A band is `value,value,…`, or `(time,value),(time,value),…` where the header says `@timeStamps true`. Capitals do not
count. Lines that begin with `#` or `%` are comments. Source: www.sktime.net, "the .ts file format".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
LARGEST = 1e300  # magnitude up to which no difference overflows
JITTER = 0.05  # by which intervals may differ, relative: time stamps are rounded
_PAIR = re.compile(r"\(([^()]*),([^(),]*)\)")
_TIMED_CELL = re.compile(r"(?:\([^()]*\)|[^:])+")  # a time of day has colons of its own
_DECIMAL = re.compile(r"[+-]?\d+(?:\.\d*)?", re.ASCII)


@dataclass(frozen=True)
class Cases:
    """The content of one `.ts` file: for each case an array `(steps, bands)` and a label."""

    series: list[Values]
    labels: list[str]


def parse(text: str) -> Cases:
    """Read what a `.ts` file says, or raise a `ValueError` that names the line at fault.

    It is malformed if it has no class labels, other labels than the header's, missing or infinite values, bands of
    different lengths, or time stamps that are not equally spaced.
    """
    header, lines = _split(text)
    classes = header.get("@classlabel", [])
    if classes[:1] != ["true"] or len(classes) == 1:
        raise ValueError("found no class labels in its header, expected '@classLabel true' followed by their names")
    known = set(map(_canonical, classes[1:]))
    timed = header.get("@timestamps") == ["true"]
    series, labels, intervals = [], [], []
    for number, line in lines:
        try:
            bands, label = _cells(line, timed)
            if label not in known:
                raise ValueError(f"has label {label!r}, expected one of the header's ({', '.join(sorted(known))})")
            if timed:
                intervals += _intervals([_PAIR.findall(band) for band in bands])
            series.append(_case([_values(band, timed) for band in bands], series))
        except ValueError as error:
            raise ValueError(f"line {number}, case {len(series) + 1} {error}") from error
        labels.append(label)
    if intervals and max(intervals) > (1 + JITTER) * min(intervals):
        raise ValueError(f"has cases sampled every {min(intervals):g} and every {max(intervals):g}, expected one rate")
    return Cases(series, labels)


def _split(text: str) -> tuple[dict[str, list[str]], list[tuple[int, str]]]:
    """Separate the header's words, by tag, from the numbered lines of data."""
    numbered = enumerate((line.strip() for line in text.lower().split("\n")), 1)
    lines = [(number, line) for number, line in numbered if line and line[0] not in "#%"]
    start = next((place for place, (_, line) in enumerate(lines) if line == "@data"), len(lines))
    if not lines[start + 1 :]:
        raise ValueError("found no data, expected a line '@data' with a case in each line after it")
    tags = [line.split() for _, line in lines[:start] if line[0] == "@"]
    return {tag: words for tag, *words in tags}, lines[start + 1 :]


def _cells(line: str, timed: bool) -> tuple[list[str], str]:
    line = line.removesuffix(":")
    cells = _TIMED_CELL.findall(line) if timed else line.split(":")
    if len(cells) < 2:
        raise ValueError("has no label, expected 'band:band:label'")
    return cells[:-1], _canonical(cells[-1].strip())


def _canonical(label: str) -> str:
    """Spell a number in one way: `1`, `01` and `1.0` are one class."""
    if not _DECIMAL.fullmatch(label):
        return label
    whole, _, fraction = label.partition(".")
    fraction = fraction.rstrip("0")
    return ("-" if label[0] == "-" else "") + (whole.lstrip("+-0") or "0") + (f".{fraction}" if fraction else "")


def _values(band: str, timed: bool) -> list[float]:
    pairs = _PAIR.findall(band)
    if timed and _PAIR.sub("", band).replace(" ", "") != "," * (len(pairs) - 1):
        raise ValueError("has something else than (time,value),(time,value),…, expected by '@timeStamps true'")
    texts = [value for _, value in pairs] if timed else band.split(",")
    return [_number(text) for text in texts if band.strip()]


def _number(text: str) -> float:
    try:
        return float("nan" if text.strip() == "?" else text if "_" not in text else "")
    except ValueError as error:
        raise ValueError(f"has {text.strip()[:40]!r}, expected a number") from error


def _case(bands: list[list[float]], earlier: list[Values]) -> Values:
    lengths = {len(band) for band in bands}
    if len(lengths) > 1:
        raise ValueError(f"has bands of {min(lengths)} to {max(lengths)} steps, expected one length")
    case = np.array(bands, dtype=np.float64).T.copy()  # (steps, bands)
    if not case.size:
        raise ValueError("has no values")
    if earlier and case.shape[1] != earlier[0].shape[1]:
        raise ValueError(f"has {case.shape[1]} bands, expected {earlier[0].shape[1]} as before")
    if not np.isfinite(case).all():
        raise ValueError("has missing or infinite values; remove the case or fill the gaps first")
    if np.abs(case).max() > LARGEST:
        raise ValueError(f"has values beyond {LARGEST:g}, which cannot be scaled; rescale them first")
    return case


def _intervals(bands: list[list[tuple[str, str]]]) -> list[float]:
    """The time between two steps of a case; nothing where there is one step."""
    times = [_times([time.strip() for time, _ in band]) for band in bands]
    if any(not np.array_equal(band, times[0], equal_nan=True) for band in times):
        raise ValueError("has bands with different time stamps, expected the same")
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff(times[0])
    if not steps.size:
        return []
    if not (steps > 0).all():
        raise ValueError("has time stamps that are not ascending; sort its steps first")
    if steps.max() > (1 + JITTER) * steps.min():
        raise ValueError(f"has irregular time stamps, {steps.min():g} to {steps.max():g} apart; interpolate it first")
    return [float(steps.mean())]


def _times(texts: list[str]) -> Values:
    """Numbers as they are, dates in seconds."""
    try:
        return np.array([_number(text) for text in texts])
    except ValueError:
        return np.array([_seconds(text) for text in texts])


def _seconds(date: str) -> float:
    try:
        return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise ValueError(f"has {date[:40]!r}, expected a time stamp, a number or YYYY-MM-DD hh:mm:ss") from error
