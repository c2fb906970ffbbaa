"""Numbers and ranges in text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from utils.fields import Numbers
from utils.number_lists import format_numbers, parse_numbers

BAD = ["", "1-", "-3", "3-1", "a", "1,,2", "1.5", "1-9999999999", "²", "9" * 5000]


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20)), min_size=1, max_size=5))
def test_numbers_and_ranges_each_number_once(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" if more else str(first) for first, more in ranges)
    expected = [number for first, more in ranges for number in range(first, first + more + 1)]
    assert parse_numbers(text) == list(dict.fromkeys(expected))


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected numbers and ascending ranges"):
        parse_numbers(text)


@pytest.mark.parametrize(("given", "kept"), [("213-250", "213-250"), (40, "40"), ("1-10, 40", "1-10, 40")])
def test_in_a_configuration_a_single_number_is_one_too(given: object, kept: str) -> None:
    assert TypeAdapter(Numbers).validate_python(given) == kept


@pytest.mark.parametrize("value", [*BAD, -3, 1.5, True, None, [1, 2]])
def test_in_a_configuration_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Numbers).validate_python(value)


@given(st.sets(st.integers(0, 50)))
def test_what_is_written_is_read(numbers: set[int]) -> None:
    text = format_numbers(numbers)
    assert not numbers or parse_numbers(text) == sorted(numbers)
    assert format_numbers([7, 1, 2, 3]) == "1-3,7"
