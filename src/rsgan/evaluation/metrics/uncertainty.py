"""Scores of predictions that say how uncertain they are: by a standard deviation of each value, or by samples.

Series are `(T, C, H, W)`, network scale, and are scored frame by frame, so that a view needs little memory beside its
own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from torch import Tensor

from src.rsgan.evaluation.metrics.images import single
from src.rsgan.evaluation.metrics.series import check_series
from src.rsgan.experiments import Generated

SHARES = (0.5, 0.8, 0.95)  # of the truth that central intervals claim to cover
NBINS = 10  # of values by their standard deviation


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Each value has a normal distribution.

    Attributes:
        mean: `(T, C, H, W)`.
        std: of the same shape and device.

    Raises:
        ValueError: If shapes differ, or a standard deviation is negative or not finite.
    """

    mean: Tensor
    std: Tensor

    def __post_init__(self) -> None:
        check_series(self.mean, self.std, "means and standard deviations")
        if not (torch.isfinite(self.std) & (self.std >= 0)).all():
            raise ValueError("found a standard deviation that is negative or not finite, expected 0 or more")

    def scores(self, step: int, real: Tensor) -> list[Tensor]:
        """CRPS of each value of a frame `(C, H, W)`, and whether each of `SHARES` covers it.

        σ (z (2 Φ(z) - 1) + 2 φ(z) - 1 / √π), z = (real - μ) / σ (Gneiting & Raftery 2007, section 4.2,
        doi:10.1198/016214506000001437); the absolute error where σ is 0.
        """
        error, std = real - single(self.mean[step]), single(self.std[step])
        z = _standardised(error, std)
        density = torch.exp(-z.square() / 2) * math.sqrt(2 / math.pi)
        crps = error * torch.erf(z / math.sqrt(2)) + std * (density - 1 / math.sqrt(math.pi))
        return [crps, *(error.abs() <= std * norm.ppf((1 + share) / 2).item() for share in SHARES)]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Each value has S samples, equally likely.

    Attributes:
        samples: `(S, T, C, H, W)`.

    Raises:
        ValueError: If there are fewer than two samples, which have no spread.
    """

    samples: Tensor

    def __post_init__(self) -> None:
        if self.samples.ndim != 5 or len(self.samples) < 2:
            found = f"found samples of shape {tuple(self.samples.shape)}"
            raise ValueError(f"{found}, expected (S, T, C, H, W) with at least two samples")

    @cached_property
    def mean(self) -> Tensor:
        return torch.stack([single(frames).mean(dim=0) for frames in self.samples.unbind(dim=1)])

    @cached_property
    def std(self) -> Tensor:
        """Standard deviation that errors of the mean have if the truth is like one more sample.

        The variance of S samples, divided by S - 1, times 1 + 1 / S (Fortin et al. 2014, doi:10.1175/JHM-D-14-0008.1).
        """
        factor = math.sqrt(1 + 1 / len(self.samples))
        return torch.stack([single(frames).std(dim=0) * factor for frames in self.samples.unbind(dim=1)])

    def scores(self, step: int, real: Tensor) -> list[Tensor]:
        """CRPS of each value of a frame `(C, H, W)`, and whether each of `SHARES` covers it.

        The CRPS is *fair* (Ferro 2014, doi:10.1002/qj.2270): the mean of |x - real| less half the mean of |x - x'| over
        pairs of different samples. With pairs of a sample and itself, few samples would do best to be too close.
        An interval ends at the places p (S + 1) and (1 - p) (S + 1) among the sorted samples (type 6 of Hyndman & Fan
        1996, doi:10.1080/00031305.1996.10473566): it covers its share of truths that are like one more sample.
        Undefined where that is before the first sample: 3, 9 and 39 samples are needed.
        """
        number = len(self.samples)
        ordered = single(self.samples[:, step]).sort(dim=0).values
        # the sum of x_j - x_i over pairs i < j, by how many are below and above each
        ranks = torch.arange(1 - number, number, 2, dtype=ordered.dtype)
        pairs = torch.einsum("s,s...->...", ranks, ordered - real)
        crps = (ordered - real).abs().mean(dim=0) - pairs / (number * (number - 1))
        return [crps, *(_covered(ordered, real, share) for share in SHARES)]


Prediction = Gaussian | Ensemble


def uncertainty_of(made: Generated) -> Prediction | None:
    """How uncertain what a method generated is, where it says so."""
    if made.samples is not None:
        return Ensemble(made.samples)
    return None if made.std is None else Gaussian(made.frames, made.std)


def uncertainty_scores(predicted: Prediction, real: Tensor) -> dict[str, float]:
    """Score a prediction's distributions against one view's real series.

    Returns:
        `crps`: continuous ranked probability score in reflectance, an absolute error that rewards knowing how large it
        will be; it is the mean absolute error of a prediction that claims certainty.
        `coverage_50`, `coverage_80`, `coverage_95`: share of values in central intervals of that probability.
        `squared_z`: mean of squared errors over variances, ideally 1 (Pernot 2024, arXiv:2402.10043). Of few samples it
        is above: (S - 1) / (S - 3) for normal ones.
        `ence`: see `ence`.

    Raises:
        ValueError: If shapes differ.
    """
    check_series(predicted.mean, real, "predicted and real series")
    sums = torch.zeros(len(SHARES) + 2, dtype=torch.float64)
    for step, frame in enumerate(map(single, real)):
        z = _standardised(frame - single(predicted.mean[step]), single(predicted.std[step]))
        every = [*predicted.scores(step, frame), z.square()]
        sums += torch.stack([values.mean(dtype=torch.float64) for values in every])
    crps, *covered, squared_z = (sums / len(real)).tolist()
    coverage = {f"coverage_{100 * share:.0f}": value for share, value in zip(SHARES, covered, strict=True)}
    calibration = ence(predicted.std, predicted.mean, real)
    return {"crps": crps / 2, **coverage, "squared_z": squared_z, "ence": calibration}


def ence(std: Tensor, mean: Tensor, real: Tensor) -> float:
    """Expected normalised calibration error: do errors grow with the standard deviation as they should?

    Mean of |RMV - RMSE| / RMV over bins of equally many values by standard deviation, RMV being the root of the mean
    variance (Levi et al. 2022, doi:10.3390/s22155540). Equal deviations stay in one bin, so there may be fewer than
    `NBINS`. 0 is ideal; infinite if certain values are wrong.
    """
    ordered = single(std).flatten().sort().values
    edges = ordered[[len(ordered) * number // NBINS for number in range(1, NBINS)]]
    sums = torch.zeros((3, NBINS), dtype=torch.float64)
    for frames in zip(std, mean, real, strict=True):
        deviation, predicted, true = (single(frame).contiguous() for frame in frames)
        bins = torch.bucketize(deviation, edges, right=True).flatten()
        every = (torch.ones_like(deviation), deviation.square(), (predicted - true).square())
        sums += torch.stack([torch.bincount(bins, values.flatten().double(), NBINS) for values in every])
    count, variance, error = sums[:, sums[0] > 0]
    rmv, rmse = (variance / count).sqrt(), (error / count).sqrt()
    return torch.where(rmv == rmse, 0, (rmv - rmse).abs() / rmv).mean().item()


def harm_auroc(std: Tensor, classified: Mapping[str, NDArray[np.int64]], classes: NDArray[np.integer]) -> float:
    """Whether uncertainty tells where generation harms: where a judge errs on generated series, and not on real ones.

    Args:
        std: `(T, C, H, W)`; a pixel's score is its mean.
        classified: `(H, W)` for `real` and `generated`: what the judge makes of the series.
        classes: `(H, W)`, the truth, 0 for background, which doesn't count.

    Returns:
        Area under the receiver operating characteristic: the probability that of a harmed and another pixel the harmed
        one is the more uncertain, ties counting half. 1/2 is chance; NaN unless there are both.
    """
    foreground = classes != 0
    right = {kind: (found == classes)[foreground] for kind, found in classified.items()}
    harmed = right["real"] & ~right["generated"]
    number, rest = np.count_nonzero(harmed), np.count_nonzero(~harmed)
    if not number or not rest:
        return math.nan
    ranks = rankdata(std.mean(dim=(0, 1), dtype=torch.float64).cpu().numpy()[foreground])
    return float((ranks[harmed].sum() - number * (number + 1) / 2) / (number * rest))


def _standardised(error: Tensor, std: Tensor) -> Tensor:
    """Errors in standard deviations: 0 where there is no error, infinite where only the deviation is 0."""
    return torch.where(error == 0, 0, error / std)


def _covered(ordered: Tensor, real: Tensor, share: float) -> Tensor:
    """Whether the central interval of sorted samples `(S, …)` covers real values; NaN if it would need more samples."""
    place = round((1 - share) / 2 * (len(ordered) + 1), 9) - 1  # from 0; rounded, as 0.05 / 2 · 40 should be 1
    if place < 0:
        return torch.full_like(real, torch.nan)
    number, rest = int(place), place % 1
    low = torch.lerp(ordered[number], ordered[number + 1], rest)
    high = torch.lerp(ordered[-1 - number], ordered[-2 - number], rest)
    return ((low <= real) & (real <= high)).to(real.dtype)
