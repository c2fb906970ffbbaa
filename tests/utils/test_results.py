"""Files of results: whatever has become of them, they are read as they were written or named."""

import copy
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.utils.scores import CLASSIFIER, content
from utils.errors import DataError
from utils.results import ConfusionRow, CoverRow, ViewRow, read_classifier_scores, read_scores
from utils.scores import TABLES
from utils.tables import Row, read_rows, write_csv, write_json

READERS = {"scores": (read_scores, content(0.5)), "classifier": (read_classifier_scores, CLASSIFIER)}
ODD = st.sampled_from(
    [None, "", "inf", "-inf", "nan", "x" * 600, -1, 0, 1.5, 7, 1e308, 10**400, True, [], {}, [1], {"mean": 1}, {"": {}}]
)
BOUNDS = {score.name: score.range for table in TABLES.values() for score in table if score.protocol == "reflectance"}


def places(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = [place for key in tree for place in places(tree[key], (*path, key))] if isinstance(tree, dict) else []
    return [path, *inner] if path else inner


@pytest.mark.parametrize("kind", READERS)
@given(data=st.data())
def test_one_odd_entry_is_read_rightly_or_named(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    read, whole = READERS[kind]
    tree, path = copy.deepcopy(whole), tmp_path / "file.json"
    *parents, key = data.draw(st.sampled_from(places(whole)))
    place = tree
    for parent in parents:
        place = place[parent]
    if data.draw(st.booleans()):
        place[key] = data.draw(ODD)
    else:
        del place[key]
    path.write_text(json.dumps(tree), encoding="utf-8")
    found, message = outcome(read, path)
    assert str(path) in message or found
    assert len(message) < 2000
    if found and kind == "scores":
        means = {name: interval.mean for name, interval in found.reflectance.items() if name in BOUNDS}
        assert all(math.isnan(mean) or BOUNDS[name][0] <= mean <= BOUNDS[name][1] for name, mean in means.items())


def outcome(read: Callable[[Path], Any], path: Path) -> tuple[Any, str]:
    try:
        return read(path), ""
    except DataError as error:
        return None, str(error)


@pytest.mark.parametrize("kind", READERS)
@given(start=st.integers(0, 3000), junk=st.binary(max_size=8))
def test_damaged_text_is_named(kind: str, start: int, junk: bytes, tmp_path: Path) -> None:
    read, whole = READERS[kind]
    path = tmp_path / "file.json"
    damaged = json.dumps(whole).encode()[:start][:-1] + junk
    assume(damaged.strip() != json.dumps(whole).encode())
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="file.json"):
        read(path)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def deep(path: Path) -> None:
    path.write_text('{"about":' + "[" * 100_000)


def deep_and_complete(path: Path) -> None:
    path.write_text(json.dumps(content(0.5, run={"configuration": json.loads('{"a":' * 300 + "1" + "}" * 300)})))


def half_a_character(path: Path) -> None:
    path.write_text(json.dumps(content(0.5, run={"configuration": {"name": "\ud800"}})))


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("make", [Path.mkdir, pipe, deep, deep_and_complete, half_a_character, lambda path: None])
def test_what_is_no_such_file_is_named(kind: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    make(path)
    with pytest.raises(DataError, match="file.json"):
        READERS[kind][0](path)
    with pytest.raises(DataError, match="xxx"):
        READERS[kind][0](tmp_path / ("x" * 5000))


def test_numbers_survive_files(tmp_path: Path) -> None:
    written = [0.1, math.nan, math.inf, -math.inf, 3]
    write_csv(tmp_path / "views.csv", [{"view": "1"} | {str(n): value for n, value in enumerate(written)}])
    (row,) = read_rows(tmp_path / "views.csv", ViewRow)
    assert str([row.value(str(n)) for n in range(5)]) == "[0.1, nan, inf, -inf, 3.0]"
    assert math.isnan(row.value("not measured"))
    whole = content(math.inf) | {"test_ssim": None}
    for section in (whole["reflectance"], whole["original"], *whole["judges"].values()):
        for name in section:
            bounded = name in ("ssim", "correlation", "nnse") or name.startswith("jaccard_")
            section[name]["mean"] = 1.0 if bounded else math.inf
            section[name]["low"] = -math.inf
    whole |= {score.key: whole[score.protocol][score.name]["mean"] for score in TABLES["original"]}
    write_json(tmp_path / "test_scores.json", whole)
    assert read_scores(tmp_path / "test_scores.json").interval(TABLES["reflectance"][0]).mean == math.inf


@pytest.mark.parametrize(
    ("model", "text", "message"),
    [
        (ViewRow, "view,a\n1,x\n", "row 1: a: found 'x', expected a valid number"),
        (ViewRow, "view,a\n1,0\n2,0,0\n", "row 2: more cells: found"),
        (ViewRow, "view,a\n1\n", "row 1: a: found 'no cell'"),
        (ViewRow, "a\n1\n", "row 1: missing key 'view'"),
        (ViewRow, 'view,"a\n', "not a table"),
        (CoverRow, "unit,above,up_to,count\npixel,0,1,2.5\n", "row 1: count: found '2.5'"),
        (CoverRow, "unit,above,up_to,count\nbanana,0,1,2\n", "row 1: unit: found 'banana'"),
        (CoverRow, "unit,above,up_to,count\npixel,nan,1,2\n", "row 1: above"),
        (ConfusionRow, "true,predicted 1\n0,3\n", "row 1: true: found '0'"),
    ],
)
def test_damaged_tables_are_named(model: type[Row], text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(DataError, match=f"table.csv: {message}"):
        read_rows(tmp_path / "table.csv", model)
