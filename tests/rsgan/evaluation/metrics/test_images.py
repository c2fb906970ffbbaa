"""Image scores: against scikit-image, band by band, and the laws that they obey."""

import math
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import mean_squared_error, structural_similarity

from src.rsgan.evaluation.metrics import images
from src.rsgan.evaluation.metrics.images import FrameScores, opacity_region, score_frames, spectral_angle
from src.rsgan.evaluation.scoring import pooled
from tests.conftest import ROOT, python

pytestmark = pytest.mark.usefixtures("compiled")
SHAPE = (4, 3, 24, 20)
ORIGINAL = ("original_mae", "original_mse", "original_psnr", "original_ssim", "original_sam")
REFLECTANCE = ("mae", "mse", "psnr", "ssim", "sam")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Frames in network scale."""
    return torch.rand(shape or SHAPE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def full(value: float) -> torch.Tensor:
    return torch.full(SHAPE, value)


def parcels(seed: int = 0) -> torch.Tensor:
    """Frames of four flat parcels, without texture."""
    return noise(*SHAPE[:2], 2, 2, seed=seed).repeat_interleave(12, dim=2).repeat_interleave(10, dim=3)


def textured(seed: int = 0) -> torch.Tensor:
    return (0.8 * parcels(seed) + 0.2 * noise(seed=seed + 1)).clamp(-1, 1)


PAIRS = {
    "noise": (noise(seed=1), noise(seed=2)),
    "close": (noise(seed=1) + 0.01 * noise(seed=2), noise(seed=1)),
    "beyond the scale": (3 * noise(seed=1), 2 * noise(seed=2)),
    "textured parcels": (textured(1), textured(2)),
    "small texture": (0.5 + 0.001 * noise(seed=1), 0.5 + 0.001 * noise(seed=2)),
    "equal noise": (noise(seed=1), noise(seed=1)),
    "constants": (full(0.4), full(0.7)),
    "dark constants": (full(-0.9), full(-0.3)),
    "dark and bright constants": (full(-0.3), full(0.3)),
    "equal constants": (full(0.3), full(0.3)),
    "noise for a constant": (noise(seed=1), full(0.6)),
    "a constant for noise": (full(-0.6), noise(seed=1)),
    "zeros": (full(0), full(0)),
    "no light": (full(-1), full(-1)),
    "no light for noise": (full(-1), noise(seed=1)),
    "noise for no light": (noise(seed=1), full(-1)),
    "zeros for noise": (full(0), noise(seed=1)),
}


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """What scikit-image's function computes at peak 1, without its warning when it divides by zero."""
    error = mean_squared_error(one, other)
    return 10 * math.log10(1 / error) if error else math.inf


def angle(cosine: float) -> float:
    return math.acos(min(max(cosine, -1), 1))


def original_bands(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[float, float]]:
    for a, b in zip(one.clip(0), other.clip(0), strict=True):
        peak = max(a.max(), b.max()) or 1
        yield psnr(a / peak, b / peak), structural_similarity(a / peak, b / peak, data_range=2)


def reflectance_bands(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[float, float]]:
    plan = {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5, "data_range": 1}
    for a, b in zip((one + 1) / 2, (other + 1) / 2, strict=True):
        yield psnr(a, b), structural_similarity(a, b, **plan)


