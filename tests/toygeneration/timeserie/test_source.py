"""Reading .ts files: round trips, and every way in which a file can be broken."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.toygeneration.timeserie.source import Cases, read, resolve
from tests.conftest import REAL_DATA
from utils.errors import DataError, ProjectError

HEADER = "@problemName Made\n@timeStamps false\n@univariate false\n@classLabel true grass wheat\n@data\n"


def text(cases: Cases) -> str:
    lines = []
    for case, label in zip(cases.series, cases.labels, strict=True):
        lines.append(":".join([*(",".join(repr(float(x)) for x in band) for band in case.T), label]))
    return HEADER + "\n".join(lines) + "\n"


def made() -> Cases:
    rng = np.random.default_rng(0)
    return Cases([rng.normal(size=(5 + i, 2)) for i in range(4)], ["grass", "wheat", "wheat", "grass"])


def test_what_is_written_is_read_unequal_lengths_included(tmp_path: Path) -> None:
    path = tmp_path / "made.ts"
    path.write_text(text(made()))
    found = read(path)
    assert found.labels == made().labels
    for one, other in zip(found.series, made().series, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "cases", "bands", "steps", "classes"),
    [("BasicMotions", 80, 6, {100}, 4), ("JapaneseVowels", 640, 12, set(range(7, 30)), 9)],
)
def test_data_sets_that_ship_inside_sktime(name: str, cases: int, bands: int, steps: set[int], classes: int) -> None:
    files = resolve(f"sktime:{name}")
    assert [file.name for file in files] == [f"{name}_TRAIN.ts", f"{name}_TEST.ts"]
    parts = [read(file) for file in files]
    series = [case for part in parts for case in part.series]
    assert len(series) == cases
    assert {case.shape[1] for case in series} == {bands}
    assert {len(case) for case in series} <= steps
    assert len({label for part in parts for label in part.labels}) == classes


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the published time series are not beside the repository")
@pytest.mark.parametrize(("name", "cases", "bands", "steps"), [("RacketSports", 303, 6, 30), ("Epilepsy", 275, 3, 206)])
def test_published_data_sets(name: str, cases: int, bands: int, steps: int) -> None:
    files = [REAL_DATA / "Multivariate_ts" / name / f"{name}_{part}.ts" for part in ("TRAIN", "TEST")]
    parts = [read(file) for file in files]
    series = [case for part in parts for case in part.series]
    assert len(series) == cases
    assert {case.shape for case in series} == {(steps, bands)}


@pytest.mark.parametrize(
    "path", ["none.ts", ".", "sktime:", "sktime:Nothing", "sktime:../BasicMotions", "sktime:yahoo"]
)
def test_missing_files(path: str) -> None:
    with pytest.raises(DataError, match="no such time series file|ships no data set of that name"):
        resolve(path)


WHOLE = text(made())
LINES = WHOLE.splitlines()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("", "not a complete .ts"),
        (HEADER, "not a complete .ts"),
        (HEADER.replace("@data\n", ""), "not a complete .ts"),
        ("hello", "not a complete .ts"),
        (WHOLE[: WHOLE.rindex(":")], "not a complete .ts"),  # the last label is cut off
        (WHOLE[: -len("ass\n")], "case 4 has label 'gr', expected one of the header's"),
        (WHOLE.replace("grass", "rock").replace("rock wheat", "grass wheat"), "case 1 has label 'rock'"),
        (WHOLE.replace("@classLabel true grass wheat", "@classLabel false"), "not a complete .ts"),
        ("\n".join([*LINES[:-1], "1,2,3:4,5:grass"]), "case 4 has bands of 2 to 3 steps"),
        ("\n".join([*LINES[:-1], "1,?,3:4,5,6:grass"]), "case 4 has missing or infinite values"),
        ("\n".join([*LINES[:-1], "1,NaN,3:4,5,6:grass"]), "case 4 has missing or infinite values"),
        ("\n".join([*LINES[:-1], "1,inf,3:4,5,6:grass"]), "case 4 has missing or infinite values"),
        ("\n".join([*LINES[:-1], "1,x,3:4,5,6:grass"]), "not a complete .ts"),
    ],
)
def test_broken_files(tmp_path: Path, broken: str, message: str) -> None:
    path = tmp_path / "broken.ts"
    path.write_text(broken)
    with pytest.raises(DataError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_clean_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.ts"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read(path)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_an_error_or_a_shorter_file(tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.ts"
    path.write_text(WHOLE[:length])
    try:
        found = read(path)
    except ProjectError:
        return
    for one, other in zip(found.series, made().series, strict=False):
        assert np.array_equal(one, other)
