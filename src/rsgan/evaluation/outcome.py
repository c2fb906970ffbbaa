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
from src.rsgan.evaluation.summary import (
    Figures,
    by_class,
    by_cloud_cover,
    by_judge,
    by_knock_out,
    clouded,
    figures,
    summarise,
    total_confusion,
)
from utils import scores
from utils.files import new_files
from utils.tables import write_csv, write_json


@dataclass(frozen=True, eq=False)
class Outcome:
    """What testing found: scores of each test view by name, some frames and class maps, and where all that is from."""

    experiment: str
    views: Mapping[str, ViewScores]
    strips: Sequence[Strip]
    maps: Sequence[LabelledMaps]
    seed: int  # of the bootstrap over views
    about: Mapping[str, Any]
    knock_outs: Mapping[str, Sequence[Figures]]  # scores of each test view without a product of the source

    @property
    def frames(self) -> dict[str, str]:
        """What to call the frames of each of `SERIES`: without generation, sources take the place of images."""
        instead = {"generated": "source"} if self.about["kind"] == scores.NO_GENERATION else {}
        return {kind: instead.get(kind, kind) for kind in scores.SERIES}


def write_results(folder: Path, outcome: Outcome) -> str:
    """Write tables and pictures, in place of those that testing has written before; what else is there stays.

    Returns:
        The most telling scores, in one line.
    """
    views = [*outcome.views.values()]
    found = figures(views)
    summary = summarise(found, seed=outcome.seed) | by_judge(views, seed=outcome.seed)
    if outcome.knock_outs:
        summary[scores.KNOCK_OUTS] = by_knock_out(outcome.knock_outs, seed=outcome.seed)
    means = {name: interval["mean"] for name, interval in summary[scores.REFLECTANCE].items()}
    with new_files(folder, scores.RESULTS) as temporary:
        write_json(temporary / scores.SCORES, summary | {"about": outcome.about})
        write_json(temporary / scores.HEADLINES, {name: means[name] for name in scores.AT_A_GLANCE if name in means})
        rows = zip(outcome.views.items(), found, strict=True)
        write_csv(temporary / scores.VIEWS, [{"view": name} | row | _verdicts(view) for (name, view), row in rows])
        write_csv(temporary / scores.BY_CLASS, by_class(views))
        if clouded(views):
            write_csv(temporary / scores.BY_CLOUD_COVER, by_cloud_cover(views))
        for kind, matrices in total_confusion(views).items():
            counts = matrices.sum(axis=0)
            write_csv(temporary / scores.CONFUSION[kind], _confusion_rows(counts))
            title = f"{outcome.experiment}: {outcome.frames[kind]} frames of {len(views)} test views"
            draw_confusion(counts, title, temporary / scores.CONFUSION_PICTURE[kind])
        if outcome.strips:
            draw_strips(outcome.strips, temporary / scores.SAMPLES)
        maps = [
            (title, truth, {outcome.frames[kind]: found for kind, found in predicted.items()})
            for title, truth, predicted in outcome.maps
        ]
        draw_class_maps(maps, temporary / scores.CLASS_MAPS)
    return _describe(means, outcome.frames, len(views))


def _verdicts(view: ViewScores) -> dict[str, float]:
    return {scores.under(judge, key): value for judge, found in view.judged.items() for key, value in found.items()}


def _confusion_rows(counts: NDArray[np.int64]) -> list[dict[str, Any]]:
    return [
        {"true": true} | {f"predicted {number}": int(count) for number, count in enumerate(row, 1)}
        for true, row in enumerate(counts, 1)
    ]


def _describe(means: Mapping[str, float], frames: Mapping[str, str], count: int) -> str:
    shown = {name: "–" if math.isnan(value) else f"{value:.{scores.digits(value)}f}" for name, value in means.items()}
    jaccard = " and ".join(f"{shown[f'jaccard_{kind}']} on {frames[kind]}" for kind in reversed(scores.SERIES))
    return (
        f"{count} test views: RMSE {shown['rmse']}, SSIM {shown['ssim']}, Jaccard index {jaccard} frames, "
        f"ratio {shown['jaccard_ratio']}"
    )