def original_angle(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.clip(0), b.clip(0)
    return angle(a @ b / math.sqrt(max(a @ a, 2**-10) * max(b @ b, 2**-10))) / math.pi


def reflectance_angle(a: np.ndarray, b: np.ndarray) -> float:
    if not (b + 1).any():
        return 0
    norms = np.linalg.norm(a + 1) * np.linalg.norm(b + 1)
    return math.degrees(angle((a + 1) @ (b + 1) / norms)) if norms else 90


def reference(generated: torch.Tensor, real: torch.Tensor) -> dict[str, list[float]]:
    """Scores of each frame, in loops over frames, bands and pixels."""
    scores = {key: [] for key in (*ORIGINAL, *REFLECTANCE)}
    for one, other in zip(generated.double().numpy(), real.double().numpy(), strict=True):
        pixels = list(zip(one.reshape(len(one), -1).T, other.reshape(len(other), -1).T, strict=True))
        bands = np.mean([*original_bands(one, other)], axis=0), np.mean([*reflectance_bands(one, other)], axis=0)
        angles = [np.mean([angle(a, b) for a, b in pixels]) for angle in (original_angle, reflectance_angle)]
        mae, mse = np.abs(one - other).mean(), ((one - other) ** 2).mean()
        for key, value in zip(ORIGINAL, (mae, mse, *bands[0], angles[0]), strict=True):
            scores[key].append(value)
        for key, value in zip(REFLECTANCE, (mae / 2, mse / 4, *bands[1], angles[1]), strict=True):
            scores[key].append(value)
    return scores


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_scores_agree_with_scikit_image_and_plain_loops(name: str, kind: torch.dtype) -> None:
    generated, real = (frames.to(kind) for frames in PAIRS[name])
    ours, expected = score_frames(generated, real).means, reference(generated, real)
    assert ours.keys() == expected.keys()
    for key, values in ours.items():
        assert values.dtype == torch.float64
        # where a cosine of 1 is rounded, the loops' arc cosine is off by the root of that
        tolerance = 1e-4 if key.endswith("sam") else 1e-6
        assert np.allclose(values, expected[key], rtol=tolerance / 100, atol=tolerance), key


def test_flat_parcels_agree() -> None:
    generated, real = parcels(1), parcels(2)
    found, expected = score_frames(generated, real).means, reference(generated, real)
    for key in ("ssim", "original_ssim", "psnr", "original_psnr"):
        assert np.allclose(found[key], expected[key], rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(11, 11), (11, 40), (13, 12), (64, 11)])
@pytest.mark.parametrize("nbands", [1, 2, 6, 19])
def test_any_size_and_band_count_agree(size: tuple[int, int], nbands: int) -> None:
    generated, real = noise(3, nbands, *size, seed=1), noise(3, nbands, *size, seed=2)
    before = generated.clone(), real.clone()
    ours, expected = score_frames(generated, real).means, reference(generated, real)
    for key, values in ours.items():
        assert np.allclose(values, expected[key], rtol=0, atol=1e-4 if key == "sam" else 1e-6), key
    assert torch.equal(generated, before[0])
    assert torch.equal(real, before[1])


@pytest.mark.parametrize("name", ["equal noise", "equal constants", "zeros", "no light"])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16])
def test_target_against_itself_is_perfect(name: str, kind: torch.dtype) -> None:
    real = PAIRS[name][1].to(kind)
    scores = score_frames(real, real, opacity_region(noise(4, 24, 20)))
    view = scores.of_view()
    for key in ("mae", "mse", "rmse", "sam", "original_mae", "original_mse"):
        assert view[key] == 0
    assert view["ssim"] == view["original_ssim"] == 1
    assert view["psnr"] == view["original_psnr"] == math.inf
    for key in ("mae", "rmse", "sam"):
        assert by_region(scores)[key] == [0, 0]


@pytest.mark.parametrize("gain", [1e-30, 0.3, 1e10])
def test_original_protocol_is_relative_to_the_brightest_value(gain: float) -> None:
    generated, real = textured(1), textured(2)
    found, scaled = score_frames(generated, real).means, score_frames(gain * generated, gain * real).means
    for key in ("original_psnr", "original_ssim"):
        assert torch.allclose(scaled[key], found[key], rtol=1e-6, atol=1e-6)


def test_original_angle_of_bright_frames_with_themselves_is_zero() -> None:
    bright = 0.5 + noise() / 3
    assert score_frames(bright, bright).of_view()["original_sam"] == 0


def test_ruin_where_the_target_is_dark_escapes_the_original_protocol_alone() -> None:
    real = noise(seed=1)
    ruined = torch.where(real < 0, noise(seed=2).clamp(max=0), real)
    scores, perfect = score_frames(ruined, real).of_view(), score_frames(real, real).of_view()
    for key in ("original_psnr", "original_ssim", "original_sam"):
        assert scores[key] == perfect[key]
    assert scores["mae"] > 0.05
    assert scores["rmse"] > 0.1
    assert scores["psnr"] < 20
    assert scores["ssim"] < 0.95
    assert scores["sam"] > 5


