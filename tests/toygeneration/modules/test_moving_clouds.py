"""Moving clouds: motion, correlation in time, shadows, several sensors, and each step's law, that of still clouds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import ks_2samp

from src.toygeneration.frames import Masks
from src.toygeneration.modules.corruptions import moving_clouds
from src.toygeneration.modules.corruptions.cloud_and_brightness import CloudAndBrightness
from src.toygeneration.modules.corruptions.moving_clouds import MovingClouds
from tests.conftest import MOVING_CLOUDS, change
from utils import memory
from utils.errors import ConfigError
from utils.seeding import Streams

PLAIN = change(MOVING_CLOUDS, mul={"min": 1.0, "max": 1.0}, add={"min": 0.0, "max": 0.0}, shadow=None)
PUBLISHED = {"sampling_scale": 32, "density": 1, "sparsity": 2}
ONE_LAYER = change(PLAIN, layers={"cumulus": PUBLISHED}, wind__variability=0)
SIDE = 64
AWAY = st.sampled_from([(0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (270, (0, 1))])  # from a compass: down and right


@pytest.fixture
def plain_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clouds' brightness costs time, and opacities don't depend on it."""
    monkeypatch.setattr(moving_clouds, "LIGHT_NODES", 2)


def moving(config: dict[str, Any] = PLAIN, **changes: Any) -> MovingClouds:
    return MovingClouds.model_validate(change(config, **changes))


def masks(config: MovingClouds, step: int, *, seeds: tuple[int, ...] = (1,), side: int = SIDE) -> Masks:
    return config.prepare((side, side, 1), Streams(seeds), [])(np.zeros((side, side, 1), np.float32), step)[1]


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal, but for pixels that rounding puts on the next of 256 levels of thickness."""
    return np.abs(one - other).max() < 0.03 and np.abs(one - other).mean() < 1e-4


@settings(max_examples=15)
@given(AWAY, st.integers(1, 20), st.integers(0, 6))
def test_what_does_not_evolve_is_carried_by_the_wind(wind: tuple[int, tuple[int, int]], pixels: int, step: int) -> None:
    direction, (down, right) = wind
    config = moving(ONE_LAYER, persistence=1, wind__speed=pixels / SIDE, wind__direction=direction)
    seen, later = (masks(config, at)["cloud"] for at in (step, step + 1))
    assert close(later, np.roll(seen, (down * pixels, right * pixels), (0, 1)))
    assert not np.array_equal(later, seen)


def test_layers_move_at_their_own_speeds() -> None:
    def moved(speed: float) -> np.ndarray:
        config = moving(ONE_LAYER, persistence=1, wind__speed=4 / SIDE, layers__cumulus__speed=speed)
        return masks(config, 3)["cloud"]

    assert close(moved(2), np.roll(moved(0), 24, axis=1))


@pytest.mark.usefixtures("plain_light")
def test_wind_varies_as_asked() -> None:
    """Without evolution, each step's clouds are those of the first one, somewhere else: a random walk."""
    config = moving(ONE_LAYER, persistence=1, wind__speed=0, wind__variability=2 / SIDE)
    found = []
    for seed in range(100):
        worlds = config.prepare((SIDE, SIDE, 1), Streams((seed,)), [])
        seen = [np.fft.fft2(worlds(np.zeros((SIDE, SIDE, 1), np.float32), step)[1]["cloud"]) for step in (0, 4)]
        peak = np.unravel_index(np.fft.ifft2(seen[1] * seen[0].conj()).real.argmax(), (SIDE, SIDE))
        found.append((np.array(peak) + SIDE // 2) % SIDE - SIDE // 2)
    found = np.array(found)
    assert np.abs(found.mean(axis=0)).max() < 4 * 4 / np.sqrt(100)
    assert found.std(axis=0) == pytest.approx([4, 4], rel=0.25)  # two pixels a step, four steps


@pytest.mark.parametrize("persistence", [0, 0.8, 1])
def test_a_step_has_the_same_bytes_whatever_was_asked_before(persistence: float) -> None:
    config, frame = moving(MOVING_CLOUDS, persistence=persistence), np.ones((16, 24, 1), np.float32)
    one = config.prepare((16, 24, 1), Streams((1,)), [])
    for step in (0, 3, 1, 5, 5, 2):
        fresh = config.prepare((16, 24, 1), Streams((1,)), [])(frame, step)
        (seen, hidden), (seen_alone, hidden_alone) = one(frame, step), fresh
        assert np.array_equal(seen, seen_alone)
        assert all(np.array_equal(hidden[kind], hidden_alone[kind]) for kind in ("cloud", "shadow"))


@pytest.mark.usefixtures("plain_light")
def test_presence_has_its_share_and_its_correlation_in_time() -> None:
    layer = {"sampling_scale": 1, "density": 1, "sparsity": 0, "probability": 0.3}  # opaque wherever it is
    corrupt = moving(PLAIN, layers={"fog": layer}, persistence=0.6).prepare((1, 1, 1), Streams((1,)), [])
    there = np.array([corrupt(np.zeros((1, 1, 1), np.float32), step)[1]["cloud"].item() for step in range(800)])
    effective = 800 * (1 - 0.6) / (1 + 0.6)  # steps as independent as these
    assert set(there) == {0, 1}
    assert there.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / effective))
    for lag in (1, 2):
        assert np.corrcoef(there[lag:], there[:-lag])[0, 1] == pytest.approx(0.6**lag, abs=0.12)


