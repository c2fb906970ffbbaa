"""Power spectra against numpy and scipy, ring by ring, and against filters whose transfer function is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import get_window

from src.rsgan.evaluation.metrics.texture import ROUNDING, power_spectrum, texture_scores

SHAPE = (4, 3, 24, 20)


def noise(*shape: int, seed: int = 0, std: float = 0.2) -> torch.Tensor:
    return std * torch.randn(shape or SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def radius(height: int, width: int) -> np.ndarray:
    """Cycles per pixel, at each place of a discrete Fourier transform."""
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))


def reference(frames: torch.Tensor) -> np.ndarray:
    """The whole transform of each band image, and a loop over rings."""
    height, width = frames.shape[2:]
    window = np.outer(get_window("hann", height), get_window("hann", width))
    power = np.zeros((height, width))
    images = (frames.numpy().reshape(-1, height, width) + 1) / 2
    for image in images:
        power += np.abs(np.fft.fft2((image - np.average(image, weights=window)) * window)) ** 2
    power /= len(images) * (window**2).sum()
    side = min(height, width)
    ring = np.round(radius(height, width) * side)
    return np.array([power[ring == number].mean() for number in range(1, side // 2 + 1)])


def blurred(frames: torch.Tensor, deviation: float) -> torch.Tensor:
    """Convolve with a Gaussian on a torus, whose transfer function is exp(-2 π² σ² f²)."""
    transfer = torch.from_numpy(np.exp(-2 * (np.pi * deviation * radius(*frames.shape[2:])) ** 2))
    return torch.fft.ifft2(torch.fft.fft2(frames) * transfer).real


@pytest.mark.parametrize("size", [(24, 20), (16, 40), (15, 15), (11, 32), (6, 7)])
def test_spectra_agree_with_whole_transforms_ring_by_ring(size: tuple[int, int]) -> None:
    frames = noise(7, 3, *size) + 0.3
    np.testing.assert_allclose(power_spectrum(frames), reference(frames), rtol=1e-6)


def test_white_noise_has_a_flat_spectrum_its_variance() -> None:
    found = power_spectrum(noise(40, 3, 32, 48, std=0.2))
    np.testing.assert_allclose(found[2:], (0.2 / 2) ** 2, rtol=0.05)
    np.testing.assert_allclose(found[:2], (0.2 / 2) ** 2, rtol=0.25)  # few frequencies


def test_a_wave_is_in_its_ring() -> None:
    waves = 0.5 * torch.cos(2 * math.pi * torch.arange(64) * 8 / 64).expand(1, 1, 32, 64)  # a period of 8 pixels
    found = power_spectrum(waves)
    assert found.argmax() == 32 / 8 - 1
    assert found[[*range(2), *range(6, 16)]].max() < 1e-6 * found.max()


def test_blur_multiplies_power_by_the_square_of_its_transfer_function() -> None:
    frames = noise(40, 3, 48, 36)
    made = blurred(frames, 0.5)
    frequency = np.arange(1, 19) / 36
    transfer = np.exp(-2 * (np.pi * 0.5 * frequency) ** 2)
    np.testing.assert_allclose(power_spectrum(made) / power_spectrum(frames), transfer**2, rtol=0.05)
    scores = texture_scores(made, frames)
    for number, name in enumerate(("low", "middle", "high")):
        expected = -2 * np.log10(transfer[6 * number : 6 * number + 6]).mean()
        assert float(scores[f"texture_{name}"]) == pytest.approx(expected, rel=0.02, abs=0.005)


def test_the_target_itself_is_ideal() -> None:
    assert not any(texture_scores(noise(), noise()).values())


@given(st.floats(0.1, 10), st.floats(-1, 1), st.integers(0, 99))
def test_contrast_counts_at_all_scales_and_brightness_at_none(gain: float, offset: float, seed: int) -> None:
    frames = noise(seed=seed)
    for one, other in ((gain * frames + offset, frames), (frames, gain * frames + offset)):
        for value in texture_scores(one, other).values():
            assert float(value) == pytest.approx(abs(2 * math.log10(gain)), abs=1e-4)


def test_frames_and_bands_may_be_permuted_and_axes_swapped() -> None:
    generated, real = noise(seed=1), blurred(noise(seed=2), 1)
    found = texture_scores(generated, real)
    for change in (lambda x: x.flip(0), lambda x: x.flip(1), lambda x: x.transpose(2, 3), lambda x: x.roll(1, 0)):
        for key, value in texture_scores(change(generated), change(real)).items():
            assert float(value) == pytest.approx(float(found[key]))


def test_no_texture_is_far_off_and_finite() -> None:
    frames = noise()
    flat = torch.full(SHAPE, 0.3)
    expected = np.log10(power_spectrum(frames) / ROUNDING).mean()
    for one, other in ((flat, frames), (frames, flat)):
        found = [float(value) for value in texture_scores(one, other).values()]
        assert np.mean(found) == pytest.approx(expected, rel=0.02)
        assert min(found) > 5
    assert not any(texture_scores(flat, flat + 0.2).values())


def test_one_flat_frame_costs_its_share_of_power_and_no_more() -> None:
    frames = noise()
    part = frames.clone()
    part[2] = 0.7
    for value in texture_scores(part, frames).values():
        assert 0 < float(value) < 0.3


def test_small_frames_lack_coarse_rings_only() -> None:
    scores = texture_scores(noise(2, 3, 5, 30, seed=1), noise(2, 3, 5, 30))
    assert [name for name, value in scores.items() if math.isnan(value)] == ["texture_low"]
    assert not any(map(math.isnan, texture_scores(noise(2, 3, 6, 30, seed=1), noise(2, 3, 6, 30)).values()))
    assert all(map(math.isnan, texture_scores(noise(2, 3, 1, 30, seed=1), noise(2, 3, 1, 30)).values()))


def test_shapes_that_do_not_fit_are_errors() -> None:
    with pytest.raises(ValueError, match="expected two equal shapes"):
        texture_scores(noise(), noise(4, 3, 24, 21))