def test_small_angles_are_resolved() -> None:
    """Rotate a spectrum by a known angle."""
    degrees = torch.tensor([0, 1e-4, 1e-3, 0.01, 0.1, 1, 30, 89, 90, 91, 150, 180], dtype=torch.float64)
    turn = torch.deg2rad(degrees)
    one, other = torch.tensor([2.0, 1, 0]) / math.sqrt(5), torch.tensor([-1.0, 2, 0]) / math.sqrt(5)
    spectra = 1e-3 * (torch.cos(turn)[:, None] * one + torch.sin(turn)[:, None] * other)
    real = (0.7 * one).expand(len(degrees), 3)
    found = spectral_angle(spectra.float()[..., None, None], real.float()[..., None, None]).squeeze()
    assert torch.allclose(found.double(), degrees, rtol=1e-5, atol=2e-5)


@given(st.integers(1, 6), st.floats(1e-4, 1e4), st.integers(0, 99))
def test_angle_ignores_brightness_and_the_order_of_bands(nbands: int, gain: float, seed: int) -> None:
    one, other = noise(1, nbands, 3, 3, seed=seed) + 1, noise(1, nbands, 3, 3, seed=seed + 1) + 1
    found = spectral_angle(one, other)
    assert torch.allclose(spectral_angle(gain * one, other), found, atol=1e-4)
    assert torch.allclose(spectral_angle(one.flip(1), other.flip(1)), found, atol=1e-4)
    assert torch.allclose(spectral_angle(other, one), found, atol=1e-4)
    assert spectral_angle(gain * one, one).max() < 1e-4


def test_angles_of_zero_spectra() -> None:
    zero, some = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 1e-6)
    assert (spectral_angle(zero, zero) == 0).all()
    assert (spectral_angle(some, zero) == 0).all()
    assert (spectral_angle(zero, some) == 90).all()
    assert (spectral_angle(some, some) == 0).all()


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(1, 7), st.sampled_from([1, 3, 8, 16, 1000]))
@settings(max_examples=30)
def test_any_split_gives_the_same_scores(sizes: list[int], nbands: int, at_once: int) -> None:
    generated, real = noise(sum(sizes), nbands, 12, 14, seed=1), noise(sum(sizes), nbands, 12, 14, seed=2)
    region = opacity_region(noise(sum(sizes), 12, 14))
    whole = score_frames(generated, real, region)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "BANDS_AT_ONCE", at_once)
        parts = zip(generated.split(sizes), real.split(sizes), region.split(sizes), strict=True)
        split = FrameScores.concatenate([score_frames(*part) for part in parts])
    for one, other in ((whole.means, split.means), (whole.sums, split.sums)):
        assert one.keys() == other.keys()
        for key, values in one.items():
            assert torch.allclose(values, other[key], rtol=1e-6, atol=1e-7), key


def test_any_number_of_cores_gives_the_same_scores() -> None:
    generated, real = noise(9, 6, 16, 16, seed=1), noise(9, 6, 16, 16, seed=2)
    before, found = torch.get_num_threads(), []
    try:
        for ncores in (1, 3):
            torch.set_num_threads(ncores)
            found.append(score_frames(generated, real).means)
            assert torch.get_num_threads() == ncores
    finally:
        torch.set_num_threads(before)
    for key, values in found[0].items():
        assert torch.equal(values, found[1][key])


def test_scores_follow_their_frames() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    scores, order = score_frames(generated, real, opacity_region(noise(4, 24, 20))), torch.tensor([2, 0, 3])
    shuffled = score_frames(generated[order], real[order], opacity_region(noise(4, 24, 20))[order])
    for found, expected in ((shuffled.means, scores.means), (shuffled.sums, scores.sums)):
        for key, values in found.items():
            assert torch.allclose(values, expected[key][order], rtol=1e-6)