def statistics(opacity: np.ndarray) -> list[np.ndarray]:
    """Mean, quantiles, shares of opaque and clear pixels, and correlation over 1, 4, 16 pixels, of each frame."""
    lags = [[np.corrcoef(a[:, k:].ravel(), a[:, :-k].ravel())[0, 1] for a in opacity] for k in (1, 4, 16)]
    quantiles = np.quantile(opacity, (0.1, 0.5, 0.9), axis=(1, 2))
    return [opacity.mean(axis=(1, 2)), *quantiles, *((opacity == value).mean(axis=(1, 2)) for value in (0, 1)), *lags]


def test_without_persistence_a_layer_has_the_law_of_still_clouds() -> None:
    still = CloudAndBrightness(
        name="cloud_and_brightness",
        sampling_scale=32,
        cloud_density=1,
        cloud_sparsity=2,
        cloud_probability=1,
        mul={"min": 1.0, "max": 1.0},
        add={"min": 0.0, "max": 0.0},
    )
    black, found, light = np.zeros((SIDE, SIDE, 1), np.float32), [], []
    for config in (still, moving(ONE_LAYER, persistence=0)):
        corrupt = config.prepare((SIDE, SIDE, 1), Streams((1,)), [])
        frames, hidden = zip(*(corrupt(black, step) for step in range(200)), strict=True)
        opacity = np.array([mask["cloud"] for mask in hidden])
        shine = [frame[alpha > 0.05, 0] / alpha[alpha > 0.05] for frame, alpha in zip(frames, opacity, strict=True)]
        found.append(statistics(opacity))
        light.append([f(np.concatenate(shine)) for f in (np.mean, np.std)])
    assert light[0] == pytest.approx(light[1], rel=0.1)  # drawn on a grid of its own, whatever the frame
    for one, other in zip(*found, strict=True):
        assert ks_2samp(one, other, method="asymp").pvalue > 0.003


@pytest.mark.usefixtures("plain_light")
def test_motion_and_evolution_leave_the_law_as_it_is() -> None:
    config = moving(ONE_LAYER, persistence=0.7)
    steps = [np.array([masks(config, step, seeds=(seed,))["cloud"] for seed in range(100)]) for step in (0, 7)]
    for one, other in zip(*map(statistics, steps), strict=True):
        assert ks_2samp(one, other, method="asymp").pvalue > 0.003
    overlap = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(*steps, strict=True)]
    assert abs(np.mean(overlap)) < 0.1


@pytest.mark.usefixtures("plain_light")
def test_persistent_clouds_resemble_those_before() -> None:
    still = {"wind__speed": 0}
    alike = []
    for persistence in (0, 0.5, 0.9):
        config = moving(ONE_LAYER, persistence=persistence, **still)
        pairs = [[masks(config, step, seeds=(seed,))["cloud"].ravel() for step in (0, 1)] for seed in range(40)]
        alike.append(np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs]))
    assert alike == pytest.approx([0, 0.5, 0.9], abs=0.1)  # exact for fields, of which opacity is a curve


@settings(max_examples=15)
@given(AWAY, st.integers(0, 20), st.integers(0, 3))
def test_a_shadow_is_the_opacity_displaced_away_from_the_sun(
    sun: tuple[int, tuple[int, int]], pixels: int, step: int
) -> None:
    azimuth, (down, right) = sun
    shadow = {"azimuth": azimuth, "elevation": 45, "height": pixels / SIDE, "strength": 0.6}
    seen = masks(moving(shadow=shadow), step)
    assert close(seen["shadow"], 0.6 * np.roll(seen["cloud"], (down * pixels, right * pixels), (0, 1)))
    low = masks(moving(shadow=shadow | {"elevation": np.degrees(np.arctan(0.5))}), step)  # twice as far
    assert close(low["shadow"], np.roll(seen["shadow"], (down * pixels, right * pixels), (0, 1)))
    assert close(low["cloud"], seen["cloud"])


def test_opacity_and_shadow_are_exact() -> None:
    """Two frames under the same clouds differ by w (1 - α) (1 - s) Δx."""
    config = moving(MOVING_CLOUDS, mul={"min": 0.7, "max": 0.7}, add={"min": 0.2, "max": 0.2})
    corrupt = config.prepare((40, 60, 4), Streams((1,)), [])
    one, other = np.random.default_rng(0).random((2, 40, 60, 4)).astype(np.float32)
    (seen, hidden), (seen_other, hidden_other) = corrupt(one, 3), corrupt(other, 3)
    assert all(np.array_equal(hidden[kind], hidden_other[kind]) for kind in hidden)
    left = (1 - hidden["cloud"]) * (1 - hidden["shadow"])
    assert 0 < hidden["shadow"].max() <= config.shadow.strength
    assert np.allclose(seen - seen_other, 0.7 * left[..., None] * (one - other), atol=1e-6)


