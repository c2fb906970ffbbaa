"""Tables of pages in Markdown, made from the CSV files that comments above them name; see fill_tables.py."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from yaml import YAMLError

from utils.core_yaml import parse
from utils.errors import DataError
from utils.intervals import Interval
from utils.reading import read_text
from utils.score_table import in_words, titled
from utils.scores import TABLES
from utils.tables import Row, check, escape, markdown_table, number, read_rows

START, END = "<!-- table\n", "-->"
TABLE = re.compile(rf"^{START}(.*?)^{END}\n(?:\|[^\n]*(?:\n|\Z))*", re.MULTILINE | re.DOTALL)
TITLES = {score.key: score.title for scores in TABLES.values() for score in scores}
REMEDY = "correct the comment above the table"
Names = list[str | Annotated[dict[str, str], Field(min_length=1, max_length=1)]]


class Record(Row):
    """Of a CSV file: its cells as they are written there."""

    __pydantic_extra__: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.model_extra[column]

    @cached_property
    def scores(self) -> dict[str, Interval]:
        found = {}
        for name in self.model_extra:
            if f"{name}_low" in self.model_extra:
                mean, low, high = (float(number(self[cell])) for cell in (name, f"{name}_low", f"{name}_high"))
                found[name] = Interval(mean=mean, low=low, high=high, count=1)
        return found

    @model_validator(mode="after")
    def _read(self) -> Self:
        _ = self.scores
        return self

    def show(self, column: str, *, of_views: bool) -> str:
        if column in self.scores:
            return in_words(self.scores[column], int(self.model_extra.get("seeds", "1")), of_views=of_views)
        return titled(self[column], self.model_extra.get("kind", "")) if column == "method" else escape(self[column])


class Announcement(BaseModel):
    """What a table of a page shows; where the comment ends, the table follows."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)
    file: str
    where: dict[str, str | list[str]] = Field(default_factory=dict)
    columns: Annotated[Names, Field(min_length=1)]
    rows: Names = Field(default_factory=list)
    across: str = ""
    intervals: bool = False

    def table(self, folder: Path) -> str:
        titles, labels = _titles(self.columns, TITLES), _titles(self.rows, {})
        wanted = {column: cells if isinstance(cells, list) else [cells] for column, cells in self.where.items()}
        first = next(iter(titles))
        if labels:
            wanted[first] = [*labels]
        rows = _chosen(folder / self.file, wanted, [*titles, *filter(None, [self.across])])
        if labels:
            rows.sort(key=lambda row: wanted[first].index(row[first]))
        head, lines = [*titles.values()], [[row.show(name, of_views=self.intervals) for name in titles] for row in rows]
        for row, line in zip(rows, lines, strict=True):
            line[0] = labels.get(row[first], line[0])
        if self.across:
            head, lines = _spread(head, lines, [row[self.across] for row in rows])
        return markdown_table(head, lines)


def _titles(names: Names, default: Mapping[str, str]) -> dict[str, str]:
    """What columns or rows are called in a page, by their names in the file."""
    pairs = (name if isinstance(name, dict) else {name: default.get(name, name)} for name in names)
    return {name: title for pair in pairs for name, title in pair.items()}


def _chosen(file: Path, wanted: Mapping[str, Sequence[str]], columns: Iterable[str]) -> list[Record]:
    """Rows that have one of some cells in each column; each of these cells must be in some."""
    rows = read_rows(file, Record, "make it again")
    known = rows[0].model_extra if rows else {}
    for column in (*wanted, *columns):
        if column not in known:
            raise DataError(f"{file}: found no column {column!r}, expected one of {', '.join(known)}; {REMEDY}")
    chosen = [row for row in rows if all(row[column] in cells for column, cells in wanted.items())]
    for column, cells in wanted.items():
        missing = {*cells} - {row[column] for row in chosen}
        if missing:
            raise DataError(
                f"{file}: found no row of the table's with {' or '.join(sorted(missing))} in {column!r}; {REMEDY}"
            )
    return chosen


def _spread(head: list[str], lines: list[list[str]], values: list[str]) -> tuple[list[str], list[list[str]]]:
    """Put the last cells of lines that are otherwise the same into one, a column for each value."""
    columns = dict.fromkeys(values)
    spread: dict[tuple[str, ...], dict[str, str]] = {}
    for (*start, last), value in zip(lines, values, strict=True):
        spread.setdefault(tuple(start), {})[value] = last
    titles = [*head[:-1], *(f"{head[-1]} {value}" for value in columns)]
    return titles, [[*start, *(cells.get(value, "–") for value in columns)] for start, cells in spread.items()]


def fill(page: Path) -> str:
    """Write the text of a page anew.

    Raises:
        DataError: If a comment doesn't say what its table shows, or a file doesn't have that.
    """
    text = read_text(page, "a page")
    if text.count(START) != len(TABLE.findall(text)):
        raise DataError(
            f"{page}: found a comment that starts with {START.strip()!r} without a line {END!r} at its end; add it"
        )
    numbers = count(1)
    return TABLE.sub(lambda found: _filled(found[1], page, next(numbers)), text)


def _filled(comment: str, page: Path, number: int) -> str:
    where = f"{page}: table {number}"
    try:
        content = parse(comment)
    except YAMLError as error:
        raise DataError(f"{where}: not YAML ({error}); {REMEDY}") from error
    table = check(Announcement, content, where, REMEDY).table(page.parent)
    return f"{START}{comment}{END}\n{table}\n"
