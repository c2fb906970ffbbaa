"""Temporal fidelity: how well generated pixel series follow real ones."""

import torch
from torch import Tensor

from src.rsgan.evaluation.metrics.images import Scores, precise


@torch.no_grad()
def temporal_scores(generated: Tensor, real: Tensor) -> Scores:
    """Compare the series of one view, pixel by pixel and band by band: `(T, C, H, W)` in order of time, network scale.

    Returns:
        Scalars on their device: `correlation`, the mean of Pearson's correlation over time, over the series where it is
        defined, those that vary both generated and real (NaN if there is none); `correlated_series`, their number;
        `difference_mae`, mean absolute error of the differences between successive frames, in reflectance (NaN for a
        single frame).

    Raises:
        ValueError: If shapes differ.
    """
    if generated.ndim != 4 or generated.shape != real.shape:
        shapes = f"{tuple(generated.shape)} and {tuple(real.shape)}"
        raise ValueError(f"found series of shapes {shapes}, expected two equal shapes (T, C, H, W)")
    generated, real = precise(generated), precise(real)
    defined = _varies(generated) & _varies(real)
    count = defined.sum()
    correlation = torch.where(defined, _correlation(generated, real), 0)
    return {
        "correlation": correlation.sum(dtype=torch.float64) / count,
        "correlated_series": count,
        "difference_mae": (generated - real).diff(dim=0).abs_().mean(dtype=torch.float64) / 2,
    }


def _varies(series: Tensor) -> Tensor:
    """Where `(T, …)` series aren't constant."""
    return (series != series[0]).any(dim=0)


def _correlation(one: Tensor, other: Tensor) -> Tensor:
    """Pearson's correlation of `(T, …)` series: `(…)`, NaN where one is constant."""
    one, other = one - one.mean(dim=0), other - other.mean(dim=0)
    norms = one.square().sum(dim=0).sqrt_() * other.square().sum(dim=0).sqrt_()
    return (one * other).sum(dim=0).div_(norms).clamp_(-1, 1)
