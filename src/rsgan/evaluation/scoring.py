"""Scores of one view's generated series: image scores of both protocols, fidelity in time, and land cover."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.classifiers.chunks import Labels
from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores, confusion_matrix, jaccard
from src.rsgan.evaluation.metrics.flicker import flicker
from src.rsgan.evaluation.metrics.images import opacity_region, score_frames, single
from src.rsgan.evaluation.metrics.temporal import temporal_scores
from src.rsgan.evaluation.metrics.texture import texture_scores
from src.rsgan.evaluation.metrics.uncertainty import Prediction, harm_auroc, uncertainty_scores
from src.rsgan.evaluation.pixels import classify
from utils.scores import ORIGINAL, REFLECTANCE, SERIES, TABLES

COVER_EDGES = tuple(number / 10 for number in range(1, 10))  # of pixels and frames by opacity: ten bins
SERIES_EDGES = tuple(number / 20 for number in range(1, 20))  # of pixel series by mean opacity, which varies less
CLOUDY_BINS = slice(5, None)  # opacity above 0.5
CLEAR_BINS = slice(None, 5)
SHADOWED = 0.2  # share of the ground's light that a shadow takes, above which a clear pixel counts as shadowed
PREFIX = "original_"  # of figures of the original protocol
COVER = "cloud_cover"  # the figure that says how much cloud there is
FRAME_SCORES = ("mae", "mse", "psnr", "ssim", "sam")  # that are kept of each frame
OF_IMAGES = (  # the tables' scores that say nothing of land cover
    *(score.name for score in TABLES[REFLECTANCE] if "jaccard" not in score.name),
    *(PREFIX + score.name for score in TABLES[ORIGINAL] if score.protocol == ORIGINAL),
)
Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ViewScores:
    """All that is measured of one view.

    Attributes:
        figures: of each score; NaN where it is undefined, such as errors of cloudy pixels without clouds.
        frames: `(T,)` for each image score of the reflectance protocol (`mae`, `mse`, `psnr`, `ssim`, `sam`), and
            `cover`, the mean opacity.
        sums: `(10, 20, K + 1)` for `pixels`, `absolute`, `squared` and `angle`, summed over the pixels of all frames:
            by opacity of the pixel, mean opacity of its series, and class (0 is background).
        confusion: `(20, K, K)` for `real` and `generated`: counts of pixel series by mean opacity, true and predicted
            class, by the headline judge.
        predicted: `(H, W)` for `real` and `generated`: the class maps that the headline judge makes of the series.
        judged: the Jaccard indices `jaccard_real` and `jaccard_generated` under each judge, by its name; and `tstr` and
            `trtr` of `synthetic.score_real`.
    """

    figures: dict[str, float]
    frames: dict[str, NDArray[np.float64]]
    sums: dict[str, Counts]
    confusion: dict[str, NDArray[np.int64]]
    predicted: dict[str, NDArray[np.int64]]
    judged: dict[str, dict[str, float]]


def score_view(
    generated: Tensor,
    real: Tensor,
    classes: Labels,
    parcels: Labels,
    opacity: Tensor,
    judges: Sequence[FittedClassifier],
    on_real: Sequence[Labels],
    *,
    shadow: Tensor | None = None,
    uncertain: Prediction | None = None,
    njobs: int = 1,
) -> ViewScores:
    """Score the series of one view, on the CPU.

    Args:
        generated: `(T, C, H, W)`, network scale.
        real: the series that it should be, same shape.
        classes: `(H, W)`, true land cover, 0 for background.
        parcels: `(H, W)`, numbers of land parcels, 0 for background.
        opacity: `(T, H, W)`, of the clouds over the source.
        judges: all with the same classes; the first is that of the headline, which most scores of land cover are of.
        on_real: `(H, W)`, what each judge makes of the real series.
        shadow: `(T, H, W)`, share of the ground's light that shadows of clouds take, where there are any.
        uncertain: how uncertain the generated values are, if that is known.

    Raises:
        ValueError: If shapes don't fit.
        DataError: If generated values are not finite.
    """
    generated, real, opacity = single(generated), single(real), opacity.cpu()
    series_bin = opacity_region(opacity.mean(dim=0), SERIES_EDGES)  # (H, W)
    region, shape = _regions(opacity, series_bin, classes, judges[0].nclasses)
    shadowed = torch.zeros_like(region) if shadow is None else (shadow.cpu() > SHADOWED).long()
    scores = score_frames(generated, real, 2 * region + shadowed, nregions=2 * math.prod(shape))
    lit_or_not = {key: values.sum(dim=0).reshape(*shape, 2).numpy() for key, values in scores.sums.items()}
    sums = {key: values.sum(axis=-1) for key, values in lit_or_not.items()}
    found = _judge(generated, classes, series_bin.numpy(), judges[0].nclasses, judges, on_real, njobs=njobs)
    cover = opacity.mean(dim=(1, 2), dtype=torch.float64)
    frames = {key: scores.means[key] for key in FRAME_SCORES} | {"cover": cover}
    figures = {
        **scores.of_view(),
        **{f"{key}_cloudy": value for key, value in pooled(sums, (CLOUDY_BINS,)).items()},
        **{f"{key}_clear": value for key, value in pooled(sums, (CLEAR_BINS,)).items()},
        **{f"{key}_shadowed": value for key, value in pooled(lit_or_not, (CLEAR_BINS, ..., 1)).items()},
        **temporal_scores(generated, real),
        "flicker": flicker(generated, real, parcels),
        **texture_scores(generated, real),
        **_land_cover(found.confusion),
        COVER: float(cover.mean()),
    }
    if uncertain:
        harm = harm_auroc(uncertain.std, found.predicted, classes)
        figures |= uncertainty_scores(uncertain, real) | {"harm_auroc": harm}
    return ViewScores(figures, {key: values.numpy() for key, values in frames.items()}, sums, *found)


def score_sources(
    source: Tensor,
    classes: Labels,
    opacity: Tensor,
    judges: Sequence[FittedClassifier],
    learnt: Sequence[FittedClassifier],
    on_real: Sequence[Labels],
    *,
    njobs: int = 1,
) -> ViewScores:
    """Score what is recognised in the source of a view, for which no image is generated: scores of images are NaN.

    Args:
        source: `(T, C, H, W)`, of any bands; the others are those of `score_view`.
        learnt: classifiers like those of `judges`, that have learnt from sources.

    Raises:
        DataError: If values of the source are not finite.
    """
    opacity = opacity.cpu()
    series_bin = opacity_region(opacity.mean(dim=0), SERIES_EDGES)
    region, shape = _regions(opacity, series_bin, classes, judges[0].nclasses)
    pixels = torch.bincount(region.ravel(), minlength=math.prod(shape)).reshape(shape).double().numpy()
    found = _judge(source, classes, series_bin.numpy(), judges[0].nclasses, learnt, on_real, njobs=njobs)
    cover = opacity.mean(dim=(1, 2), dtype=torch.float64)
    frames = dict.fromkeys(FRAME_SCORES, np.full(len(cover), math.nan)) | {"cover": cover.numpy()}
    sums = dict.fromkeys(("absolute", "squared", "angle"), np.full(shape, math.nan)) | {"pixels": pixels}
    figures = dict.fromkeys(OF_IMAGES, math.nan) | _land_cover(found.confusion) | {COVER: float(cover.mean())}
    return ViewScores(figures, frames, sums, *found)


def _regions(
    opacity: Tensor, series_bin: Tensor, classes: Labels, nclasses: int
) -> tuple[Tensor, tuple[int, int, int]]:
    """Number pixels `(T, H, W)` by opacity, mean opacity of their series, and class; and how many there are of each."""
    shape = (len(COVER_EDGES) + 1, len(SERIES_EDGES) + 1, nclasses + 1)
    return (opacity_region(opacity, COVER_EDGES) * shape[1] + series_bin) * shape[2] + torch.from_numpy(classes), shape


def pooled(sums: dict[str, Counts], where: tuple[Any, ...]) -> dict[str, float]:
    """Average errors over the pixels of some regions, an index of the sums of `ViewScores`; NaN without pixels."""
    total = {key: float(values[where].sum()) for key, values in sums.items()}
    if not total["pixels"]:
        return dict.fromkeys(("mae", "rmse", "sam"), float("nan"))
    mean = {key: value / total["pixels"] for key, value in total.items()}
    return {"mae": mean["absolute"], "rmse": mean["squared"] ** 0.5, "sam": mean["angle"]}


class _Verdicts(NamedTuple):
    """Of all judges, as `ViewScores` has them."""

    confusion: dict[str, NDArray[np.int64]]
    predicted: dict[str, NDArray[np.int64]]
    judged: dict[str, dict[str, float]]


def _judge(
    series: Tensor,
    classes: Labels,
    bins: NDArray[np.int64],
    nclasses: int,
    judges: Sequence[FittedClassifier],
    on_real: Sequence[Labels],
    *,
    njobs: int,
) -> _Verdicts:
    """Have judged what takes the place of real series, beside what was made of these."""
    maps = dict(zip(SERIES, (on_real, classify(series, classes, judges, njobs=njobs)), strict=True))
    judged: dict[str, dict[str, float]] = {judge.settings.name: {} for judge in judges}
    for kind, predicted in maps.items():
        for name, labels in zip(judged, predicted, strict=True):
            judged[name][f"jaccard_{kind}"] = jaccard(labels, classes, nclasses)
    headline = {kind: predicted[0] for kind, predicted in maps.items()}
    return _Verdicts(_confusion(headline, classes, bins, nclasses), headline, judged)


def _confusion(
    predicted: dict[str, NDArray[np.int64]], truth: Labels, bins: NDArray[np.int64], nclasses: int
) -> dict[str, NDArray[np.int64]]:
    """Confusion matrices of pixel series by their mean opacity, for `real` and `generated`."""
    chosen = [bins == number for number in range(len(SERIES_EDGES) + 1)]
    return {
        kind: np.stack([confusion_matrix(found[where], truth[where], nclasses) for where in chosen])
        for kind, found in predicted.items()
    }


def _land_cover(confusion: dict[str, NDArray[np.int64]]) -> dict[str, float]:
    figures = {}
    for kind in SERIES:
        counts = confusion[kind].sum(axis=0)
        found = classification_scores(counts)
        found |= {f"jaccard_class_{number}": value for number, value in enumerate(class_jaccard(counts).tolist(), 1)}
        figures |= {f"{key}_{kind}": value for key, value in found.items()}
    return figures
