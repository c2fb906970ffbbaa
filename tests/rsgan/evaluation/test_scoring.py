"""Scores of whole views and their summaries: sanity of the extremes, and breakdowns that add up to the whole."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from src.rsgan.evaluation.classifiers import CLASSIFIERS, FittedClassifier
from src.rsgan.evaluation.metrics.uncertainty import Gaussian
from src.rsgan.evaluation.pixels import classify
from src.rsgan.evaluation.scoring import ViewScores, score_sources, score_view
from src.rsgan.evaluation.summary import by_class, by_cloud_cover, figures, summarise, total, total_confusion
from utils.scores import TABLES

pytestmark = pytest.mark.usefixtures("compiled")
HORIZON, BANDS, SIDE, NCLASSES = 6, 3, 20, 2
PUBLISHED = [
    *(f"test_{name}" for name in ("mae", "mse", "psnr", "ssim", "sam")),
    *(f"test_jaccard_{name}" for name in ("generated_samples", "real_samples", "ratio")),
]


def curves() -> Tensor:
    """A curve for each class and band: `(K, T, C)`."""
    return torch.rand((NCLASSES, HORIZON, BANDS), generator=torch.Generator().manual_seed(7)) * 1.6 - 0.8


def classes() -> Tensor:
    """Left half 1, right half 2, a border of background."""
    found = torch.ones((SIDE, SIDE), dtype=torch.int16)
    found[:, SIDE // 2 :] = 2
    found[0] = found[:, SIDE // 2] = 0
    return found


def real(seed: int = 0, noise: float = 0.05) -> Tensor:
    series = torch.cat([torch.full((1, HORIZON, BANDS), -1.0), curves()])[classes().long()]  # (H, W, T, C)
    generator = torch.Generator().manual_seed(seed)
    return series.permute(2, 3, 0, 1) + noise * torch.randn((HORIZON, BANDS, SIDE, SIDE), generator=generator)


def opacity(seed: int = 3) -> Tensor:
    return torch.rand((HORIZON, SIDE, SIDE), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def classifier() -> FittedClassifier:
    labels = np.repeat([1, 2], 200)
    noise = 0.05 * np.random.default_rng(0).standard_normal((400, HORIZON, BANDS))
    series = (curves().numpy()[labels - 1] + noise).astype(np.float32)
    return CLASSIFIERS.entries["logistic_regression"]().fit(lambda: iter([(series, labels)]))


def score(
    generated: Tensor,
    target: Tensor,
    classifier: FittedClassifier,
    cloud: Tensor | None = None,
    shadow: Tensor | None = None,
) -> ViewScores:
    cloud = opacity() if cloud is None else cloud
    truth = classes().numpy()
    on_real = classify(target, truth, [classifier], njobs=1)
    return score_view(generated, target, truth, truth, cloud, [classifier], on_real, shadow=shadow)


def test_the_target_itself_is_perfect(classifier: FittedClassifier) -> None:
    found = summarise([score(real(seed), real(seed), classifier).figures for seed in range(3)], seed=0)
    assert found["test_mae"] == found["test_mse"] == 0
    assert found["test_ssim"] == pytest.approx(1)
    assert found["test_psnr"] == math.inf
    assert found["test_jaccard_ratio"] == 1
    assert found["reflectance"]["ssim"]["mean"] == pytest.approx(1)
    for key in ("mae", "rmse", "sam", "mae_cloudy", "rmse_clear", "difference_mae"):
        assert found["reflectance"][key]["mean"] == 0
    for key in ("texture_low", "texture_middle", "texture_high"):
        assert found["reflectance"][key]["mean"] == 0
    assert found["reflectance"]["correlation"]["mean"] == pytest.approx(1, abs=1e-6)
    assert found["reflectance"]["nnse"]["mean"] == found["reflectance"]["flicker"]["mean"] == 1
    assert found["reflectance"]["jaccard_ratio"] == {"mean": 1, "low": 1, "high": 1, "count": 3}


def test_claims_of_certainty_and_of_the_true_spread(classifier: FittedClassifier) -> None:
    """CRPS of certainty is the MAE; noise of the deviation that is claimed is within its intervals as it should be."""
    noisy, truth = real(noise=0.3), classes().numpy()
    target, on_real = noisy + 0.1 * torch.randn(noisy.shape, generator=torch.Generator().manual_seed(9)), [truth]
    certain, spread = (
        score_view(
            noisy, target, truth, truth, opacity(), [classifier], on_real, uncertain=Gaussian(noisy, std)
        ).figures
        for std in (torch.zeros_like(noisy), torch.full_like(noisy, 0.1))
    )
    assert certain["crps"] == pytest.approx(certain["mae"])
    assert spread["crps"] < certain["crps"]
    assert spread["coverage_80"] == pytest.approx(0.8, abs=0.03)
    assert spread["squared_z"] == pytest.approx(1, abs=0.05)
    summary = summarise([spread], seed=0)
    assert set(summary["uncertainty"]) == {score.name for score in TABLES["uncertainty"]}
    assert not set(summary["uncertainty"]) & set(summary["reflectance"])
    assert "uncertainty" not in summarise([score(noisy, target, classifier).figures], seed=0)


def test_what_is_ruined_in_the_dark_is_seen_in_reflectance_only(classifier: FittedClassifier) -> None:
    target = real().clamp(-1, 1)
    dark = target < 0
    ruined = torch.where(dark, -1 - target, target)  # still dark, as wrong as can be
    figures = score(ruined, target, classifier).figures
    perfect = score(target, target, classifier).figures  # the original angle of a dark spectrum with itself is not 0
    for key in ("original_sam", "original_ssim", "original_psnr"):
        assert figures[key] == pytest.approx(perfect[key])
    assert figures["mae"] > 0.05
    assert figures["ssim"] < 0.9
    assert figures["sam"] > 1


def test_noise_costs_land_cover(classifier: FittedClassifier) -> None:
    clean = score(real(), real(1), classifier).figures
    noisy = score(real(noise=3), real(1), classifier).figures
    assert clean["jaccard_generated"] == clean["jaccard_real"] == 1
    assert noisy["jaccard_generated"] < 0.7
    assert noisy["kappa_generated"] < 0.6
    assert noisy["correlation"] < clean["correlation"]


def test_background_counts_for_images_and_not_for_land_cover(classifier: FittedClassifier) -> None:
    changed = torch.where(classes() == 0, 1.0, real())
    found, before = (score(frames, real(), classifier) for frames in (changed, real()))
    assert found.figures["mae"] > 0
    np.testing.assert_array_equal(found.confusion["generated"], before.confusion["generated"])
    assert (found.predicted["generated"][classes().numpy() == 0] == 0).all()


def test_breakdowns_add_up_to_the_whole(classifier: FittedClassifier) -> None:
    cases = ((seed, real(seed + 5, noise=0.5)) for seed in range(3))
    views = [score(made, real(seed), classifier, opacity(seed)) for seed, made in cases]
    figures = [view.figures for view in views]
    rows = by_cloud_cover(views)
    for unit, every in (("pixel", 3 * HORIZON * SIDE**2), ("frame", 3 * HORIZON), ("pixel series", 3 * 19**2)):
        chosen = [row for row in rows if row["unit"] == unit]
        assert sum(row["count"] for row in chosen) == every
        if unit != "pixel series":
            mean = sum(row["mae"] * row["count"] for row in chosen) / every
            assert mean == pytest.approx(np.mean([figure["mae"] for figure in figures]), rel=1e-5)
    square = sum(row["rmse"] ** 2 * row["count"] for row in rows if row["unit"] == "pixel") / (3 * HORIZON * SIDE**2)
    assert square == pytest.approx(np.mean([figure["mse"] for figure in figures]), rel=1e-5)
    table = by_class(views)
    assert [row["class"] for row in table] == [0, 1, 2]
    counts = total_confusion(views)["generated"].sum(axis=0)
    assert [row["pixel_series"] for row in table[1:]] == counts.sum(axis=1).tolist()
    hits = counts.diagonal() / (counts.sum(axis=0) + counts.sum(axis=1) - counts.diagonal())
    assert [row["jaccard_generated"] for row in table[1:]] == pytest.approx(hits.tolist())


def test_pixels_are_sorted_by_their_own_opacity(classifier: FittedClassifier) -> None:
    """Errors grow with opacity; a pixel at the edge of two bins belongs to the lower."""
    cloud = opacity()
    cloud[0, 0, 0] = 0.5
    made = real() + 0.2 * (cloud > 0.5).unsqueeze(1)
    found = score(made, real(), classifier, cloud)
    assert found.figures["mae_clear"] == pytest.approx(0, abs=1e-7)
    assert found.figures["mae_cloudy"] == pytest.approx(0.1, rel=1e-5)
    rows = [row for row in by_cloud_cover([found]) if row["unit"] == "pixel"]
    assert [round(row["mae"], 6) for row in rows] == [0] * 5 + [0.1] * 5
    clear = float(total([found])["pixels"][:5].sum())
    assert clear == (cloud <= 0.5).sum()


def test_shadowed_pixels_are_clear_ones_in_a_shadow_that_shows(classifier: FittedClassifier) -> None:
    cloud, shadow = opacity(), opacity(4) / 2
    shadowed = (shadow > 0.2) & (cloud <= 0.5)
    made = real() + 0.2 * shadowed.unsqueeze(1)
    found, blind = score(made, real(), classifier, cloud, shadow), score(made, real(), classifier, cloud)
    assert found.figures["mae_shadowed"] == pytest.approx(0.1, rel=1e-5)
    assert found.figures["rmse_shadowed"] == pytest.approx(0.1, rel=1e-5)
    assert found.figures["mae_clear"] == pytest.approx(float(0.1 * shadowed.sum() / (cloud <= 0.5).sum()), rel=1e-5)
    assert math.isnan(blind.figures["mae_shadowed"])
    same = {key: value for key, value in blind.figures.items() if not key.endswith("_shadowed")}
    assert {key: found.figures[key] for key in same} == pytest.approx(same)
    for key, sums in blind.sums.items():
        np.testing.assert_allclose(found.sums[key], sums)
    assert summarise(figures([found, blind]), seed=0)["reflectance"]["rmse_shadowed"]["count"] == 1
    assert not [key for key in figures([blind])[0] if "shadow" in key]


def test_without_any_cloud_there_is_nothing_about_clouds(classifier: FittedClassifier) -> None:
    clear, cloudy = torch.zeros_like(opacity()), opacity()
    views = [score(real(1), real(), classifier, cloud) for cloud in (clear, cloudy)]
    assert math.isnan(views[0].figures["mae_cloudy"])
    both = summarise(figures(views), seed=0)["reflectance"]
    assert both["mae_cloudy"]["count"] == 1
    assert both["mae_clear"]["count"] == 2
    alone = summarise(figures(views[:1]), seed=0)["reflectance"]
    assert not [key for key in alone if "cloud" in key or "clear" in key]
    assert alone["mae"]["mean"] == views[0].figures["mae"]


def test_published_keys_are_means_over_views(classifier: FittedClassifier) -> None:
    views = [score(real(seed + 9, noise=0.3), real(seed), classifier).figures for seed in range(4)]
    found = summarise(views, seed=0)
    assert list(found)[:8] == PUBLISHED
    names = [
        *(f"original_{name}" for name in ("mae", "mse", "psnr", "ssim", "sam")),
        "jaccard_generated",
        "jaccard_real",
    ]
    for key, name in zip(PUBLISHED[:7], names, strict=True):
        assert found[key] == pytest.approx(np.mean([view[name] for view in views]))
    ratio = found["test_jaccard_generated_samples"] / found["test_jaccard_real_samples"]
    assert found["test_jaccard_ratio"] == pytest.approx(ratio)
    assert summarise(views, seed=0) == found


def test_sources_that_are_the_real_series_are_judged_as_these_and_have_no_image_to_score(
    classifier: FittedClassifier,
) -> None:
    one, other = opacity(), opacity(4) / 2
    with_images = [score(real(seed), real(seed), classifier, cloud) for seed, cloud in ((0, one), (1, other))]
    truth, judges, without = classes().numpy(), [classifier], []
    for seed, cloud in ((0, one), (1, other)):
        on_real = classify(real(seed), truth, judges, njobs=1)
        without.append(score_sources(real(seed), truth, cloud, judges, judges, on_real))
    expected, found = (summarise(figures(views), seed=0) for views in (with_images, without))
    for key, value in found["reflectance"].items():
        if "jaccard" in key or key in {"accuracy_real", "kappa_generated", "cloud_cover"}:
            assert value == expected["reflectance"][key]
        elif "accuracy" not in key and "kappa" not in key:
            assert math.isnan(value["mean"])
            assert value["count"] == 0
    assert math.isnan(found["test_psnr"])
    for rows in (by_class, by_cloud_cover):
        for ours, theirs in zip(rows(without), rows(with_images), strict=True):
            assert ours.keys() == theirs.keys()
            for key in ours:
                assert (
                    math.isnan(ours[key]) if key in {"mae", "rmse", "sam", "psnr", "ssim"} else ours[key] == theirs[key]
                )
