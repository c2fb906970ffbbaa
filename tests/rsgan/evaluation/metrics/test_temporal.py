"""Temporal fidelity against numpy, series by series, and its laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan.evaluation.metrics.temporal import nnse, temporal_scores

SHAPE = (7, 3, 5, 4)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape or SHAPE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def pairs(one: torch.Tensor, other: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    """All pixel series of both."""
    return list(zip(*(x.double().flatten(1).T.numpy() for x in (one, other)), strict=True))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_scores_agree_with_loops_over_series(kind: torch.dtype) -> None:
    generated, real = noise(seed=1).to(kind), noise(seed=2).to(kind)
    scores = temporal_scores(generated, real)
    series = pairs(generated, real)
    assert scores["correlation"] == pytest.approx(np.mean([np.corrcoef(a, b)[0, 1] for a, b in series]), abs=1e-6)
    errors = [np.abs(np.diff(a / 2) - np.diff(b / 2)).mean() for a, b in series]
    assert scores["difference_mae"] == pytest.approx(np.mean(errors), rel=1e-6)


def test_real_series_follow_themselves() -> None:
    real = noise()
    scores = temporal_scores(real, real)
    assert scores["correlation"] == pytest.approx(1, abs=1e-6)
    assert scores["difference_mae"] == 0


@given(st.floats(0.1, 10), st.floats(-1, 1), st.integers(2, 9), st.integers(0, 99))
def test_correlation_ignores_gain_and_offset_but_not_sign(gain: float, offset: float, steps: int, seed: int) -> None:
    real = noise(steps, 2, 3, 3, seed=seed)
    assert temporal_scores(gain * real + offset, real)["correlation"] == pytest.approx(1, abs=1e-4)
    assert temporal_scores(offset - gain * real, real)["correlation"] == pytest.approx(-1, abs=1e-4)
    assert temporal_scores(real + offset, real)["difference_mae"] == pytest.approx(0, abs=1e-6)


def test_constant_series_are_left_out_of_the_correlation() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    apart = temporal_scores(generated[..., 2:], real[..., 2:])
    real[..., 0] = 0.1  # not a power of two: its mean may be rounded
    generated[..., 1] = real[0, ..., 1]
    scores = temporal_scores(generated, real)
    assert scores["correlation"] == pytest.approx(apart["correlation"])
    assert scores["difference_mae"] > apart["difference_mae"] * 0.5


def test_nothing_varies() -> None:
    scores = temporal_scores(noise(), torch.zeros(SHAPE))
    assert math.isnan(scores["correlation"])


def test_pixels_and_bands_may_be_permuted_but_not_time() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    found = temporal_scores(generated, real)
    for permuted in (temporal_scores(generated.flip(axis), real.flip(axis)) for axis in (1, 2, 3)):
        for key, value in permuted.items():
            assert value == pytest.approx(found[key], rel=1e-6, abs=1e-7)
    order = torch.tensor([3, 0, 5, 1, 6, 2, 4])
    shuffled = temporal_scores(generated[order], real[order])
    assert shuffled["correlation"] == pytest.approx(found["correlation"], abs=1e-6)
    assert shuffled["difference_mae"] != pytest.approx(found["difference_mae"], rel=1e-3)


@pytest.mark.parametrize(("one", "other"), [(SHAPE, (7, 3, 5, 5)), ((7, 5), (7, 5))])
def test_shapes_that_do_not_fit_are_errors(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected two equal shapes"):
        temporal_scores(noise(*one), noise(*other))


def test_a_single_frame_has_no_course() -> None:
    scores = temporal_scores(noise(1, 3, 5, 4), noise(1, 3, 5, 4, seed=1))
    assert math.isnan(scores["correlation"])
    assert math.isnan(scores["difference_mae"])


def test_efficiency_agrees_with_loops_over_series() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    series = zip(*(x.flatten(1).T.numpy() for x in (generated, real)), strict=True)
    efficiencies = [1 - ((a - b) ** 2).sum() / ((b - b.mean()) ** 2).sum() for a, b in series]
    assert nnse(generated, real) == pytest.approx(np.mean([1 / (2 - value) for value in efficiencies]), rel=1e-6)


def test_efficiency_of_the_target_is_ideal_and_its_mean_is_half() -> None:
    real = noise()
    assert nnse(real, real) == 1
    assert nnse(real.mean(dim=0, keepdim=True).expand(SHAPE), real) == pytest.approx(0.5)
    assert nnse(100 * noise(seed=1), real) < 0.001


@given(st.floats(0, 3), st.floats(-1, 1), st.integers(0, 99))
def test_efficiency_lost_to_gain_and_offset_is_what_the_formula_says(gain: float, offset: float, seed: int) -> None:
    real = noise(5, 1, 1, 1, seed=seed)
    made = real.mean() + gain * (real - real.mean()) + offset
    variance = float(real.var(correction=0))
    assert nnse(made, real) == pytest.approx(1 / (1 + (1 - gain) ** 2 + offset**2 / variance))


@given(st.floats(0.01, 10), st.floats(-1, 1))
def test_units_do_not_matter(gain: float, offset: float) -> None:
    generated, real = noise(seed=1), noise(seed=2)
    assert nnse(gain * generated + offset, gain * real + offset) == pytest.approx(nnse(generated, real))


def test_series_that_do_not_vary_are_left_out() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    expected = nnse(generated[:, :, 1:], real[:, :, 1:])
    real[:, :, 0] = 0.1  # not a power of two: its mean may be rounded
    assert nnse(generated, real) == pytest.approx(expected)
    assert math.isnan(nnse(generated, torch.full(SHAPE, 0.1)))
    assert math.isnan(nnse(generated[:1], real[:1]))


def test_time_pixels_and_bands_may_be_permuted_together() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    for axis in range(4):
        assert nnse(generated.flip(axis), real.flip(axis)) == pytest.approx(nnse(generated, real))
