"""Random streams: named, reproducible, independent."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.seeding import Streams

IDENTITY = st.tuples(
    st.lists(st.integers(0, 2**40), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["polygons", "labels", "clouds"]),
    st.lists(st.integers(0, 99), max_size=2).map(tuple),
)


def draw(seeds: tuple[int, ...], name: str, *index: int) -> np.ndarray:
    return Streams(seeds).rng(name, *index).random(4)


@given(IDENTITY, IDENTITY)
def test_streams_are_equal_exactly_if_their_identities_are(one: tuple, other: tuple) -> None:
    seeds, name, index = one
    seeds_2, name_2, index_2 = other
    assert np.array_equal(draw(seeds, name, *index), draw(seeds_2, name_2, *index_2)) == (one == other)


@pytest.mark.parametrize(("one", "other"), [((5,), (5, 0)), ((0,), (0, 0)), ((1, 2), (2, 1)), ((2**32,), (0, 1))])
def test_seeds_that_numpy_pads_alike_differ(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert not np.array_equal(draw(one, "clouds"), draw(other, "clouds"))


def test_streams_are_uncorrelated() -> None:
    names = [(name, seed) for name in ("polygons", "labels", "series", "texture") for seed in range(3)]
    values = np.array([Streams((seed,)).rng(name).random(20_000) for name, seed in names])
    for a, b in itertools.combinations(range(len(values)), 2):
        assert abs(np.corrcoef(values[a], values[b])[0, 1]) < 5 / np.sqrt(20_000)


def test_the_global_generator_is_left_alone() -> None:
    np.random.seed(0)  # noqa: NPY002 - the state that must not change
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    draw((0,), "polygons")
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_whole_numbers_of_any_type_are_the_same_seed() -> None:
    assert np.array_equal(draw((1,), "clouds", 2), draw((np.int64(1),), "clouds", np.int16(2)))


def test_missing_or_negative_seeds_are_errors() -> None:
    with pytest.raises(ValueError, match="at least one seed"):
        Streams(())
    with pytest.raises(ValueError, match="0 or larger"):
        Streams((-1,))
