"""What testing leaves: the scores of all test views, as files and pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.rsgan.evaluation.drawing import LabelledMaps, Strip, draw_class_maps, draw_confusion, draw_strips
from src.rsgan.evaluation.scoring import ViewScores
from src.rsgan.evaluation.summary import by_class, by_cloud_cover, clouded, figures, summarise, total_confusion
from utils import scores
from utils.files import new_files
from utils.tables import write_csv, write_json


@dataclass(frozen=True, eq=False)
class Outcome:
    """What testing found: scores of each test view by name, some frames and class maps, and where all that is from.

    The seed is that of the bootstrap over views.
    """

    experiment: str
    views: Mapping[str, ViewScores]
    strips: Sequence[Strip]
    maps: Sequence[LabelledMaps]
    seed: int
    about: Mapping[str, Any]


def write_results(folder: Path, outcome: Outcome) -> str:
    """Write tables and pictures, in place of those that testing has written before; what else is there stays.

    Returns:
        The most telling scores, in one line.
    """
    views = [*outcome.views.values()]
    found = figures(views)
    summary = summarise(found, seed=outcome.seed)
    means = {name: interval["mean"] for name, interval in summary[scores.REFLECTANCE].items()}
    with new_files(folder, scores.RESULTS) as temporary:
        write_json(temporary / scores.SCORES, summary | {"about": outcome.about})
        write_json(temporary / scores.HEADLINES, {name: means[name] for name in scores.AT_A_GLANCE if name in means})
        rows = [{"view": name} | row for name, row in zip(outcome.views, found, strict=True)]
        write_csv(temporary / scores.VIEWS, rows)
        write_csv(temporary / scores.BY_CLASS, by_class(views))
        if clouded(views):
            write_csv(temporary / scores.BY_CLOUD_COVER, by_cloud_cover(views))
        _write_confusion(temporary, outcome)
        draw_strips(outcome.strips, temporary / scores.SAMPLES)
        draw_class_maps(outcome.maps, temporary / scores.CLASS_MAPS)
    return _describe(means, len(views))


def _write_confusion(folder: Path, outcome: Outcome) -> None:
    for kind, matrices in total_confusion([*outcome.views.values()]).items():
        counts = matrices.sum(axis=0)
        write_csv(folder / scores.CONFUSION[kind], _confusion_rows(counts))
        title = f"{outcome.experiment}: {kind} frames of {len(outcome.views)} test views"
        draw_confusion(counts, title, folder / scores.CONFUSION_PICTURE[kind])


def _confusion_rows(counts: NDArray[np.int64]) -> list[dict[str, Any]]:
    return [
        {"true": true} | {f"predicted {number}": int(count) for number, count in enumerate(row, 1)}
        for true, row in enumerate(counts, 1)
    ]


def _describe(means: Mapping[str, float], count: int) -> str:
    shown = {name: "–" if math.isnan(value) else f"{value:.{scores.digits(value)}f}" for name, value in means.items()}
    jaccard = " and ".join(f"{shown[f'jaccard_{kind}']} on {kind}" for kind in reversed(scores.KINDS))
    return (
        f"{count} test views: RMSE {shown['rmse']}, SSIM {shown['ssim']}, Jaccard index {jaccard} frames, "
        f"ratio {shown['jaccard_ratio']}"
    )
