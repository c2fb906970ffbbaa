"""Clouds against the reference statistics, and the mixing of frame and cloud."""

import numpy as np
import pytest

from src.toygeneration.modules import clouds as shared
from src.toygeneration.modules.corruptions.cloud_and_brightness import CloudAndBrightness
from src.toygeneration.modules.fields import PowerLaw, enlargement
from tests.conftest import CLOUDS
from utils import memory
from utils.errors import ConfigError
from utils.seeding import Streams

PLAIN = CLOUDS | {"mul": {"min": 1.0, "max": 1.0}, "add": {"min": 0.0, "max": 0.0}}
REFERENCE = PLAIN | {"sampling_scale": 128}


def clouds(**changes: object) -> CloudAndBrightness:
    return CloudAndBrightness.model_validate(PLAIN | changes)


def autocorrelation(fields: np.ndarray, lag: int) -> float:
    """Mean over frames of the correlation within each frame."""
    pairs = ((field[:, lag:].ravel(), field[:, :-lag].ravel()) for field in fields)
    return float(np.mean([np.corrcoef(one, other)[0, 1] for one, other in pairs]))


def test_opacity_and_brightness_have_the_reference_statistics() -> None:
    """Over 100 frames of 256 x 256."""
    corrupt = CloudAndBrightness.model_validate(REFERENCE).prepare((256, 256, 1), Streams((1,)), range(9))
    black = np.zeros((256, 256, 1), np.float32)
    frames, masks = zip(*(corrupt(black, step) for step in range(100)), strict=True)
    opacity, light = np.array([mask["cloud"] for mask in masks]), np.array(frames)[..., 0]  # α and α I
    assert opacity.mean() == pytest.approx(0.574, rel=0.1)
    assert opacity.mean(axis=(1, 2)).std() == pytest.approx(0.083, rel=0.1)
    assert (opacity > 0.5).mean() == pytest.approx(0.553, rel=0.1)
    assert (opacity == 1).mean() == pytest.approx(0.176, rel=0.1)
    assert (opacity < 0.05).mean() == pytest.approx(0.019, rel=0.1)
    for lag, expected in ((1, 0.992), (4, 0.931), (16, 0.718), (64, 0.153)):
        assert autocorrelation(opacity, lag) == pytest.approx(expected, abs=0.05)
    thick = opacity > 0.05
    brightness = light[thick] / opacity[thick]
    assert brightness.mean() == pytest.approx(0.981, rel=0.1)
    assert brightness.std() == pytest.approx(0.057, rel=0.1)


def test_clouds_that_do_not_fit_into_memory_are_refused_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 10**9)
    with pytest.raises(ConfigError, match=r"corruption.sampling_scale: .* would take 1.8. GB of memory"):
        clouds(sampling_scale=8192).prepare((256, 256, 1), Streams((1,)), range(3))


def test_brightness_is_a_power_law_field_and_smooth_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """I = (250 (1 + (2 v - 1) / 5) + N) / 255, each part seen with the other one switched off."""
    draw = PowerLaw.draw
    black = np.zeros((48, 64, 1), np.float32)

    def brightness(v: float | None, noise: float) -> np.ndarray:
        monkeypatch.setattr(PowerLaw, "draw", lambda law, rng: draw(law, rng) * 0 + (1 if v is None else v))
        monkeypatch.setattr(shared, "NOISE_DEVIATION", noise)
        corrupt = clouds(cloud_density=10).prepare((48, 64, 1), Streams((1,)), [])
        return np.array([corrupt(black, step)[0][..., 0] for step in range(400)])

    for v in (0.5, 1):  # u is as large as v, so that clouds are opaque everywhere
        assert np.allclose(brightness(v, 0.0), (250 * (1 + (2 * v - 1) / 5)) / 255, atol=1e-5)
    noise = brightness(0.5, 5.0) * 255 - 250
    spread = (enlargement(8, 48) ** 2).sum(axis=1)[:, None] * (enlargement(8, 64) ** 2).sum(axis=1)
    assert np.abs(noise.mean(axis=0)).max() < 5 * 5 * np.sqrt(spread.max() / 400)
    assert noise.var(axis=0).mean() == pytest.approx(25 * spread.mean(), rel=0.05)


def test_opacity_is_exact() -> None:
    """A frame is w ((1 - α) x + α I) + b: two frames under the same cloud differ by w (1 - α) Δx."""
    corrupt = clouds(mul={"min": 0.7, "max": 0.7}, add={"min": 0.2, "max": 0.2}).prepare(
        (40, 60, 4), Streams((1,)), range(9)
    )
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 40, 60, 4)).astype(np.float32)
    (seen, masks), (seen_other, masks_other) = corrupt(one, 3), corrupt(other, 3)
    assert np.array_equal(masks["cloud"], masks_other["cloud"])
    assert np.allclose(seen - seen_other, 0.7 * (1 - masks["cloud"][..., None]) * (one - other), atol=1e-6)


