"""Chunks of pixel series: where one ends makes no difference, and each series has the same chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from src.rsgan.evaluation.classifiers.chunks import Chunks, blocks, survey
from utils.errors import DataError

PLACES = st.lists(st.integers(0, 50), max_size=10)


def numbered(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Series that say which they are."""
    return np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 3, 2), np.float32), np.arange(count) % 3 + 4


def cut(count: int, places: list[int]) -> Chunks:
    return lambda: zip(*(np.split(array, sorted(places)) for array in numbered(count)), strict=True)


@given(places=PLACES, size=st.integers(1, 60))
def test_blocks_hold_all_in_order_and_have_one_size(places: list[int], size: int) -> None:
    found = list(blocks(cut(50, places), size))
    for array, whole in zip(numbered(50), zip(*found, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(whole), array)
    assert {len(series) for series, _ in found[:-1]} <= {size}
    assert 0 < len(found[-1][0]) <= size


def test_blocks_of_nothing() -> None:
    assert list(blocks(cut(0, [0, 0]), 5)) == []


@given(places=PLACES, limit=st.integers(1, 60), seed=st.integers(0, 100))
def test_a_sample_does_not_depend_on_chunks(places: list[int], limit: int, seed: int) -> None:
    found, whole = (survey(cut(50, p), limit, rng=np.random.default_rng(seed)) for p in (places, []))
    np.testing.assert_array_equal(found.series, whole.series)
    np.testing.assert_array_equal(found.indices, whole.indices)
    assert (found.count, found.horizon, found.nbands) == (50, 3, 2)
    np.testing.assert_array_equal(found.classes, [4, 5, 6])


@given(limit=st.integers(1, 60), seed=st.integers(0, 100))
def test_a_sample_is_in_order_without_repeats_and_keeps_its_labels(limit: int, seed: int) -> None:
    found = survey(cut(50, [10, 30]), limit, rng=np.random.default_rng(seed))
    numbers = found.series[:, 0, 0].astype(int)
    assert len(numbers) == min(limit, 50)
    assert (np.diff(numbers) > 0).all()
    np.testing.assert_array_equal(found.classes[found.indices], numbers % 3 + 4)


def test_each_series_has_the_same_chance() -> None:
    """Binomial counts: within 5 standard deviations of the mean, in the first chunk as in the last."""
    draws, limit, count = 2000, 10, 40
    rng = np.random.default_rng(0)
    chosen = np.zeros(count)
    for _ in range(draws):
        chosen[survey(cut(count, [3, 25]), limit, rng=rng).series[:, 0, 0].astype(int)] += 1
    share = limit / count
    assert np.abs(chosen - draws * share).max() < 5 * np.sqrt(draws * share * (1 - share))


def test_chunks_of_different_shape_are_refused() -> None:
    series, labels = numbered(6)
    with pytest.raises(DataError, match="found pixel series of 2 steps and 2 bands, expected 3 steps and 2 bands"):
        survey(lambda: iter([(series, labels), (series[:, :2], labels)]), 10, rng=np.random.default_rng(0))
