"""Scores of uncertainty: closed forms for what is calibrated, integrals and loops for the rest, and their laws."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from src.rsgan.evaluation.metrics.uncertainty import (
    Ensemble,
    Gaussian,
    Prediction,
    ence,
    harm_auroc,
    uncertainty_scores,
)

SHAPE = (4, 3, 40, 50)  # 24 000 values
COVERAGES = {"coverage_50": 0.5, "coverage_80": 0.8, "coverage_95": 0.95}


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape or SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spread(seed: int = 0) -> torch.Tensor:
    """Normal values whose own distribution is as even as can be: means over them are nearly those of the law."""
    count = math.prod(SHAPE)
    places = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).double().add(0.5) / count
    return torch.special.ndtri(places).reshape(SHAPE)


def deviations(*shape: int, seed: int = 7) -> torch.Tensor:
    """From 0.05 to 0.5."""
    generator = torch.Generator().manual_seed(seed)
    return 0.05 + 0.45 * torch.rand(shape or SHAPE, generator=generator, dtype=torch.float64)


def ensemble(number: int, seed: int = 0, std: torch.Tensor | float = 0.3) -> tuple[Ensemble, torch.Tensor]:
    """Samples, and a truth that is like one more."""
    every = std * normal(number + 1, *SHAPE, seed=seed)
    return Ensemble(every[1:]), every[0]


def one_value(predicted: Prediction, real: float) -> dict[str, float]:
    return uncertainty_scores(predicted, torch.full((1, 1, 1, 1), real, dtype=torch.float64))


def values(*found: float) -> torch.Tensor:
    """Of a single pixel: `(…, 1, 1, 1, 1)`."""
    return torch.tensor(found, dtype=torch.float64).reshape(-1, 1, 1, 1, 1)


def test_a_calibrated_gaussian_is_ideal() -> None:
    mean, std = normal(seed=1), deviations()
    real = mean + std * spread(seed=2)
    found = uncertainty_scores(Gaussian(mean, std), real)
    assert found["crps"] == pytest.approx(float(std.mean()) / math.sqrt(math.pi) / 2, rel=0.02)
    assert {key: found[key] for key in COVERAGES} == pytest.approx(COVERAGES, abs=0.01)
    assert found["squared_z"] == pytest.approx(1, rel=0.02)
    assert found["ence"] < 0.025


@given(st.floats(0.2, 5))
@settings(max_examples=20)
def test_deviations_that_are_wrong_by_a_factor(factor: float) -> None:
    """They claim `factor` times the deviation that errors have: closed forms of coverage, z and calibration."""
    std = deviations()
    found = uncertainty_scores(Gaussian(torch.zeros(SHAPE), factor * std), std * spread(seed=2))
    assert found["squared_z"] == pytest.approx(1 / factor**2, rel=0.02)
    assert found["ence"] == pytest.approx(abs(1 - 1 / factor), abs=0.025 / factor)
    for key, share in COVERAGES.items():
        assert found[key] == pytest.approx(2 * norm.cdf(factor * norm.ppf((1 + share) / 2)) - 1, abs=0.015)
    # E|X - Y| of independent normal values, and half that of two of the prediction
    std = float(std.mean())
    crps = std * (math.sqrt(2 * (1 + factor**2) / math.pi) - factor / math.sqrt(math.pi))
    assert found["crps"] == pytest.approx(crps / 2, rel=0.03)


@given(st.floats(-2, 2), st.floats(0.01, 1), st.floats(-2, 2))
@settings(max_examples=10)
def test_crps_is_the_integral_of_squared_differences_of_distribution_functions(
    mean: float, std: float, real: float
) -> None:
    below = quad(lambda x: norm.cdf(x, mean, std) ** 2, min(mean - 40 * std, real), real, limit=500)[0]
    above = quad(lambda x: norm.sf(x, mean, std) ** 2, real, max(mean + 40 * std, real), limit=500)[0]
    found = one_value(Gaussian(values(mean)[0], values(std)[0]), real)
    assert found["crps"] == pytest.approx((below + above) / 2, rel=1e-5, abs=1e-7)


def test_certainty_has_the_absolute_error() -> None:
    mean, real = normal(seed=1), normal(seed=2)
    mean[0] = real[0]
    certain = torch.zeros(SHAPE)
    for predicted in (Gaussian(mean, certain), Ensemble(mean.expand(4, *SHAPE))):
        found = uncertainty_scores(predicted, real)
        assert found["crps"] == pytest.approx(float((mean - real).abs().mean()) / 2)
        assert found["coverage_50"] == 0.25
        assert found["squared_z"] == found["ence"] == math.inf
    right = uncertainty_scores(Gaussian(real, certain), real)
    assert right == {"crps": 0, **dict.fromkeys(COVERAGES, 1), "squared_z": 0, "ence": 0}


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8), st.floats(-3, 3))
def test_fair_crps_agrees_with_loops_over_pairs(samples: list[float], real: float) -> None:
    pairs = [abs(one - other) for one, other in combinations(samples, 2)]
    expected = np.mean(np.abs(np.array(samples) - real)) - np.mean(pairs) / 2
    assert one_value(Ensemble(values(*samples)), real)["crps"] == pytest.approx(expected / 2, abs=1e-6)


@pytest.mark.parametrize("number", [2, 3, 10, 39])
def test_a_calibrated_ensemble_of_any_size(number: int) -> None:
    """Fair: the mean score is that of the distribution that samples are drawn from; coverage is nominal."""
    predicted, real = ensemble(number)
    found = uncertainty_scores(predicted, real)
    assert found["crps"] == pytest.approx(0.3 / math.sqrt(math.pi) / 2, rel=0.03)
    for key, needed in zip(COVERAGES, (3, 9, 39), strict=True):
        if number < needed:
            assert math.isnan(found[key])
        else:
            assert found[key] == pytest.approx(COVERAGES[key], abs=0.015)
    if number > 10:
        assert found["squared_z"] == pytest.approx((number - 1) / (number - 3), rel=0.03)
    assert float(predicted.std.square().mean()) == pytest.approx(
        float((predicted.mean - real).square().mean()), rel=0.03
    )


def test_many_samples_are_like_their_distribution() -> None:
    std = deviations()
    predicted, _ = ensemble(150, std=std)
    real = std * normal(seed=5) + 0.1
    found, expected = (uncertainty_scores(x, real) for x in (predicted, Gaussian(torch.zeros(SHAPE), std)))
    assert found["crps"] == pytest.approx(expected["crps"], rel=0.01)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=0.02)


@given(st.floats(0.1, 10), st.floats(-1, 1), st.integers(0, 9))
@settings(max_examples=20)
def test_units_change_nothing_but_crps(gain: float, offset: float, seed: int) -> None:
    shape = (2, 2, 6, 5)
    real, mean, std = normal(*shape, seed=seed), normal(*shape, seed=seed + 1), deviations(*shape, seed=seed)
    samples = normal(9, *shape, seed=seed + 2)
    for one, other in (
        (Gaussian(mean, std), Gaussian(gain * mean + offset, gain * std)),
        (Ensemble(samples), Ensemble(gain * samples + offset)),
    ):
        before, after = uncertainty_scores(one, real), uncertainty_scores(other, gain * real + offset)
        assert after.pop("crps") == pytest.approx(gain * before.pop("crps"))
        assert after == pytest.approx(before, nan_ok=True)


def test_samples_and_pixels_may_be_permuted() -> None:
    predicted, real = ensemble(10, std=deviations())
    found = uncertainty_scores(predicted, real)
    assert uncertainty_scores(Ensemble(predicted.samples.flip(0)), real) == pytest.approx(found, nan_ok=True)
    for axis in range(4):
        flipped = Ensemble(predicted.samples.flip(axis + 1)), real.flip(axis)
        assert uncertainty_scores(*flipped) == pytest.approx(found, nan_ok=True)


def test_calibration_agrees_with_a_loop_over_bins() -> None:
    std, error = deviations(), normal(seed=3) * 0.2
    order = np.argsort(std.flatten().numpy())
    expected = []
    for part in np.array_split(order, 10):
        rmv, rmse = (math.sqrt((x.flatten().numpy()[part] ** 2).mean()) for x in (std, error))
        expected.append(abs(rmv - rmse) / rmv)
    assert ence(std, error, torch.zeros(SHAPE)) == pytest.approx(np.mean(expected))


def test_calibration_is_of_each_deviation_and_not_of_their_mean() -> None:
    """Two levels, in swapped places: right on average, wrong everywhere."""
    std = torch.where(torch.arange(50) < 25, 0.1, 0.2).expand(SHAPE)
    error = normal(seed=1) * std.flip(3)
    found = uncertainty_scores(Gaussian(error, std), torch.zeros(SHAPE))
    assert found["ence"] == pytest.approx((1 + 0.5) / 2, rel=0.02)


def test_equal_deviations_are_one_bin() -> None:
    error = normal(seed=1)
    rmse = float(error.square().mean().sqrt())
    assert ence(torch.full(SHAPE, 0.5), error, torch.zeros(SHAPE)) == pytest.approx(abs(0.5 - rmse) / 0.5)


def judged(seed: int = 0) -> tuple[torch.Tensor, dict[str, np.ndarray], np.ndarray]:
    """Deviations with ties, class maps that a judge makes, and true ones."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 4, (12, 9))
    maps = {
        kind: np.where(rng.random((12, 9)) < right, classes, 0) for kind, right in (("real", 0.9), ("generated", 0.6))
    }
    std = torch.from_numpy(rng.integers(1, 6, (1, 1, 12, 9)) / 10) + torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1)
    return std, maps, classes


