"""Scores as JSON and CSV files; what is undefined or infinite included."""

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from utils.files import new_file

DEEPEST = 20  # levels of a JSON file, more than anything here has
WORDS = {None: math.nan, "": math.nan, "inf": math.inf, "-inf": -math.inf}


def number(cell: object) -> object:
    """Undo what writing did to a number that is not finite; anything else stays what it is."""
    return WORDS[cell] if cell is None or (isinstance(cell, str) and cell in WORDS) else cell


Number = Annotated[float, BeforeValidator(number)]


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
