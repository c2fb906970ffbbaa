"""Speckle: share, law of the replaced pixels, number of looks."""

import numpy as np
import pytest
from scipy.stats import beta, kstest

from src.toygeneration.modules.postprocesses.gamma_speckle import GammaSpeckle
from src.toygeneration.modules.postprocesses.speckle import Speckle

FRAME = np.full((300, 300, 3), -1, np.float32)  # no draw is negative


def speckle(low: float, high: float) -> Speckle:
    return Speckle.model_validate({"name": "speckle", "salt_pepper_proportion": {"min": low, "max": high}})


def test_the_share_is_p() -> None:
    made = speckle(0.12, 0.12)(FRAME, rng=np.random.default_rng(0))
    hit = made[..., 0] >= 0
    assert hit.mean() == pytest.approx(0.12, abs=4 * np.sqrt(0.12 * 0.88 / hit.size))


def test_p_is_uniform_in_its_range_once_a_frame() -> None:
    rng = np.random.default_rng(0)
    shares = np.array([(speckle(0.1, 0.5)(FRAME, rng=rng)[..., 0] >= 0).mean() for _ in range(200)])
    assert kstest((shares - 0.1) / 0.4, "uniform").pvalue > 0.01


def test_all_bands_of_a_pixel_get_the_same_beta_draw() -> None:
    made = speckle(0.5, 0.5)(FRAME, rng=np.random.default_rng(0))
    hit = made[..., 0] >= 0
    assert np.array_equal(hit, (made >= 0).all(axis=-1))
    assert (made[~hit] == -1).all()
    assert np.ptp(made[hit], axis=-1).max() == 0
    assert kstest(made[hit][:, 0], beta(0.5, 0.5).cdf).pvalue > 0.01


@pytest.mark.parametrize("share", [0, 1])
def test_none_or_all(share: int) -> None:
    made = speckle(share, share)(FRAME, rng=np.random.default_rng(0))
    assert ((made >= 0).mean()) == share


@pytest.mark.parametrize("looks", [0.7, 1, 4, 20])
def test_equivalent_number_of_looks(looks: float) -> None:
    frame = np.full((400, 400, 2), 0.6, np.float32)
    made = GammaSpeckle.model_validate({"name": "gamma_speckle", "looks": looks})(frame, rng=np.random.default_rng(0))
    for band in np.moveaxis(made, -1, 0):
        assert band.mean() == pytest.approx(0.6, rel=0.02)
        assert band.mean() ** 2 / band.var() == pytest.approx(looks, rel=0.05)
    assert abs(np.corrcoef(made[..., 0].ravel(), made[..., 1].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("process", [speckle(0.1, 0.2), GammaSpeckle(name="gamma_speckle", looks=2)])
def test_the_source_frame_stays_as_it_is(process: Speckle | GammaSpeckle) -> None:
    frame = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    before = frame.copy()
    made = process(frame, rng=np.random.default_rng(1))
    assert np.array_equal(frame, before)
    assert made.dtype == np.float32
    assert made.shape == frame.shape