def test_bands_may_be_permuted_and_images_turned() -> None:
    generated, real = textured(1), textured(2)
    found = score_frames(generated, real).means
    for change in (lambda x: x.flip(1), lambda x: x.flip(2), lambda x: x.flip(3), lambda x: x.transpose(2, 3)):
        for key, values in score_frames(change(generated), change(real)).means.items():
            assert torch.allclose(values, found[key], rtol=1e-5, atol=1e-6), key


def test_pixels_may_be_permuted_where_neighbours_do_not_count() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    order = torch.randperm(24 * 20, generator=torch.Generator().manual_seed(0))
    found = score_frames(generated, real).means
    permuted = score_frames(*(x.flatten(2)[..., order].reshape(SHAPE) for x in (generated, real))).means
    for key, values in permuted.items():
        assert torch.allclose(values, found[key], rtol=1e-5, atol=1e-6) == (not key.endswith("ssim"))


def by_region(scores: FrameScores) -> dict[str, list[float]]:
    sums = {key: values.sum(dim=0).numpy() for key, values in scores.sums.items()}
    rows = [pooled(sums, (number,)) for number in range(len(sums["pixels"]))]
    return {"pixels": sums["pixels"].tolist()} | {key: [row[key] for row in rows] for key in rows[0]}


@given(st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=30)
def test_regions_pool_to_all_pixels(nregions: int, seed: int) -> None:
    generated, real = noise(seed=seed), noise(seed=seed + 1)
    region = torch.randint(nregions, (4, 24, 20), generator=torch.Generator().manual_seed(seed))
    scores = score_frames(generated, real, region, nregions=nregions)
    view, regions = scores.of_view(), by_region(scores)
    pixels = np.array(regions["pixels"])
    assert pixels.sum() == 4 * 24 * 20
    for key, power in (("mae", 1), ("rmse", 2), ("sam", 1)):
        means = np.array(regions[key]) ** power
        assert (means @ pixels / pixels.sum()) ** (1 / power) == pytest.approx(view[key], rel=1e-6)


def test_regions_are_scored_as_if_alone() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    opacity = noise(4, 24, 20).add(1).div(2)
    regions = by_region(score_frames(generated, real, opacity_region(opacity)))
    for number, mask in enumerate((opacity <= 0.5, opacity > 0.5)):
        error = (generated - real).movedim(1, -1)[mask].double() / 2
        angles = spectral_angle(generated + 1, real + 1)[mask]
        assert regions["pixels"][number] == mask.sum()
        assert regions["mae"][number] == pytest.approx(float(error.abs().mean()), rel=1e-6)
        assert regions["rmse"][number] == pytest.approx(float(error.square().mean().sqrt()), rel=1e-6)
        assert regions["sam"][number] == pytest.approx(float(angles.double().mean()), rel=1e-6)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int64])
def test_regions_may_be_any_whole_numbers(kind: torch.dtype) -> None:
    region = torch.arange(4)[:, None, None].expand(4, 24, 20).to(kind)
    scores = score_frames(noise(seed=1), noise(seed=2), region, nregions=4)
    assert torch.equal(scores.sums["pixels"], 480 * torch.eye(4))
    assert by_region(scores)["mae"] == pytest.approx(scores.means["mae"].tolist(), rel=1e-6)


def test_a_region_without_pixels_has_no_scores() -> None:
    scores = score_frames(noise(seed=1), noise(seed=2), torch.zeros(4, 24, 20, dtype=torch.int64), nregions=3)
    regions = by_region(scores)
    assert regions["pixels"] == [4 * 24 * 20, 0, 0]
    for key in ("mae", "rmse", "sam"):
        assert regions[key][0] == pytest.approx(scores.of_view()[key], rel=1e-6)
        assert np.isnan(regions[key][1:]).all()
    assert score_frames(noise(seed=1), noise(seed=2)).sums == {}


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_a_region_out_of_range_is_an_error(number: int) -> None:
    region = torch.zeros(4, 24, 20, dtype=torch.int64)
    region[3, 23, 19] = number
    with pytest.raises(ValueError, match="out of range"):
        score_frames(noise(seed=1), noise(seed=2), region)


