"""Temporal fidelity against numpy, series by series, and its laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan.evaluation.metrics.temporal import temporal_scores

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
    assert float(scores["correlation"]) == pytest.approx(
        np.mean([np.corrcoef(a, b)[0, 1] for a, b in series]), abs=1e-6
    )
    errors = [np.abs(np.diff(a / 2) - np.diff(b / 2)).mean() for a, b in series]
    assert float(scores["difference_mae"]) == pytest.approx(np.mean(errors), rel=1e-6)
    assert scores["correlated_series"] == 3 * 5 * 4


def test_real_series_follow_themselves() -> None:
    real = noise()
    scores = temporal_scores(real, real)
    assert float(scores["correlation"]) == pytest.approx(1, abs=1e-6)
    assert scores["difference_mae"] == 0


@given(st.floats(0.01, 10), st.floats(-1, 1), st.integers(2, 9), st.integers(0, 99))
def test_correlation_ignores_gain_and_offset_but_not_sign(gain: float, offset: float, steps: int, seed: int) -> None:
    real = noise(steps, 2, 3, 3, seed=seed).double()
    assert float(temporal_scores(gain * real + offset, real)["correlation"]) == pytest.approx(1)
    assert float(temporal_scores(offset - gain * real, real)["correlation"]) == pytest.approx(-1)
    assert float(temporal_scores(real + offset, real)["difference_mae"]) == pytest.approx(0, abs=1e-12)


def test_constant_series_are_left_out_of_the_correlation() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    apart = temporal_scores(generated[..., 2:], real[..., 2:])
    real[..., 0] = 0.1  # not a power of two: its mean may be rounded
    generated[..., 1] = real[0, ..., 1]
    scores = temporal_scores(generated, real)
    assert scores["correlated_series"] == apart["correlated_series"] == 3 * 5 * 2
    assert float(scores["correlation"]) == pytest.approx(float(apart["correlation"]))
    assert float(scores["difference_mae"]) > float(apart["difference_mae"]) * 0.5


def test_nothing_varies() -> None:
    scores = temporal_scores(noise(), torch.zeros(SHAPE))
    assert math.isnan(scores["correlation"])
    assert scores["correlated_series"] == 0


def test_pixels_and_bands_may_be_permuted_but_not_time() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    found = temporal_scores(generated, real)
    for permuted in (temporal_scores(generated.flip(axis), real.flip(axis)) for axis in (1, 2, 3)):
        for key, value in permuted.items():
            assert float(value) == pytest.approx(float(found[key]), rel=1e-6, abs=1e-7)
    order = torch.tensor([3, 0, 5, 1, 6, 2, 4])
    shuffled = temporal_scores(generated[order], real[order])
    assert float(shuffled["correlation"]) == pytest.approx(float(found["correlation"]), abs=1e-6)
    assert float(shuffled["difference_mae"]) != pytest.approx(float(found["difference_mae"]), rel=1e-3)


@pytest.mark.parametrize(("one", "other"), [(SHAPE, (7, 3, 5, 5)), ((7, 5), (7, 5))])
def test_shapes_that_do_not_fit_are_errors(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected two equal shapes"):
        temporal_scores(noise(*one), noise(*other))


def test_a_single_frame_has_no_course() -> None:
    scores = temporal_scores(noise(1, 3, 5, 4), noise(1, 3, 5, 4, seed=1))
    assert math.isnan(scores["correlation"])
    assert math.isnan(scores["difference_mae"])
