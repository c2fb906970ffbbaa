"""Scores as JSON and CSV files; what is undefined or infinite included."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.files import new_file

Row = Mapping[str, Any]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that any reader takes: NaN is null, infinity the text "inf".

    Args:
        path: the file to make or replace; it appears whole or not at all.
        content: plain values.
    """
    with new_file(path) as temporary:
        text = json.dumps(_plain(content), indent=1, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write a table: NaN is an empty cell, infinity the text "inf".

    Args:
        path: the file to make or replace; it appears whole or not at all.
        rows: values by column. The columns are those of all rows, in order of appearance.
    """
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