def test_opacities_are_binned_with_their_upper_edge() -> None:
    opacity = torch.tensor([0, 0.1, 0.5, 0.500001, 0.75, 1])
    assert opacity_region(opacity).tolist() == [0, 0, 0, 1, 1, 1]
    assert opacity_region(opacity, (0.0, 0.5, 0.75)).tolist() == [0, 1, 1, 2, 2, 3]


def test_view_scores_are_means_over_frames() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    scores = score_frames(generated, real)
    view = scores.of_view()
    for key, values in scores.means.items():
        assert view[key] == pytest.approx(float(values.mean()))
    assert view["rmse"] == pytest.approx(float((generated - real).div(2).square().mean().sqrt()), rel=1e-6)


def test_a_frame_that_is_not_finite_spoils_no_other() -> None:
    generated, real = noise(seed=1), noise(seed=2)
    sound = score_frames(generated, real).means
    generated[1, 1, 3, 4] = math.nan
    spoilt = score_frames(generated, real).means
    others = torch.tensor([0, 2, 3])
    for key, values in spoilt.items():
        assert torch.allclose(values[others], sound[key][others], rtol=1e-6)
    for key in ("mae", "psnr", "ssim", "sam", "original_mae"):
        assert spoilt[key][1].isnan()


def test_mixed_precision_around_does_not_lower_precision_within() -> None:
    generated, real = noise(seed=1).requires_grad_(), noise(seed=2)
    found = score_frames(generated, real).means
    with torch.autocast("cpu", torch.bfloat16):
        mixed = score_frames(generated, real).means
    for key, values in mixed.items():
        assert torch.equal(values, found[key])
        assert not values.requires_grad


@pytest.mark.parametrize(
    ("generated", "real", "region", "message"),
    [
        ((4, 3, 16, 16), (4, 3, 16, 12), None, r"\(4, 3, 16, 16\) and \(4, 3, 16, 12\), expected two equal"),
        ((3, 16, 16), (3, 16, 16), None, "expected two equal"),
        ((0, 3, 16, 16), (0, 3, 16, 16), None, "none of them 0"),
        ((4, 3, 16, 16), (4, 3, 16, 16), (4, 16, 12), r"\(4, 16, 12\), expected \(4, 16, 16\)"),
    ],
)
def test_shapes_that_do_not_fit_are_errors(generated: tuple, real: tuple, region: tuple | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_frames(noise(*generated), noise(*real), None if region is None else torch.zeros(region).long())


@pytest.mark.parametrize(
    ("side", "undefined"), [(10, {"ssim"}), (6, {"ssim", "original_ssim"}), (1, {"ssim", "original_ssim"})]
)
def test_frames_smaller_than_a_window_have_no_similarity(side: int, undefined: set[str]) -> None:
    frames = [noise(4, 3, 16, side, seed=seed) for seed in (1, 2)]
    found = score_frames(*frames, torch.zeros(4, 16, side).long()).of_view()
    assert {key for key, value in found.items() if math.isnan(value)} == undefined


def test_code_from_the_cache_computes_what_fresh_code_did(tmp_path: Path) -> None:
    """To the last bit: scores must not depend on whether a process is the first one to need them."""
    code = """
import hashlib, numpy as np
from src.rsgan.evaluation.metrics import compiled
rng = np.random.default_rng(0)
one, other = rng.random((2, 5, 3, 40, 50), dtype=np.float32)
weights = tuple(np.full(7, 1 / 7, np.float32))
ssim = compiled.structural_similarity(one[:, 0], other[:, 0], weights, np.float32(1e-4), np.float32(9e-4))
parts = compiled.spectral_parts(one, other)
sums = compiled.region_sums(parts, rng.integers(0, 3, parts[0].shape), 3)
print(hashlib.sha256(b"".join(array.tobytes() for array in (ssim, *parts, sums))).hexdigest())
"""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    found = [
        subprocess.run(python("-c", code), env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert len(list(tmp_path.rglob("*.nbi"))) >= 3
    assert found[0] == found[1]