def test_layers_hide_the_ground_one_after_another() -> None:
    """And what the lower one adds is seen through the upper one."""
    black = np.zeros((SIDE, SIDE, 1), np.float32)

    def seen(**layers: Any) -> tuple[np.ndarray, np.ndarray]:
        frame, hidden = moving(PLAIN, layers=layers).prepare((SIDE, SIDE, 1), Streams((1,)), [])(black, 2)
        return frame[..., 0], hidden["cloud"]

    low, high = PUBLISHED, {"sampling_scale": 8, "density": 0.5, "sparsity": 1, "exponent": -2, "speed": 3}
    (glow, alpha), (glow_high, alpha_high) = seen(low=low), seen(high=high)
    together, opacity = seen(low=low, high=high)
    assert np.allclose(1 - opacity, (1 - alpha) * (1 - alpha_high), atol=1e-6)
    assert np.allclose(together, glow * (1 - alpha_high) + glow_high, atol=1e-6)
    assert np.allclose(seen(low=low | {"brightness": 0.5})[0], glow / 2, atol=1e-6)
    assert np.array_equal(seen(low=low, absent=None)[0], glow)


def test_bands_see_a_layer_as_their_sensitivity_says() -> None:
    frame = np.random.default_rng(0).random((SIDE, SIDE, 3)).astype(np.float32)
    sensitivity = {"cumulus": [0, 0.5, 0.8]}
    usual, partial = (
        moving(MOVING_CLOUDS, layers={"cumulus": PUBLISHED}, sensitivity=factors) for factors in ({}, sensitivity)
    )
    (seen, hidden), (_, whole) = (
        config.prepare((SIDE, SIDE, 3), Streams((1,)), [])(frame, 1) for config in (partial, usual)
    )
    black = partial.prepare((SIDE, SIDE, 3), Streams((1,)), [])(frame * 0, 1)[0]
    gain = ((seen - black)[..., 0] / (frame[..., 0] * (1 - whole["shadow"]))).mean()
    for band, factor in enumerate(sensitivity["cumulus"]):
        left = (1 - factor * whole["cloud"]) * (1 - whole["shadow"])
        assert np.allclose((seen - black)[..., band], gain * left * frame[..., band], atol=1e-5)
    assert np.allclose(hidden["cloud"], 0.8 * whole["cloud"], atol=1e-6)
    assert np.array_equal(hidden["shadow"], whole["shadow"])


def test_sensors_of_a_scene_see_the_same_clouds() -> None:
    """Whatever their own seed, size, brightness and steps; other scenes and worlds have others."""
    config = moving(MOVING_CLOUDS)
    seen, same = masks(config, 4, seeds=(5, 1)), masks(moving(MOVING_CLOUDS, seed=3), 4, seeds=(6, 2, 1))
    fine = masks(config, 4, seeds=(5, 1), side=2 * SIDE)
    for kind in ("cloud", "shadow"):
        assert np.array_equal(seen[kind], same[kind])
        coarse = fine[kind].reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))
        assert np.abs(coarse - seen[kind]).mean() < 0.01
        assert np.corrcoef(coarse.ravel(), seen[kind].ravel())[0, 1] > 0.999
        for other in (masks(config, 4, seeds=(5, 2)), masks(moving(MOVING_CLOUDS, world=1), 4, seeds=(5, 1))):
            assert np.corrcoef(other[kind].ravel(), seen[kind].ravel())[0, 1] < 0.7


def test_without_clouds_nothing_is_hidden() -> None:
    frame = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    none = moving(MOVING_CLOUDS, layers={"never": PUBLISHED | {"probability": 0.0}}, mul={"min": 1.0, "max": 1.0})
    seen, hidden = none.prepare((8, 8, 3), Streams((1,)), [])(frame, 2)
    assert hidden == {}
    assert np.ptp(seen - frame) < 1e-6
    assert (none.casts_shadows, moving().casts_shadows, moving(MOVING_CLOUDS).casts_shadows) == (False, False, True)


def test_what_does_not_fit_is_refused_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"corruption.sensitivity.cumulus: found 2 factors, expected 3, one for each"):
        moving(sensitivity={"cumulus": [0.5, 1]}).prepare((8, 8, 3), Streams((1,)), [])
    with pytest.raises(ValidationError, match="found layer 'stratus', expected one of layers: haze, cumulus, cirrus"):
        moving(sensitivity={"stratus": [0.5, 1]})
    monkeypatch.setattr(memory, "available", lambda: 10**9)
    with pytest.raises(ConfigError, match=r"corruption.layers: .* GB of memory"):
        moving(layers__cumulus__sampling_scale=8192).prepare((8, 8, 3), Streams((1,)), [])