def test_without_clouds_only_the_brightness_changes() -> None:
    frame = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    ranges = {"mul": {"min": 0.9, "max": 1.1}, "add": {"min": -0.1, "max": 0.1}}
    seen, masks = clouds(cloud_probability=0, **ranges).prepare((20, 30, 3), Streams((1,)), range(9))(frame, 0)
    assert masks == {}
    gain, offset = np.polyfit(frame.ravel(), seen.ravel(), 1)
    assert np.allclose(seen, gain * frame + offset, atol=1e-6)
    assert 0.9 <= gain <= 1.1
    assert -0.1 <= offset <= 0.1
    same, masks = clouds(cloud_density=0).prepare((20, 30, 3), Streams((1,)), range(9))(frame, 0)
    assert np.array_equal(same, frame)
    assert not masks["cloud"].any()


def test_the_share_of_cloudy_frames_is_the_probability() -> None:
    corrupt = clouds(cloud_probability=0.3, sampling_scale=4).prepare((8, 8, 1), Streams((1,)), range(9))
    frame = np.zeros((8, 8, 1), np.float32)
    cloudy = [corrupt(frame, step)[1]["cloud"].any() for step in range(2000)]
    assert np.mean(cloudy) == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 2000))


def test_brightness_is_drawn_once_a_product_uniformly() -> None:
    frame = np.stack([np.zeros((4, 4)), np.ones((4, 4))], axis=-1).astype(np.float32)
    drawn = []
    for seed in range(400):
        config = clouds(cloud_probability=0, mul={"min": 0.5, "max": 1.5})
        corrupt = config.prepare((4, 4, 2), Streams((seed,)), range(9))
        seen = [corrupt(frame, step)[0] for step in range(2)]
        assert np.array_equal(seen[0], seen[1])
        drawn.append(seen[0][0, 0, 1] - seen[0][0, 0, 0])
    assert np.mean(drawn) == pytest.approx(1, abs=4 / np.sqrt(12 * 400))
    assert np.std(drawn) == pytest.approx(1 / np.sqrt(12), rel=0.1)


def test_the_corruptions_own_seed_fixes_brightness_alone() -> None:
    frame = np.random.default_rng(0).random((16, 16, 1)).astype(np.float32)
    ranges = {"mul": {"min": 0.5, "max": 1.5}, "add": {"min": 0.0, "max": 0.0}}
    one, other = (clouds(seed=0, **ranges).prepare((16, 16, 1), Streams((seed,)), range(9)) for seed in (1, 2))
    alpha, alpha_other = (corrupt(frame, 0)[1]["cloud"] for corrupt in (one, other))
    assert not np.array_equal(alpha, alpha_other)
    gains = [
        (c(frame, 0)[0] - c(frame * 0, 0)[0])[a < 0.9].sum() / (frame[..., 0] * (1 - a))[a < 0.9].sum()
        for c, a in ((one, alpha), (other, alpha_other))
    ]
    assert gains[0] == pytest.approx(gains[1], rel=1e-4)
    free = clouds(**ranges)
    gains = [free.prepare((4, 4, 1), Streams((seed,)), range(9))(frame[:4, :4] * 0 + 1, 0)[0].mean() for seed in (1, 2)]
    assert gains[0] != pytest.approx(gains[1], rel=1e-4)


def test_denser_clouds_are_more_opaque_and_sparser_ones_less() -> None:
    frame = np.zeros((64, 64, 1), np.float32)

    def cover(**changes: object) -> float:
        corrupt = clouds(**changes).prepare((64, 64, 1), Streams((1,)), range(9))
        return float(np.mean([corrupt(frame, step)[1]["cloud"].mean() for step in range(10)]))

    assert cover(cloud_density=0.5) < cover() < cover(cloud_density=2)
    assert cover(cloud_sparsity=8) < cover()


def test_working_ahead_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    plain = clouds(cloud_probability=0.5).prepare((16, 16, 3), Streams((1,)), [])
    monkeypatch.setattr(shared, "LARGE", 0)
    ahead = clouds(cloud_probability=0.5).prepare((16, 16, 3), Streams((1,)), [0, 2, 4, 6, 8])
    for step in (0, 2, 4, 8, 6, 3, 0, 0):
        (one, masks), (other, masks_other) = plain(frame, step), ahead(frame, step)
        assert np.array_equal(one, other)
        assert np.array_equal(masks["cloud"], masks_other["cloud"])


def test_blocks_of_rows_leave_no_seam() -> None:
    """Across the edge of a block, clouds are as smooth as elsewhere."""
    corrupt = CloudAndBrightness.model_validate(REFERENCE).prepare((256, 64, 1), Streams((1,)), range(9))
    frame = np.zeros((256, 64, 1), np.float32)
    steps = np.mean(
        [np.abs(np.diff(corrupt(frame, step)[1]["cloud"], axis=0)).mean(axis=1) for step in range(30)], axis=0
    )
    edges = np.arange(63, 255, 64)
    assert steps[edges].max() < steps.mean() + 5 * steps.std()
