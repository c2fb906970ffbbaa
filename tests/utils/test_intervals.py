"""The bootstrap interval: its coverage, its width, its edge cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.intervals import bootstrap_mean, bootstrap_ratio

FEW = 200


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = generator()
    samples = rng.exponential(size=(600, 60))
    intervals = [bootstrap_mean(values, rng=rng, nresamples=1000) for values in samples]
    assert np.mean([found.low <= 1 <= found.high for found in intervals]) == pytest.approx(0.94, abs=0.025)


def test_ends_are_normal_quantiles_for_many_values() -> None:
    values = generator().normal(5, 2, size=1000)
    found = bootstrap_mean(values, rng=generator(1), nresamples=20_000)
    error = values.std() / math.sqrt(1000)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.05 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.05 * error)
    assert found.count == 1000


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.floats(0.1, 10), st.floats(-10, 10))
def test_interval_holds_the_mean_and_follows_gain_and_offset(values: list[float], gain: float, offset: float) -> None:
    found = bootstrap_mean(values, rng=generator(), nresamples=FEW)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    moved = bootstrap_mean(gain * np.array(values) + offset, rng=generator(), nresamples=FEW)
    for end in ("mean", "low", "high"):
        assert getattr(moved, end) == pytest.approx(gain * getattr(found, end) + offset, abs=1e-6)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10), st.integers(1, 5))
def test_missing_scores_are_left_out(values: list[float], missing: int) -> None:
    found = bootstrap_mean(values, rng=generator(), nresamples=FEW)
    assert bootstrap_mean([math.nan] * missing + values, rng=generator(), nresamples=FEW) == found
    assert found.count == len(values)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7, math.inf])
def test_one_value_gives_that_value(value: float) -> None:
    found = bootstrap_mean([value], rng=generator())
    assert found.mean == found.low == found.high == value
    assert found.count == 1


def test_no_value_gives_none() -> None:
    for values in ([], [math.nan, math.nan]):
        found = bootstrap_mean(values, rng=generator())
        assert math.isnan(found.mean)
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert found.count == 0


def test_infinite_scores_do_not_hide_the_finite_end() -> None:
    found = bootstrap_mean([math.inf, 30.0, 31.0, 32.0], rng=generator())
    assert found.mean == found.high == math.inf
    assert 30 <= found.low <= 32


def test_same_seed_same_interval() -> None:
    values = generator().random(20)
    assert bootstrap_mean(values, rng=generator(3)) == bootstrap_mean(values, rng=generator(3))
    assert bootstrap_mean(values, rng=generator(3)) != bootstrap_mean(values, rng=generator(4))


def test_the_ratio_is_one_of_means_and_follows_gains() -> None:
    rng = generator()
    above, below = rng.uniform(0, 1, 40), rng.uniform(1, 2, 40)
    found = bootstrap_ratio(above, below, rng=generator(1))
    assert found.mean == pytest.approx(above.mean() / below.mean())
    assert found.low < found.mean < found.high
    double = bootstrap_ratio(2 * above, below, rng=generator(1))
    assert (double.mean, double.low, double.high) == pytest.approx((2 * found.mean, 2 * found.low, 2 * found.high))


def test_the_ratio_of_equal_values_is_one_without_doubt() -> None:
    values = generator().uniform(0.1, 1, 30)
    found = bootstrap_ratio(values, values, rng=generator(1), nresamples=FEW)
    assert (found.mean, found.low, found.high, found.count) == (1, 1, 1, 30)


def test_the_ratio_leaves_out_views_without_either_and_is_undefined_over_zero() -> None:
    found = bootstrap_ratio([1, math.nan, 3], [2, 2, math.nan], rng=generator(), nresamples=FEW)
    assert (found.mean, found.count) == (0.5, 1)
    assert math.isnan(bootstrap_ratio([1, 2], [0, 0], rng=generator(), nresamples=FEW).mean)
