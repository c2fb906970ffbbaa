"""Image scores of generated frames against real ones, frame by frame.

Frames are in network scale, [-1, 1]; their *reflectance* is (x + 1) / 2. There are two protocols:

- the *original* one, comparable with published figures, whose PSNR, SSIM and SAM clamp frames at 0 and so can't see
  errors below reflectance 0.5;
- the *reflectance* one, which maps frames to reflectance and clamps nothing.

Wherever frames were made, they are scored on the CPU and in single precision, inner loops by `compiled`; sums over more
than a row, and so all scores, are in double precision.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.evaluation.metrics import compiled
from src.rsgan.evaluation.metrics.series import on_all_cores

Scores = dict[str, Tensor]

CLOUDY = 0.5  # opacity above which a pixel counts as cloudy
K1, K2 = 0.01, 0.03  # of the structural similarity
NORM_FLOOR = torch.finfo(torch.float16).eps  # of squared norms, in the original spectral angle
BANDS_AT_ONCE = 12  # band images that a core works on, few enough for its cache


@dataclass(frozen=True)
class Window:
    """The window of a structural similarity: uniform, or Gaussian."""

    radius: int  # pixels on each side of the central one
    deviation: float = math.inf  # of the Gaussian weights, in pixels; infinite for a uniform window
    correction: float = 1  # ratio of the covariance wanted to the weighted mean of products

    @property
    def weights(self) -> tuple[np.float32, ...]:
        """Weights along one axis, of sum 1; a pixel's weight is the product of its row's and column's."""
        weights = np.exp(-0.5 * (np.arange(-self.radius, self.radius + 1) / self.deviation) ** 2)
        return tuple((weights / weights.sum()).astype(np.float32))


UNIFORM = Window(radius=3, correction=49 / 48)  # covariances over the number of pixels less one
GAUSSIAN = Window(radius=5, deviation=1.5)


@dataclass(frozen=True)
class FrameScores:
    """Scores of N frames.

    Attributes:
        means: `(N,)` for each score. Original protocol: `original_mae`, `original_mse`, `original_psnr` (dB),
            `original_ssim`, `original_sam` (half turns). Reflectance protocol: `mae`, `mse`, `psnr` (dB), `ssim`,
            `sam` (degrees). PSNR and SSIM are means over the frame's band images, the others over its values or
            pixels. PSNR is infinite where a band image is exact.
        sums: `(N, R)` for each quantity, summed over the pixels of R regions, in reflectance: `pixels` (their
            number), `absolute` and `squared` (errors, a mean over bands) and `angle` (degrees). Empty without
            regions.
    """

    means: Scores
    sums: Scores

    @classmethod
    def concatenate(cls, parts: Sequence["FrameScores"]) -> "FrameScores":
        """Join the scores of several batches with the same regions."""
        return cls(_joined([part.means for part in parts]), _joined([part.sums for part in parts]))

    def of_view(self) -> dict[str, float]:
        """Average over frames, and add `rmse`, the root of the mean `mse`."""
        means = torch.stack([*self.means.values()]).mean(dim=1)
        scores = dict(zip(self.means, means.tolist(), strict=True))
        return scores | {"rmse": math.sqrt(scores["mse"])}


def opacity_region(opacity: Tensor, edges: Sequence[float] = (CLOUDY,)) -> Tensor:
    """Number pixels by the opacity of the cloud over them, by increasing edges; one exactly at an edge belongs below.

    By default, 0 is clear and 1 cloudy.
    """
    return torch.bucketize(opacity.contiguous(), opacity.new_tensor(edges))


