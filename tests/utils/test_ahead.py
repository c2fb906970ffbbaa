"""Working ahead gives the same items, and passes on what goes wrong."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.ahead import one_ahead


@given(st.lists(st.integers(0, 5), unique=True), st.lists(st.integers(0, 9)))
def test_items_are_those_asked_for_in_any_order(keys: list[int], asked: list[int]) -> None:
    ahead = one_ahead(lambda key: key * key, keys)
    assert [ahead(key) for key in asked] == [key * key for key in asked]


def test_the_next_item_is_made_before_it_is_asked_for() -> None:
    made = {key: threading.Event() for key in range(3)}
    ahead = one_ahead(lambda key: made[key].set(), [0, 1, 2])
    ahead(0)
    assert made[1].wait(timeout=100)
    assert not made[2].is_set()


def test_errors_reach_whoever_asks() -> None:
    ahead = one_ahead(lambda key: 1 // key, [2, 0, 1])
    assert ahead(2) == 0
    with pytest.raises(ZeroDivisionError):
        ahead(0)
    assert ahead(1) == 1
