"""Image scores of generated frames against real ones, frame by frame.

Frames are in network scale, [-1, 1]; their *reflectance* is (x + 1) / 2. There are two protocols:

- the *original* one, comparable with published figures, whose PSNR, SSIM and SAM clamp frames at 0 and so can't see
  errors below reflectance 0.5;
- the *reflectance* one, which maps frames to reflectance and clamps nothing.

All is tensor algebra over frames and bands at once, on the frames' own device, which the host never waits for: only
`FrameScores.of_view` fetches numbers. Frames are scored in double precision, except that a
CPU scores those that come in less in single precision, and then leaves the inner loops to `compiled`.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d

from src.rsgan.evaluation.metrics import compiled

Scores = dict[str, Tensor]

CLOUDY = 0.5  # opacity above which a pixel counts as cloudy
K1, K2 = 0.01, 0.03  # of the structural similarity
NORM_FLOOR = torch.finfo(torch.float16).eps  # of squared norms, in the original spectral angle
BANDS_AT_ONCE = 12  # band images that a core works on, few enough for its cache


@dataclass(frozen=True)
class Window:
    """The window of a structural similarity: uniform, or Gaussian.

    Attributes:
        radius: pixels on each side of the central one.
        deviation: standard deviation of the Gaussian weights in pixels; infinite for a uniform window.
        unbiased: divide covariances by the number of pixels less one, not by that number.
    """

    radius: int
    deviation: float = math.inf
    unbiased: bool = False

    @property
    def side(self) -> int:
        return 2 * self.radius + 1

    @property
    def correction(self) -> float:
        """Ratio of the covariance wanted to the weighted mean of products."""
        return self.side**2 / (self.side**2 - 1) if self.unbiased else 1.0

    def weights(self, like: Tensor) -> Tensor:
        """Weights `(side,)` along one axis, of sum 1; a pixel's weight is the product of its row's and column's."""
        lag = torch.arange(-self.radius, self.radius + 1, dtype=torch.float64, device=like.device)
        weights = torch.exp(-0.5 * (lag / self.deviation) ** 2)
        return (weights / weights.sum()).to(like.dtype)


UNIFORM = Window(radius=3, unbiased=True)
GAUSSIAN = Window(radius=5, deviation=1.5)


@dataclass(frozen=True)
class FrameScores:
    """Scores of N frames, on their device, in double precision.

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
        """Average over frames, and add `rmse`, the root of the mean `mse`; NaN without frames. Waits for the device."""
        values = torch.stack([*self.means.values()]).mean(dim=1)
        scores = dict(zip(self.means, values.tolist(), strict=True))
        return scores | {"rmse": math.sqrt(scores["mse"])}


def opacity_region(opacity: Tensor, edges: Sequence[float] = (CLOUDY,)) -> Tensor:
    """Number pixels by the opacity of the cloud over them, by increasing edges; one exactly at an edge belongs below.

    By default, 0 is clear and 1 cloudy.
    """
    return torch.bucketize(opacity.contiguous(), opacity.new_tensor(edges)).to(torch.uint8)


def score_frames(generated: Tensor, real: Tensor, region: Tensor | None = None, *, nregions: int = 2) -> FrameScores:
    """Score frames in both protocols, each by itself, whichever it is scored together with.

    Args:
        generated: `(N, C, H, W)`, network scale, any floating type.
        real: the frames that they should be, same shape and device.
        region: `(N, H, W)` whole numbers, same device: `opacity_region`, a class map, … Errors are then summed over
            the pixels of each region too.
        nregions: R; regions are numbered from 0 to R - 1, any other number is an error.

    Raises:
        ValueError: If shapes don't fit, or are empty.
    """
    _check(generated, real, region)
    score = partial(_score, nregions=nregions)
    if generated.device.type != "cpu":
        return score(generated, real, region)
    step = max(1, BANDS_AT_ONCE // generated.shape[1])
    starts = range(0, len(generated), step)
    batches = [[None if x is None else x[i : i + step] for x in (generated, real, region)] for i in starts]
    return FrameScores.concatenate(_on_all_cores(score, batches))


def precise(frames: Tensor) -> Tensor:
    """Bring frames to the precision in which they are scored: double; single on a CPU, unless they are double there."""
    # Elsewhere than on a CPU, convolutions in single precision may round what they read to ten bits (TensorFloat-32).
    single = frames.device.type == "cpu" and frames.dtype != torch.float64
    return frames.detach().to(torch.float32 if single else torch.float64)


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
        real: the same shape, type and device.
        window: `UNIFORM` gives what scikit-image's `structural_similarity` does by default, `GAUSSIAN` what it does
            with `gaussian_weights=True, use_sample_covariance=False`.
        data_range: difference between the largest and the smallest possible value.

    Returns:
        `(N, C)` in double precision, -1 to 1; NaN where no window lies inside.
    """
    if min(generated.shape[2:]) < window.side:
        return generated.new_full(generated.shape[:2], torch.nan, dtype=torch.float64)
    weights = window.weights(generated)
    c1, c2 = 2 * (K1 * data_range) ** 2, 2 * (K2 * data_range) ** 2 / window.correction
    if _single(generated):
        images = (_array(frames.flatten(0, 1)) for frames in (generated, real))
        found = compiled.structural_similarity(*images, tuple(weights.numpy()), np.float32(c1), np.float32(c2))
        return torch.from_numpy(found).reshape(generated.shape[:2])
    mean_s, variance_s = _moments(generated + real, weights)
    mean_d, variance_d = _moments(generated - real, weights)
    a, b, a_, b_ = mean_s.square() + c1, mean_d.square(), variance_s + c2, variance_d
    # (a - b)(a' - b') / ((a + b)(a' + b')) = 1 - 2 (a b' + b a') / ((a + b)(a' + b')), exactly 1 for equal images
    return 1 - 2 * ((a * b_ + b * a_) / ((a + b) * (a_ + b_))).mean(dim=(2, 3))


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


