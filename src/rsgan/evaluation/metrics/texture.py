"""Texture: whether generated frames vary in space as real ones do, at coarse and at fine scales."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.evaluation.metrics.images import BANDS_AT_ONCE, single
from src.rsgan.evaluation.metrics.series import check_series, on_all_cores

RANGES = ("low", "middle", "high")  # of spatial frequency, a third of the way to Nyquist each
# Variance of rounding to steps of 0.0001, in which Sentinel-2 reflectance is delivered: what is below is nothing.
ROUNDING = 1e-4**2 / 12


def texture_scores(generated: Tensor, real: Tensor) -> dict[str, float]:
    """Compare the power spectra of one view's frames, `(T, C, H, W)` in network scale.

    Returns:
        `texture_low`, `texture_middle` and `texture_high`: the mean of |log10(P_generated / P_real)| over the rings of
        `power_spectrum` up to 1/6, 1/3 and 1/2 cycles per pixel; 0 is ideal, 1 is ten times too much or too little.
        Either P is at least `ROUNDING`, so a frame without texture has a large, finite score. NaN for a range without
        a ring, in frames of fewer than six pixels a side.

    Raises:
        ValueError: If shapes differ.
    """
    check_series(generated, real)
    one, other = (np.log10(np.maximum(power_spectrum(frames), ROUNDING)) for frames in (generated, real))
    third = (6 * np.arange(1, len(one) + 1) - 1) // min(real.shape[2:])  # exact for a ring on the edge of two ranges
    sums, counts = np.bincount(third, np.abs(one - other), 3), np.bincount(third, minlength=3)
    means = sums / np.where(counts, counts, np.nan)
    return {f"texture_{name}": mean for name, mean in zip(RANGES, means.tolist(), strict=True)}


def power_spectrum(frames: Tensor) -> NDArray[np.float64]:
    """Radial power spectrum of frames in reflectance, averaged over frames and bands.

    Their mean comes before any ratio or logarithm, so that one flat frame or band doesn't decide a view's score. Each
    band image is freed from its mean, which is brightness and not texture, and tapered by a Hann window, without which
    the jump from one border to the opposite one would pass for fine texture (Harris 1978,
    doi:10.1109/PROC.1978.10837). White noise has a flat spectrum, its variance.

    Args:
        frames: `(T, C, H, W)`, network scale.

    Returns:
        `(S // 2,)`, S = min(H, W): the mean power in rings around k / S cycles per pixel, 1 / S wide, for k = 1, 2, …
        up to Nyquist. What lies beyond, in the corners, belongs to no ring.
    """
    images = single(frames).flatten(0, 1)
    height, width = images.shape[1:]
    rows, columns = map(torch.hann_window, (height, width))
    window = rows[:, None] * columns

    def power(images: Tensor) -> NDArray[np.float32]:
        tapered = images * window
        means = tapered.sum(dim=(1, 2), keepdim=True) / window.sum()  # so weighted, nothing is left at frequency 0
        spectra = torch.view_as_real(torch.fft.rfft2(tapered.addcmul_(means, window, value=-1)))
        return spectra.square_().sum(dim=0).sum(dim=-1).numpy()  # (H, W // 2 + 1)

    total = np.sum(on_all_cores(power, images.split(BANDS_AT_ONCE)), axis=0, dtype=np.float64)
    scale = 4 * len(images) * np.square(window.numpy(), dtype=np.float64).sum()  # reflectance is half as large
    return _ring_means(total / scale, width)


def _ring_means(power: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Average `(H, W // 2 + 1)`, half a spectrum, over rings of both halves."""
    side = min(len(power), width)
    radius = np.hypot(np.fft.fftfreq(len(power))[:, None], np.fft.rfftfreq(width))
    ring = np.rint(radius * side).astype(np.int64).ravel()
    weight = np.full_like(power, 2)  # each frequency and its opposite
    weight[:, 0] = 1
    if width % 2 == 0:
        weight[:, -1] = 1
    sums, counts = (np.bincount(ring, values.ravel()) for values in (power * weight, weight))
    return (sums / counts)[1 : side // 2 + 1]
