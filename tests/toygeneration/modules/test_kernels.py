"""Kernels are their formulas, and every one of them factorises."""

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.gaussian_process import kernels as reference

from src.toygeneration.modules.kernels import KERNELS, Kernel

CASES = [
    ({"name": "rbf", "length_scale": 2.5}, reference.RBF(2.5)),
    (
        {"name": "rational_quadratic", "length_scale": 3.0, "alpha": 0.7},
        reference.RationalQuadratic(length_scale=3.0, alpha=0.7),
    ),
    (
        {"name": "sin_squared", "length_scale": 1.5, "periodicity": 9.0},
        reference.ExpSineSquared(length_scale=1.5, periodicity=9.0),
    ),
    ({"name": "constant", "constant_value": 0.8}, reference.ConstantKernel(0.8)),
]


def kernel(config: dict) -> Kernel:
    return TypeAdapter(KERNELS.choice).validate_python(config)


def test_there_are_four() -> None:
    assert list(KERNELS) == ["constant", "rational_quadratic", "rbf", "sin_squared"]


@pytest.mark.parametrize(("config", "oracle"), CASES)
def test_covariance_agrees_with_scikit_learn(config: dict, oracle: reference.Kernel) -> None:
    pixels = np.arange(40.0)
    lag = np.abs(pixels[:, None] - pixels)
    assert np.allclose(kernel(config)(lag), oracle(pixels[:, None]))


@pytest.mark.parametrize(("config", "oracle"), CASES)
def test_factor_times_its_transpose_is_the_covariance(config: dict, oracle: reference.Kernel) -> None:
    factor = kernel(config).factor(120)
    assert np.array_equal(factor, np.tril(factor))
    assert np.allclose(factor @ factor.T, oracle(np.arange(120.0)[:, None]), atol=1e-9)


@pytest.mark.parametrize(("config", "oracle"), CASES)
def test_leading_blocks_serve_shorter_sides(config: dict, oracle: reference.Kernel) -> None:
    long, pixels = kernel(config).factor(90)[:30, :30], np.arange(30.0)[:, None]
    assert np.allclose(long @ long.T, oracle(pixels), atol=1e-9)


@pytest.mark.parametrize("length_scale", [0.05, 1, 30, 1000, 1e6])
@pytest.mark.parametrize("side", [1, 2, 333, 1200])
def test_smooth_and_rough_kernels_factorise(length_scale: float, side: int) -> None:
    factor = kernel({"name": "rbf", "length_scale": length_scale}).factor(side)
    assert np.isfinite(factor).all()
    assert np.allclose((factor**2).sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 1, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("length_scale", [0.5, 10, 1e5])
def test_rational_quadratic_factorises_and_tends_to_the_rbf(alpha: float, length_scale: float) -> None:
    config = {"name": "rational_quadratic", "length_scale": length_scale, "alpha": alpha}
    assert np.isfinite(kernel(config).factor(300)).all()
    if alpha >= 1e6:
        lag = np.arange(40.0)
        assert np.allclose(kernel(config)(lag), np.exp(-0.5 * (lag / length_scale) ** 2), atol=1e-3)


def test_a_constant_of_0_gives_no_field() -> None:
    assert np.allclose(kernel({"name": "constant", "constant_value": 0.0}).factor(5), 0, atol=1e-100)