def score_frames(generated: Tensor, real: Tensor, region: Tensor | None = None, *, nregions: int = 2) -> FrameScores:
    """Score frames in both protocols, each by itself, whichever it is scored together with.

    Args:
        generated: `(N, C, H, W)`, network scale, any floating type.
        real: the frames that they should be, same shape.
        region: `(N, H, W)` whole numbers: `opacity_region`, a class map, … Errors are then summed over the pixels of
            each region too.
        nregions: R; regions are numbered from 0 to R - 1, any other number is an error.

    Raises:
        ValueError: If shapes don't fit, or are empty.
    """
    _check(generated, real, region)
    step = max(1, BANDS_AT_ONCE // generated.shape[1])

    def score(start: int) -> FrameScores:
        ours, theirs, regions = (None if x is None else x[start : start + step] for x in (generated, real, region))
        return _score(single(ours), single(theirs), regions, nregions)

    return FrameScores.concatenate(on_all_cores(score, range(0, len(generated), step)))


def single(frames: Tensor) -> Tensor:
    """Bring frames to where and how they are scored: to the CPU, in single precision."""
    return frames.detach().float().cpu()


def spectral_angle(generated: Tensor, real: Tensor) -> Tensor:
    """Angle between spectra, `(N, H, W)` in degrees: how their shapes differ, whatever their brightness.

    The spectral angle mapper of Kruse et al. (1993), doi:10.1016/0034-4257(93)90013-N. Not the arc cosine of the
    normalised product, which resolves no angle below 0.02 degrees in single precision, but the arc tangent of the
    part of the generated spectrum that is perpendicular to the real one over the part that is parallel.

    A real spectrum of zeros has no shape that could be missed: its angle is 0, whatever was generated. A generated
    spectrum of zeros otherwise misses it by 90 degrees. In frames `(N, C, H, W)`, 0 is no light, in any unit.
    """
    parallel, perpendicular, *_ = _spectral_parts(generated, real)
    return torch.atan2(perpendicular, parallel).mul_(180 / math.pi)


def structural_similarity(generated: Tensor, real: Tensor, window: Window, *, data_range: float) -> Tensor:
    """Mean structural similarity (SSIM) of band images, over all windows that lie inside them.

    Wang et al. (2004), doi:10.1109/TIP.2003.819861, with K1 = 0.01 and K2 = 0.03. With μ and σ² the means and
    variances of the sum s and of the difference d of both images in a window, it is

        SSIM = (μ_s² - μ_d² + 2 c1) (σ_s² - σ_d² + 2 c2) / ((μ_s² + μ_d² + 2 c1) (σ_s² + σ_d² + 2 c2)),

    c1 = (K1 data_range)², c2 = (K2 data_range)²: one filter less than in means, variances and a covariance.

    Args:
        generated: `(N, C, H, W)`.
        real: the same shape.
        window: `UNIFORM` gives what scikit-image's `structural_similarity` does by default, `GAUSSIAN` what it does
            with `gaussian_weights=True, use_sample_covariance=False`.
        data_range: difference between the largest and the smallest possible value.

    Returns:
        `(N, C)`, -1 to 1; NaN where no window lies inside.
    """
    shape = generated.shape[:2]
    if min(generated.shape[2:]) <= 2 * window.radius:
        return torch.full(shape, torch.nan, dtype=torch.float64)
    c1, c2 = 2 * (K1 * data_range) ** 2, 2 * (K2 * data_range) ** 2 / window.correction
    images = (_array(frames.flatten(0, 1)) for frames in (generated, real))
    found = compiled.structural_similarity(*images, window.weights, np.float32(c1), np.float32(c2))
    return torch.from_numpy(found).reshape(shape)


def _joined(parts: list[Scores]) -> Scores:
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


def _check(generated: Tensor, real: Tensor, region: Tensor | None) -> None:
    if generated.ndim != 4 or generated.shape != real.shape or 0 in generated.shape:
        expected = "two equal shapes (N, C, H, W), none of them 0"
        raise ValueError(
            f"found frames of shapes {tuple(generated.shape)} and {tuple(real.shape)}, expected {expected}"
        )
    count, _, *size = generated.shape
    if region is not None and region.shape != (count, *size):
        raise ValueError(f"found regions of shape {tuple(region.shape)}, expected {(count, *size)} as frames have")


def _score(generated: Tensor, real: Tensor, region: Tensor | None, nregions: int) -> FrameScores:
    means = _original(generated, real)
    difference = (generated - real).div_(2)
    # Neither spectral angle nor SSIM changes with the unit: twice the reflectance saves a pass over memory.
    light, real_light = generated + 1, real + 1
    errors = {
        "absolute": difference.abs().mean(dim=1),  # (N, H, W)
        "squared": difference.square_(),  # (N, C, H, W)
        "angle": spectral_angle(light, real_light),
    }
    mse = _mean(errors["squared"])  # (N, C)
    means |= {
        "mae": _mean(errors["absolute"]),
        "mse": mse.mean(dim=1),
        "psnr": _psnr(mse),
        "ssim": structural_similarity(light, real_light, GAUSSIAN, data_range=2).mean(dim=1),
        "sam": _mean(errors["angle"]),
    }
    means |= {"original_mae": 2 * means["mae"], "original_mse": 4 * means["mse"]}
    return FrameScores(means, {} if region is None else _region_sums(errors, region, nregions))


def _original(generated: Tensor, real: Tensor) -> Scores:
    """Scores of the original protocol that clamp frames, each `(N,)`."""
    generated, real = generated.clamp_min(0), real.clamp_min(0)
    angle = _original_angle(generated, real)
    peak = torch.maximum(generated.amax(dim=(2, 3), keepdim=True), real.amax(dim=(2, 3), keepdim=True))
    peak = torch.where(peak > 0, peak, 1)
    mse = _mean((generated - real).div_(peak).square_())
    ssim = structural_similarity(generated.div_(peak), real.div_(peak), UNIFORM, data_range=2)
    return {"original_psnr": _psnr(mse), "original_ssim": ssim.mean(dim=1), "original_sam": _mean(angle) / math.pi}


def _original_angle(generated: Tensor, real: Tensor) -> Tensor:
    """Arc cosine of the product of spectra over their norms, whose squares are at least `NORM_FLOOR`: `(N, H, W)`."""
    # cos² = p² / AB, p the product and A, B the floored squares a, b: sin² = (ab - p²) / AB + (AB - ab) / AB
    parallel, perpendicular, square, real_square = _spectral_parts(generated, real)
    raised = square.clamp_min(NORM_FLOOR).mul_(real_square.clamp_min(NORM_FLOOR)).sub_(square.mul_(real_square))
    return torch.atan2(perpendicular.square_().add_(raised).sqrt_(), parallel)


def _spectral_parts(generated: Tensor, real: Tensor) -> tuple[Tensor, ...]:
    return tuple(map(torch.from_numpy, compiled.spectral_parts(_array(generated), _array(real))))


def _psnr(mse: Tensor) -> Tensor:
    """Mean peak signal-to-noise ratio of each frame's band images in dB, at peak 1, of their `(N, C)` errors."""
    return (-10 * torch.log10(mse)).mean(dim=1)


def _region_sums(errors: Scores, region: Tensor, nregions: int) -> Scores:
    """Sum errors, and count pixels, over each region of each frame: `(N, R)` each."""
    maps = errors | {"squared": errors["squared"].mean(dim=1)}
    sums = compiled.region_sums(tuple(map(_array, maps.values())), _array(region.long().cpu()), nregions)
    return dict(zip(["pixels", *maps], torch.from_numpy(sums).unbind(dim=1), strict=True))


def _mean(images: Tensor) -> Tensor:
    """Mean over the two last axes, in double precision."""
    # A row loses nothing in single precision, and that is ten times as fast.
    return images.sum(dim=-1).sum(dim=-1, dtype=torch.float64) / images.shape[-2:].numel()


def _array(tensor: Tensor) -> NDArray[Any]:
    return tensor.contiguous().numpy()