@given(st.integers(0, 999))
@settings(max_examples=25)
def test_harm_agrees_with_scikit_learn(seed: int) -> None:
    std, maps, classes = judged(seed)
    harmed = (maps["real"] == classes) & (maps["generated"] != classes)
    chosen = classes > 0
    expected = roc_auc_score(harmed[chosen], std.mean(dim=(0, 1)).numpy()[chosen].round(9))
    assert harm_auroc(std, maps, classes) == pytest.approx(expected)
    assert harm_auroc(1 - std, maps, classes) == pytest.approx(1 - expected)


def test_harm_that_is_known_and_harm_that_is_not() -> None:
    _, maps, classes = judged()
    harmed = torch.from_numpy((maps["real"] == classes) & (maps["generated"] != classes))
    known = (0.1 + harmed.double()).expand(2, 3, 12, 9)
    assert harm_auroc(known, maps, classes) == 1
    assert harm_auroc(1.2 - known, maps, classes) == 0
    assert harm_auroc(torch.full((2, 3, 12, 9), 0.1), maps, classes) == 0.5


def test_without_harm_or_with_nothing_else_there_is_no_curve() -> None:
    std, maps, classes = judged()
    assert math.isnan(harm_auroc(std, maps | {"generated": classes}, classes))
    assert math.isnan(harm_auroc(std, maps, np.zeros_like(classes)))
    every = np.ones_like(classes)
    assert math.isnan(harm_auroc(std, {"real": every, "generated": 2 * every}, every))


def test_what_is_wrong_is_named() -> None:
    real = normal()
    with pytest.raises(ValueError, match="means and standard deviations of shapes"):
        Gaussian(real, deviations(2, 3, 4, 5))
    for wrong in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="negative or not finite"):
            Gaussian(real, torch.full(SHAPE, wrong))
    for samples in (real, real[None]):
        with pytest.raises(ValueError, match="at least two samples"):
            Ensemble(samples)
    with pytest.raises(ValueError, match="predicted and real series of shapes"):
        uncertainty_scores(Ensemble(normal(2, *SHAPE)), real[:2])
