"""Scores of one view's generated series: image scores of both protocols, fidelity in time, and land cover."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores, confusion_matrix
from src.rsgan.evaluation.metrics.images import FrameScores, opacity_region, score_frames
from src.rsgan.evaluation.metrics.temporal import temporal_scores
from utils.scores import KINDS

COVER_EDGES = tuple(number / 10 for number in range(1, 10))  # of pixels and frames by opacity: ten bins
SERIES_EDGES = tuple(number / 20 for number in range(1, 20))  # of pixel series by mean opacity, which varies less
CLOUDY_BINS = slice(5, None)  # opacity above 0.5
CLEAR_BINS = slice(None, 5)
PREFIX = "original_"  # of figures of the original protocol
COVER = "cloud_cover"  # the figure that says how much cloud there is
Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ViewScores:
    """All that is measured of one view.

    Attributes:
        figures: one number for each score; NaN where it is undefined, such as errors of cloudy pixels without clouds.
        frames: `(T,)` for each image score of the reflectance protocol (`mae`, `mse`, `psnr`, `ssim`, `sam`), and
            `cover`, the mean opacity.
        sums: `(10, 20, K + 1)` for `pixels`, `absolute`, `squared` and `angle`, summed over the pixels of all frames:
            by opacity of the pixel, mean opacity of its series, and class (0 is background).
        confusion: `(20, K, K)` for `real` and `generated`: counts of pixel series by mean opacity, true and predicted
            class.
        predicted: `(H, W)` for `real` and `generated`: the class maps that the classifier makes of the series.
    """

    figures: dict[str, float]
    frames: dict[str, NDArray[np.float64]]
    sums: dict[str, Counts]
    confusion: dict[str, NDArray[np.int64]]
    predicted: dict[str, NDArray[np.int64]]


def score_view(
    generated: Tensor, real: Tensor, classes: Tensor, opacity: Tensor, classifier: FittedClassifier, *, njobs: int = 1
) -> ViewScores:
    """Score the series of one view.

    Args:
        generated: `(T, C, H, W)`, network scale.
        real: the series that it should be, same shape and device.
        classes: `(H, W)`, true land cover on that device, 0 for background.
        opacity: `(T, H, W)`, of the clouds over the source, on that device.

    Raises:
        ValueError: If shapes don't fit.
        DataError: If generated values are not finite.
    """
    series_bin = opacity_region(opacity.mean(dim=0), SERIES_EDGES).long()  # (H, W)
    scores, sums = _image_scores(generated, real, classes.long(), opacity, series_bin, classifier.nclasses)
    predicted, confusion = {}, {}
    truth, bins = classes.long().cpu(), series_bin.cpu()
    for kind, frames in zip(KINDS, (real, generated), strict=True):
        predicted[kind] = classify(frames, truth.numpy(), classifier, njobs=njobs)
        confusion[kind] = _confusion(torch.from_numpy(predicted[kind]), truth, bins, classifier.nclasses)
    cover = opacity.mean(dim=(1, 2), dtype=torch.float64)
    frames = {key: scores.means[key] for key in ("mae", "mse", "psnr", "ssim", "sam")} | {"cover": cover}
    figures = {
        **scores.of_view(),
        **{f"{key}_cloudy": value for key, value in pooled(sums, (CLOUDY_BINS,)).items()},
        **{f"{key}_clear": value for key, value in pooled(sums, (CLEAR_BINS,)).items()},
        **{key: float(value) for key, value in temporal_scores(generated, real).items() if key != "correlated_series"},
        **_land_cover(confusion),
        COVER: float(cover.mean()),
    }
    return ViewScores(
        figures, {key: values.cpu().numpy() for key, values in frames.items()}, sums, confusion, predicted
    )


def _image_scores(
    generated: Tensor, real: Tensor, classes: Tensor, opacity: Tensor, series_bin: Tensor, nclasses: int
) -> tuple[FrameScores, dict[str, Counts]]:
    """Score frames, with sums over the regions that opacity, mean opacity and class define together."""
    shape = (len(COVER_EDGES) + 1, len(SERIES_EDGES) + 1, nclasses + 1)
    region = (opacity_region(opacity, COVER_EDGES).long() * shape[1] + series_bin) * shape[2] + classes
    scores = score_frames(generated, real, region, nregions=int(np.prod(shape)))
    sums = {key: values.sum(dim=0).reshape(shape).cpu().numpy() for key, values in scores.sums.items()}
    return scores, sums


def pooled(sums: dict[str, Counts], where: tuple[slice | int, ...]) -> dict[str, float]:
    """Average errors over the pixels of some regions, an index of the sums of `ViewScores`; NaN without pixels."""
    total = {key: float(values[where].sum()) for key, values in sums.items()}
    if not total["pixels"]:
        return dict.fromkeys(("mae", "rmse", "sam"), float("nan"))
    mean = {key: value / total["pixels"] for key, value in total.items()}
    return {"mae": mean["absolute"], "rmse": mean["squared"] ** 0.5, "sam": mean["angle"]}


def classify(
    frames: Tensor, classes: NDArray[np.integer], classifier: FittedClassifier, *, njobs: int = 1
) -> NDArray[np.int64]:
    """Predict land cover from a series `(T, C, H, W)` in network scale: `(H, W)`; background stays background.

    Raises:
        DataError: If values are not finite.
    """
    predicted = np.zeros(classes.shape, np.int64)
    foreground = classes != 0
    series = frames.detach().float().permute(2, 3, 0, 1).cpu().numpy()[foreground]  # (T, C, H, W) -> (n, T, C)
    predicted[foreground] = classifier.predict(series, njobs=njobs)
    return predicted


def _confusion(predicted: Tensor, truth: Tensor, bins: Tensor, nclasses: int) -> NDArray[np.int64]:
    """Confusion matrices of pixel series by their mean opacity."""
    number = len(SERIES_EDGES) + 1
    each = [confusion_matrix(predicted[bins == i], truth[bins == i], nclasses) for i in range(number)]
    return torch.stack(each).numpy()


def _land_cover(confusion: dict[str, NDArray[np.int64]]) -> dict[str, float]:
    figures = {}
    for kind in KINDS:
        counts = torch.from_numpy(confusion[kind].sum(axis=0))
        found = classification_scores(counts)
        found |= {f"jaccard_class_{number}": value for number, value in enumerate(class_jaccard(counts).tolist(), 1)}
        figures |= {f"{key}_{kind}": value for key, value in found.items()}
    return figures
