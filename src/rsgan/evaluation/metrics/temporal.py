"""Temporal fidelity: how well generated pixel series follow real ones."""

import math

import torch
from torch import Tensor

from src.rsgan.evaluation.metrics.images import single
from src.rsgan.evaluation.metrics.series import check_series, on_all_cores

ROWS_AT_ONCE = 16  # of all frames, few enough for a core's cache


def temporal_scores(generated: Tensor, real: Tensor) -> dict[str, float]:
    """Compare the series of one view, pixel by pixel and band by band: `(T, C, H, W)` in order of time, network scale.

    Returns:
        `correlation`, the mean of Pearson's correlation over time, over the series where it is defined, those that vary
        both generated and real (NaN if there is none); `nnse`, see `nnse`; `difference_mae`, mean absolute error of the
        differences between successive frames, in reflectance (NaN for a single frame).

    Raises:
        ValueError: If shapes differ.
    """
    check_series(generated, real)
    generated, real = single(generated), single(real)
    defined = (generated != generated[0]).any(dim=0) & (real != real[0]).any(dim=0)
    correlation = torch.where(defined, _correlation(generated, real), 0)
    return {
        "correlation": float(correlation.sum(dtype=torch.float64) / defined.sum()),
        "nnse": nnse(generated, real),
        "difference_mae": float((generated - real).diff(dim=0).abs_().mean(dtype=torch.float64) / 2),
    }


def nnse(generated: Tensor, real: Tensor) -> float:
    """Normalised Nash–Sutcliffe efficiency of pixel series, averaged: how much of their course is explained.

    NNSE = 1 / (2 - NSE), with NSE = 1 - Σ (generated - real)² / Σ (real - mean of real)² over time (Nash & Sutcliffe
    1970, doi:10.1016/0022-1694(70)90255-6; normalised as by Nossent & Bauwens 2012). The real series itself has 1, its
    mean at all steps 1/2, anything worse less. So unlike a correlation it is defined for constant predictions, and
    counts errors of gain and offset.

    Args:
        generated: `(T, C, H, W)`, in order of time.
        real: the same shape.

    Returns:
        The mean over pixels and bands whose real series varies; NaN if there is none.
    """
    parts = zip(*(frames.split(ROWS_AT_ONCE, dim=2) for frames in (generated, real)), strict=True)
    total, count = map(sum, zip(*on_all_cores(lambda part: _efficiencies(*map(single, part)), parts), strict=True))
    return total / count if count else math.nan


def _efficiencies(generated: Tensor, real: Tensor) -> tuple[float, int]:
    """Sum of efficiencies, and their number."""
    varies = (real != real[0]).any(dim=0)
    error = (generated - real).square_().sum(dim=0)
    spread = (real - real.mean(dim=0)).square_().sum(dim=0)
    return float(torch.where(varies, spread / (error + spread), 0).sum(dtype=torch.float64)), int(varies.sum())


def _correlation(one: Tensor, other: Tensor) -> Tensor:
    """Pearson's correlation of `(T, …)` series: `(…)`, NaN where one is constant."""
    one, other = one - one.mean(dim=0), other - other.mean(dim=0)
    norms = one.square().sum(dim=0).sqrt_() * other.square().sum(dim=0).sqrt_()
    return (one * other).sum(dim=0).div_(norms).clamp_(-1, 1)