def _on_all_cores(score: Callable[..., FrameScores], batches: list[list[Tensor | None]]) -> list[FrameScores]:
    """Score batches side by side, each on one core: less waiting than for all cores after each small operation."""
    ncores = torch.get_num_threads()
    if min(ncores, len(batches)) == 1:
        return [score(*batch) for batch in batches]
    with ThreadPoolExecutor(ncores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            return list(pool.map(lambda batch: score(*batch), batches))
        finally:
            torch.set_num_threads(ncores)


@torch.no_grad()
def _score(generated: Tensor, real: Tensor, region: Tensor | None, *, nregions: int) -> FrameScores:
    with torch.autocast(generated.device.type, enabled=False):
        generated, real = precise(generated), precise(real)
        means = _original(generated, real)
        difference = (generated - real).div_(2)
        # Neither spectral angle nor SSIM changes with the unit: twice the reflectance saves a pass over memory.
        light, real_light = generated + 1, real + 1
        errors = {
            "absolute": difference.abs().mean(dim=1),  # (N, H, W)
            "squared": difference.square_(),  # (N, C, H, W)
            "angle": spectral_angle(light, real_light),
        }
        means |= _reflectance(errors, structural_similarity(light, real_light, GAUSSIAN, data_range=2))
        means |= {"original_mae": 2 * means["mae"], "original_mse": 4 * means["mse"]}
        return FrameScores(means, {} if region is None else _region_sums(errors, region, nregions))


def _reflectance(errors: Scores, ssim: Tensor) -> Scores:
    """Scores of the reflectance protocol, each `(N,)`, from errors and from the similarities `(N, C)`."""
    mse = _mean(errors["squared"])  # (N, C)
    return {
        "mae": _mean(errors["absolute"]),
        "mse": mse.mean(dim=1),
        "psnr": _psnr(mse),
        "ssim": ssim.mean(dim=1),
        "sam": _mean(errors["angle"]),
    }


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
    """Product of the norms of spectra with cosine and with sine of their angle, and both squared norms.

    Where the first is 0, the second is positive, so that a generated zero is at a right angle, unless both are zeros.
    """
    if _single(real):
        return tuple(map(torch.from_numpy, compiled.spectral_parts(_array(generated), _array(real))))
    parallel = (generated * real).sum(dim=1)
    square, real_square = generated.square().sum(dim=1), real.square().sum(dim=1)
    share = parallel / torch.where(real_square > 0, real_square, 1)
    rest = (generated - share.unsqueeze(1) * real).square().sum(dim=1)
    perpendicular = torch.where(parallel == 0, real_square, rest.sqrt() * real_square.sqrt())
    return parallel, perpendicular, square, real_square


def _psnr(mse: Tensor) -> Tensor:
    """Mean peak signal-to-noise ratio of each frame's band images in dB, at peak 1, of their `(N, C)` errors."""
    return (-10 * torch.log10(mse)).mean(dim=1)


def _region_sums(errors: Scores, region: Tensor, nregions: int) -> Scores:
    """Sum errors, and count pixels, over each region of each frame: `(N, R)` each."""
    maps = errors | {"squared": errors["squared"].mean(dim=1)}
    region = region.long()
    if _single(maps["angle"]):
        sums = compiled.region_sums(tuple(map(_array, maps.values())), _array(region), nregions)
        return dict(zip(["pixels", *maps], torch.from_numpy(sums).unbind(dim=1), strict=True))
    maps |= {"pixels": torch.ones_like(maps["angle"])}
    none = maps["angle"].new_zeros(len(region), nregions)
    return {key: none.scatter_add(1, region.flatten(1), values.flatten(1)) for key, values in maps.items()}


def _mean(images: Tensor) -> Tensor:
    """Mean over the two last axes, in double precision."""
    # A row loses nothing in single precision, and that is ten times as fast on a CPU.
    return images.sum(dim=-1).sum(dim=-1, dtype=torch.float64) / images.shape[-2:].numel()


def _moments(frames: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Means and variances in all windows of band images."""
    mean = _average(frames, weights)
    return mean, _average(frames.square(), weights) - mean.square()


def _average(frames: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean in all windows of band images."""
    images = frames.flatten(0, 1).unsqueeze(1)  # (N C, 1, H, W)
    means = conv2d(conv2d(images, weights.reshape(1, 1, -1, 1)), weights.reshape(1, 1, 1, -1))
    return means.reshape(*frames.shape[:2], *means.shape[2:])


def _single(frames: Tensor) -> bool:
    """Whether frames are scored in single precision: on a CPU, by compiled loops."""
    return frames.dtype == torch.float32


def _array(tensor: Tensor) -> NDArray[Any]:
    """View a tensor on the CPU as a contiguous array."""
    return tensor.contiguous().numpy()
