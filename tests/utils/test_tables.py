"""Score files: what is undefined or infinite survives, and every reader can take it."""

import csv
import json
import math
from pathlib import Path

from utils.tables import write_csv, write_json


def refuse(text: str) -> float:
    raise AssertionError(f"{text} is not JSON")


def test_json_is_strict(tmp_path: Path) -> None:
    content = {"a": 0.1 + 0.2, "b": [math.nan, math.inf, {"c": -math.inf}], 1: "é", "d": None, "e": 3}
    write_json(tmp_path / "x.json", content)
    found = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert found == {"a": 0.1 + 0.2, "b": [None, "inf", {"c": "-inf"}], "1": "é", "d": None, "e": 3}
    assert float(found["b"][1]) == math.inf


def test_a_table_has_the_columns_of_all_rows(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", [{"a": 1, "b": math.nan}, {"c": math.inf, "a": 1 / 3}])
    with (tmp_path / "x.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{"a": "1", "b": "", "c": ""}, {"a": repr(1 / 3), "b": "", "c": "inf"}]
