"""The objective of logistic regression against finite differences, and its minimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from src.rsgan.evaluation.classifiers.logistic_regression import CrossEntropy, minimum

COUNT, FEATURES = 40, 3
STEP = 1e-5


def objective(nclasses: int, seed: int, penalty: float = 0.01, batches: int = 1) -> CrossEntropy:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((COUNT, FEATURES)).astype(np.float32)
    indices = rng.integers(nclasses, size=COUNT)
    pieces = [np.array_split(array, batches) for array in (features, indices)]
    return CrossEntropy(lambda: zip(*pieces, strict=True), COUNT, penalty, nclasses)


def place(entropy: CrossEntropy, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed + 1).standard_normal((FEATURES + 1, entropy.columns))


def direction(where: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """A step along one parameter, in the order of the curvature's rows."""
    step = np.zeros(where.size)
    step[number] = STEP
    return step.reshape(where.shape[::-1]).T


@settings(max_examples=30)
@given(nclasses=st.integers(2, 4), seed=st.integers(0, 1000))
def test_derivatives_are_those_of_the_value(nclasses: int, seed: int) -> None:
    entropy = objective(nclasses, seed)
    where = place(entropy, seed)
    _, gradient = entropy.value_and_gradient(where)
    for number in range(where.size):
        step = direction(where, number)
        up, down = (entropy.value_and_gradient(where + sign * step)[0] for sign in (1, -1))
        assert (up - down) / (2 * STEP) == pytest.approx(gradient.T.ravel()[number], abs=1e-6)


@settings(max_examples=30)
@given(nclasses=st.integers(2, 4), seed=st.integers(0, 1000))
def test_curvature_is_that_of_the_derivatives(nclasses: int, seed: int) -> None:
    entropy = objective(nclasses, seed)
    where = place(entropy, seed)
    curvature = entropy.hessian(where)
    if nclasses > 2:  # the same added to all intercepts changes nothing, but gets a curvature
        intercepts = np.arange(nclasses) * (FEATURES + 1) + FEATURES
        curvature[np.ix_(intercepts, intercepts)] -= 1 / nclasses
    for number in range(where.size):
        step = direction(where, number)
        up, down = (entropy.value_and_gradient(where + sign * step)[1].T.ravel() for sign in (1, -1))
        np.testing.assert_allclose((up - down) / (2 * STEP), curvature[number], atol=1e-6)


@settings(max_examples=30)
@given(nclasses=st.integers(2, 4), seed=st.integers(0, 1000))
def test_value_is_the_mean_cross_entropy(nclasses: int, seed: int) -> None:
    entropy = objective(nclasses, seed)
    where = place(entropy, seed)
    ((features, indices),) = entropy.batches()
    odds = np.exp(features @ where[:-1] + where[-1])
    odds = np.column_stack([np.ones(COUNT), odds]) if nclasses == 2 else odds
    shares = odds / odds.sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(COUNT), indices]).mean() + 0.005 * (where[:-1] ** 2).sum()
    assert entropy.value_and_gradient(where)[0] == pytest.approx(expected)


def test_batches_are_summed() -> None:
    one, many = objective(3, 0), objective(3, 0, batches=7)
    where = place(one, 0)
    for first, second in zip(one.value_and_gradient(where), many.value_and_gradient(where), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-12)
    np.testing.assert_allclose(one.hessian(where), many.hessian(where), rtol=1e-9, atol=1e-15)


@settings(max_examples=20)
@given(nclasses=st.integers(2, 4), seed=st.integers(0, 50))
def test_nothing_is_lower_than_the_minimum(nclasses: int, seed: int) -> None:
    entropy, other = objective(nclasses, seed), objective(nclasses, seed + 1)
    found = minimum(entropy, other, np.zeros((FEATURES + 1, entropy.columns)), 1e-7)
    value, gradient = entropy.value_and_gradient(found)
    assert np.abs(gradient).max() < 1e-7
    assert all(value <= entropy.value_and_gradient(found + 0.1 * place(entropy, s))[0] for s in range(5))


def test_extreme_scores_do_not_overflow() -> None:
    for nclasses in (2, 3):
        entropy = objective(nclasses, 0)
        value, gradient = entropy.value_and_gradient(1e4 * place(entropy, 0))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert np.isfinite(entropy.hessian(1e4 * place(entropy, 0))).all()
