"""Reading .ts files: however they are written, and every way in which they can be broken."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.toygeneration.timeserie.ts_format import Cases, parse
from tests.toygeneration.timeserie.ts_text import HEADER, made, text

WHOLE = text(made())
LINES = WHOLE.splitlines()
TIMED = HEADER.replace("@timeStamps false", "@timeStamps true")


def assert_same(found: Cases, expected: Cases) -> None:
    assert found.labels == expected.labels
    for one, other in zip(found.series, expected.series, strict=True):
        assert np.array_equal(one, other)


WAYS: list[Callable[[str], str]] = [
    lambda text: text.replace(" ", "\t"),
    lambda text: text.replace(" ", " \t  "),
    lambda text: text.replace("\n", "  \n\n"),
    lambda text: text.replace("\n", "\n# a comment: 1,2:grass\n% another\n", 9),
    lambda text: text.replace("grass\n", "grass:\n").replace("wheat\n", "wheat : \n"),
    lambda text: text.replace(",", " , ").replace(":", " : "),
    lambda text: text.replace("@", " @"),
    lambda text: text.upper(),
    lambda text: text.rstrip("\n"),
    lambda text: text.replace("@data", "@missing false\n@dimensions 2\n@description of things\n@data"),
]


@given(st.lists(st.sampled_from(WAYS), max_size=4))
def test_a_file_is_read_however_it_is_laid_out(ways: list[Callable[[str], str]]) -> None:
    written = WHOLE
    for way in ways:
        written = way(written)
    assert_same(parse(written), made())


@pytest.mark.parametrize("step", [1, 0.1, 1 / 30, 7.5e3])
def test_equally_spaced_time_stamps_are_left_out(step: float) -> None:
    def numbers(band: np.ndarray) -> str:
        return ",".join(f"({5 + place * step:.6g},{value!r})" for place, value in enumerate(band.tolist()))

    def dates(band: np.ndarray) -> str:
        day = datetime(2020, 2, 28, 23, 59)
        return ", ".join(f"({day + place * timedelta(hours=step)},{v!r})" for place, v in enumerate(band.tolist()))

    for write in (numbers, dates):
        assert_same(parse(text(made(), TIMED, write)), made())


@pytest.mark.parametrize("spellings", ["1 2", "1.0 2.", "01 +2.00", "1 1.0 2"])
@pytest.mark.parametrize("written", ["1", "1.0", "1.", "001", "+1"])
def test_a_number_is_one_label_however_it_is_spelt(spellings: str, written: str) -> None:
    assert parse(f"@classLabel true {spellings}\n@data\n5:{written}\n6:2\n").labels == ["1", "2"]


def test_labels_that_differ_stay_apart() -> None:
    labels = ["1.5", "15", "-1", "1", "100", "12345678901234567890", "12345678901234567891", "1e2", "0.10", "v1.0"]
    found = parse(f"@classLabel true {' '.join(labels)}\n@data\n" + "".join(f"5:{label}\n" for label in labels)).labels
    assert found == ["0.1" if label == "0.10" else label for label in labels]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        *[(file, "found no data") for file in ("", HEADER, HEADER.replace("@data\n", ""), "hello", HEADER + "# 1:a")],
        (HEADER.rstrip() + " 1:a\n2:a", "found no data"),
        (WHOLE.replace("@classLabel true grass wheat", "@classLabel false"), "no class labels"),
        (WHOLE.replace("@classLabel true grass wheat", "@classLabel true"), "no class labels"),
        (
            WHOLE[: WHOLE.rindex(":")],
            "line 9, case 4 has label .*, expected one of the header's",
        ),  # the last is cut off
        (WHOLE[: -len("ass\n")], "case 4 has label 'gr', expected one of the header's"),
        (WHOLE.replace("grass", "rock").replace("rock wheat", "grass wheat"), "case 1 has label 'rock'"),
    ],
)
def test_broken_files(broken: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(broken)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3:4,5:grass", "line 10, case 5 has bands of 2 to 3 steps"),
        ("1,2,3::grass", "case 5 has bands of 0 to 3 steps"),
        ("::grass", "case 5 has no values"),
        ("1,2:3,4:5,6:grass", "case 5 has 3 bands, expected 2 as before"),
        *[(f"1,{gap},3:4,5,6:grass", "has missing or infinite values") for gap in ("?", "NaN", "inf", "1e999")],
        *[(f"1,{word},3:4,5,6:grass", "expected a number") for word in ("x", "", "1_0", "(1", "0x1", "1 2")],
        ("1,1e301,3:4,5,6:grass", "case 5 has values beyond 1e.300, which cannot be scaled"),
        ("(1,1),(2,2):(1,1),(2,2):grass", "expected a number"),
        ("grass", "has no label"),
        ("@data", "has no label"),
    ],
)
def test_broken_cases(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(WHOLE + line)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        *[(times, "not ascending") for times in ("321", "122", "112", ["nan", "1", "2"])],
        *[(times, "irregular") for times in ("124", "134", ["2020-01-01", "2020-02-01", "2020-03-01"])],
        *[(times, "expected a time stamp") for times in (["1", "x", "3"], ["", "", ""])],
        ("135", "sampled every 1 and every 2"),
        (["inf", "inf", "inf"], "not ascending"),
    ],
)
def test_steps_at_odd_times_are_refused(times: list[str], message: str) -> None:
    def write(band: np.ndarray) -> str:
        return ",".join(f"({time},{value})" for time, value in zip(times, band, strict=True))

    case = np.ones((3, 2))
    regular = "(1,1),(2,1),(3,1)"
    with pytest.raises(ValueError, match=message):
        parse(text(Cases([case], ["grass"]), f"{TIMED}{regular}:{regular}:wheat\n", write))


@pytest.mark.parametrize("line", ["(1,1),(2,2):(2,1),(3,2):grass", "1,2:3,4:grass", "(1,2)(2,3):(1,2)(2,3):grass"])
def test_cases_without_their_own_time_stamps_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match="different time stamps|something else than"):
        parse(TIMED + line)


@given(st.text(st.sampled_from("12.,:()?e-@# \ngrass"), max_size=60), st.sampled_from(["", HEADER, TIMED]))
def test_any_text_is_cases_or_an_error(content: str, header: str) -> None:
    try:
        found = parse(header + content)
    except ValueError:
        return
    assert len(found.labels) == len(found.series) > 0
    assert all(np.isfinite(case).all() for case in found.series)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_an_error_or_a_shorter_file(length: int) -> None:
    try:
        found = parse(WHOLE[:length])
    except ValueError:
        return
    for one, other in zip(found.series, made().series, strict=False):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("unit", [":", "(", "(1", ",", "(:", "#\n", "0", "(,"])
def test_long_lines_take_no_time(unit: str) -> None:
    with pytest.raises(ValueError, match="line|no data"):
        parse(TIMED + unit * 300_000)
