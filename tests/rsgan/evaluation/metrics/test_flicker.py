"""Flicker against numpy, pixel by pixel, and its laws: parcels may change and textures may differ, but stand still."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan.evaluation.metrics.flicker import flicker
from src.rsgan.evaluation.metrics.texture import ROUNDING

pytestmark = pytest.mark.usefixtures("compiled")
SHAPE = STEPS, BANDS, HEIGHT, WIDTH = 7, 3, 12, 10


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape or SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parcels() -> np.ndarray:
    """Three parcels, one of them of two pieces, and background."""
    found = np.ones((HEIGHT, WIDTH), np.int16)
    found[:, 6:] = 4
    found[8:, 2:8] = 2
    found[0] = found[:, 5] = 0
    return found


def courses(seed: int) -> torch.Tensor:
    """A course over time for each parcel and band, the background's too."""
    return noise(STEPS, BANDS, 5, seed=seed)[:, :, parcels()]


def textures(seed: int) -> torch.Tensor:
    return noise(1, BANDS, HEIGHT, WIDTH, seed=seed)


def reference(frames: torch.Tensor) -> float:
    """In reflectance."""
    found = []
    for number in (1, 2, 4):
        series = frames.numpy()[:, :, parcels() == number] / 2  # (T, C, n)
        found.append((series - series.mean(axis=2, keepdims=True)).std(axis=0))
    return np.concatenate(found, axis=1).mean()


def test_it_agrees_with_loops_over_parcels() -> None:
    generated, real = noise(seed=1), 0.1 * noise(seed=2) + textures(3)
    expected = reference(generated) / reference(real)
    assert flicker(generated, real, parcels()) == pytest.approx(expected, rel=1e-6)


def test_arrays_may_lie_in_memory_in_any_way() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    strided = [x.movedim(1, -1).contiguous().movedim(-1, 1) for x in (generated, real)]
    assert flicker(*strided, np.asfortranarray(parcels())) == pytest.approx(flicker(generated, real, parcels()))


def test_the_target_itself_is_ideal() -> None:
    assert flicker(noise(), noise(), parcels()) == 1


@given(st.integers(0, 99))
def test_parcels_may_change_and_pixels_may_differ(seed: int) -> None:
    generated, real = noise(seed=1), noise(seed=2)
    found = flicker(generated, real, parcels())
    assert flicker(generated + courses(seed), real, parcels()) == pytest.approx(found)
    assert flicker(generated + textures(seed), real, parcels()) == pytest.approx(found)
    assert flicker(generated, real + courses(seed) + textures(seed + 1), parcels()) == pytest.approx(found)


@given(st.floats(0.01, 100))
def test_it_is_proportional_to_what_changes(gain: float) -> None:
    change = 0.1 * noise(seed=1)
    made = courses(3) + textures(4) + gain * change
    assert flicker(made, courses(5) + change, parcels()) == pytest.approx(gain)


def test_noise_of_known_deviation() -> None:
    labels = np.tile(np.arange(1, 5).repeat(16), (64, 1))
    real, generated = 0.02 * noise(30, 2, 64, 64, seed=1), 0.3 * noise(30, 2, 64, 64, seed=2)
    assert flicker(generated, real, labels) == pytest.approx(15, rel=0.02)


def test_what_stands_still_has_no_flicker_but_rounding() -> None:
    still = courses(1) + textures(2)
    assert flicker(still, still.flip(0), parcels()) == 1
    assert flicker(torch.zeros(SHAPE), still, parcels()) == 1
    restless = still + 0.1 * noise()
    expected = reference(restless) / ROUNDING**0.5
    assert flicker(restless, still, parcels()) == pytest.approx(expected, rel=1e-5)
    assert flicker(still, restless, parcels()) == pytest.approx(1 / expected, rel=1e-5)


def test_background_does_not_count() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    changed = torch.where(torch.from_numpy(parcels() == 0), 100 * noise(seed=3), generated)
    assert flicker(changed, real, parcels()) == flicker(generated, real, parcels())


def test_without_parcels_or_time_there_is_none() -> None:
    assert math.isnan(flicker(noise(), noise(), np.zeros_like(parcels())))
    assert math.isnan(flicker(noise()[:1], noise()[:1], parcels()))


def test_shapes_that_do_not_fit_are_errors() -> None:
    with pytest.raises(ValueError, match="expected two equal shapes"):
        flicker(noise(), noise()[:-1], parcels())
    with pytest.raises(ValueError, match=r"parcels of shape \(10, 12\), expected \(12, 10\)"):
        flicker(noise(), noise(), parcels().T)


def test_negative_parcels_are_errors() -> None:
    with pytest.raises(ValueError, match="found parcel -1"):
        flicker(noise(), noise(), parcels() - 1)
