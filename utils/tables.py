"""What results are kept in, JSON and CSV files; what is undefined or infinite included."""

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, NonNegativeInt

from utils.config import validate
from utils.errors import ConfigError, DataError
from utils.files import new_file
from utils.reading import read_text

LONGEST = 64 << 20  # bytes
DEEPEST = 20  # levels of a JSON file, more than anything here has
WORDS = {None: math.nan, "": math.nan, "inf": math.inf, "-inf": -math.inf}


def number(cell: object) -> object:
    """Undo what writing did to a number that is not finite; anything else stays what it is."""
    return WORDS[cell] if cell is None or (isinstance(cell, str) and cell in WORDS) else cell


Number = Annotated[float, BeforeValidator(number)]

Model = TypeVar("Model", bound=BaseModel)


class Row(BaseModel):
    """A row of a table: named cells, and any number of scores."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Number]

    def value(self, name: str) -> float:
        return self.model_extra.get(name, math.nan)


class EpochRow(Row):
    """Of a training's `metrics.csv`: the figures of an epoch, counted from 0, after some steps."""

    epoch: NonNegativeInt
    step: NonNegativeInt


RowModel = TypeVar("RowModel", bound=Row)


def read_json(model: type[Model], path: Path, expected: str, remedy: str) -> Model:
    """Read a file that holds what a class describes, which is called `expected`."""
    try:
        content = parse_json(read_text(path, expected, limit=LONGEST))
    except ValueError as error:
        raise DataError(f"{path}: not {expected} ({error}); {remedy}") from error
    return check(model, content, path, remedy)


def check(model: type[Model], content: object, path: Path | str, remedy: str) -> Model:
    """Make sure that a file holds what a class describes; the error names everything that is wrong."""
    try:
        return validate(model, content, path)
    except ConfigError as error:
        raise DataError(f"{error}; {remedy}") from error


def parse_json(text: str) -> Any:  # noqa: ANN401 - whatever the text holds
    """Read JSON that somebody else may have written.

    Raises:
        ValueError: If it is none, holds text that cannot be written again, or is nested more than `DEEPEST` levels.
    """
    try:
        content = json.loads(text)
        _check(content, DEEPEST)
    except RecursionError as error:
        raise ValueError(f"found more than {DEEPEST} levels") from error
    return content


def _check(content: object, levels: int) -> None:
    if levels < 0:
        raise RecursionError
    if isinstance(content, str):
        content.encode()  # halves of characters that take two are escaped in JSON, and are no text
    elif isinstance(content, dict | list):
        for item in (*content, *content.values()) if isinstance(content, dict) else content:
            _check(item, levels - 1)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values as JSON that any reader takes: NaN is null, infinity the text "inf"."""
    with new_file(path) as temporary:
        text = json.dumps(_plain(content), indent=1, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_rows(path: Path, model: type[RowModel], remedy: str = "run run_testing.py again") -> list[RowModel]:
    text = read_text(path, "a table of results", limit=LONGEST)
    try:
        rows = list(csv.DictReader(text.splitlines(), strict=True, restkey="more cells", restval="no cell"))
    except csv.Error as error:
        raise DataError(f"{path}: not a table ({error}); {remedy}") from error
    return [check(model, row, f"{path}: row {number}", remedy) for number, row in enumerate(rows, 1)]


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table, whose columns are those of all rows: NaN is an empty cell, infinity the text "inf"."""
    rows = list(rows)
    with new_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(_plain(row) for row in rows)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any nest of plain values
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table in Markdown. Cells may mark up; text of others goes through `escape`."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def escape(text: str) -> str:
    """Write text in Markdown so that it is shown as it is, in one line: no markup, no HTML, no end of a cell."""
    return re.sub(r"[\\`*\[\]<>&|~$]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", " ".join(text.split()))
