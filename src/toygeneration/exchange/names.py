"""Names of files that say when an image was taken, and of which band it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from utils.errors import DataError, UsageError
from utils.files import find_files, natural

FIELD = re.compile(r"\{(date|step|band)(?::([^{}]*))?\}")
# What directives of dates match.
DIRECTIVES = {"Y": r"\d{4}", "j": r"\d{3}", "b": "[A-Za-z]{3}"} | dict.fromkeys("ymdHMS", r"\d{2}")
DATE = "%Y%m%d"


@dataclass
class Image:
    """The files of one image, by band; of band "" if one file holds all."""

    step: int | None
    date: datetime | None
    files: dict[str, Path] = field(default_factory=dict)

    def is_of(self, other: "Image") -> bool:
        """Whether it is of the same time, as far as its own name says."""
        return self.step in (None, other.step) and self.date in (None, other.date)


def find_images(folder: Path, pattern: str, option: str = "--pattern") -> list[Image]:
    """Find the images whose files' names, relative to a folder, follow a pattern, in the order of their times.

    In `S2_{date:%Y%m%d}_{band}*.tif`, `{date:…}` is a date as `strptime` reads it, `{band}` the name of a band, and
    `{step}` would be the number of a time step, from 0; `*` stands for anything but a slash and `?` for one letter.
    Images of the same date come in the natural order of their names.

    Raises:
        UsageError: If the pattern has neither a date nor a step.
        DataError: If no file follows it, one has an impossible date, or two are of one step.
    """
    expression, formats = _compile(pattern, option)
    found: dict[tuple[int, datetime, str], Image] = {}
    for file in find_files(folder, "*"):
        name = file.relative_to(folder).as_posix()
        match = expression.fullmatch(name)
        if not match or not file.is_file():
            continue
        parts = match.groupdict()
        step = int(parts["step"]) if "step" in parts else None
        date = _date(parts["date"], formats["date"], file) if "date" in parts else None
        band = parts.get("band", "")
        rest = name[: match.start("band")] + name[match.end("band") :] if band else name
        image = found.setdefault((-1 if step is None else step, date or datetime.min, rest), Image(step, date))
        if band in image.files:
            raise DataError(f"{file}: found another file of the same image and band, {image.files[band]}; remove one")
        image.files[band] = file
    if not found:
        raise DataError(f"{folder}: found no file whose name has what {option}={pattern} asks for; correct it")
    images = [found[key] for key in sorted(found, key=lambda key: (*key[:2], natural(key[2])))]
    steps = [image.step for image in images if image.step is not None]
    if len(set(steps)) < len(steps):
        twice = next(step for step in steps if steps.count(step) > 1)
        raise DataError(f"{folder}: found several images of step {twice} by {option}={pattern}; correct it")
    return images


def _compile(pattern: str, option: str) -> tuple[re.Pattern[str], dict[str, str]]:
    formats = {name: text or DATE for name, text in FIELD.findall(pattern)}
    if not formats.keys() & {"date", "step"}:
        raise UsageError(
            f"{option}: found no date in {pattern!r}, expected one such as in 'S2_{{date:%Y%m%d}}.tif', or a {{step}}"
        )
    return re.compile("".join(_expressions(pattern, formats, option))), formats


def _expressions(pattern: str, formats: dict[str, str], option: str) -> Iterator[str]:
    end, seen = 0, set()
    for match in FIELD.finditer(pattern):
        yield _literal(pattern[end : match.start()])
        name, end = match[1], match.end()
        if name in seen:
            raise UsageError(f"{option}: found {{{name}}} twice in {pattern!r}, expected it once")
        seen.add(name)
        inner = {"step": r"\d{1,9}", "band": "[A-Za-z0-9]+"}.get(name) or _of_date(formats[name], option)
        yield f"(?P<{name}>{inner})"
    yield _literal(pattern[end:])


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _of_date(form: str, option: str) -> str:
    parts = re.split("%(.)", form)
    unknown = set(parts[1::2]) - DIRECTIVES.keys()
    if unknown or len(parts) == 1:
        known = ", ".join(f"%{letter}" for letter in DIRECTIVES)
        raise UsageError(f"{option}: found {form!r} as the form of a date, expected some of {known}")
    return "".join(DIRECTIVES[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))


def _date(text: str, form: str, file: Path) -> datetime:
    try:
        return datetime.strptime(text, form)
    except ValueError as error:
        raise DataError(f"{file}: found no date in {text!r}, expected one such as {form} reads it ({error})") from error
