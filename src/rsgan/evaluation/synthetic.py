"""Train on synthetic, test on real: are generated series good enough to learn land cover from?

A classifier that learns from generated series of validation views, which no network was fitted to, is tested on real
series of test views, beside one that learns from the real series of the same pixels (Esteban et al. 2017,
arXiv:1706.02633).
"""

import logging
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.data.views import View
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.classifiers.chunks import Labels
from src.rsgan.evaluation.metrics.classification import jaccard
from src.rsgan.evaluation.pixels import PixelSample, classify, classify_real
from utils.scores import TRTR, TSTR

logger = logging.getLogger(__name__)
Learnt = dict[str, FittedClassifier]


def learn_from_generated(
    judges: Sequence[FittedClassifier], views: Sequence[View], generated: Iterable[Tensor], *, njobs: int
) -> Learnt:
    """Fit what each judge is to generated series of the validation pixels that it was fitted to real series of.

    Args:
        generated: of each validation view in turn, `(T, C, H, W)`, network scale.

    Returns:
        Classifiers by the name of their judge, without those of which real series of validation views aren't known.
    """
    judges = [judge for judge in judges if judge.on_validation]
    if not judges or not views:
        return {}
    samples = [PixelSample.to_learn_from(judge.settings, views) for judge in judges]
    series: list[list[NDArray[np.float32]]] = [[] for _ in judges]
    for number, frames in enumerate(generated):
        pixels = frames.float().cpu().permute(2, 3, 0, 1).flatten(0, 1).numpy()  # (T, C, H, W) -> (H · W, T, C)
        for parts, sample in zip(series, samples, strict=True):
            parts.append(pixels[sample.places[number]])
    learnt = {}
    for judge, sample in zip(judges, samples, strict=True):
        chunk = np.concatenate(series.pop(0)), np.concatenate(sample.labels)
        logger.info("fitting %s to %d generated pixel series of validation views", judge.settings.name, len(sample))
        learnt[judge.settings.name] = judge.settings.fit(lambda chunk=chunk: iter([chunk]), njobs=njobs)
    return learnt


def score_real(
    number: int, real: Tensor, classes: Labels, judges: Sequence[FittedClassifier], learnt: Learnt, *, njobs: int
) -> dict[str, dict[str, float]]:
    """Score the real series `(T, C, H, W)` of a test view, numbered from 0, whose land cover `(H, W)` is known.

    Returns:
        Jaccard indices of what has learnt from generated series, `tstr`, and from real ones, `trtr`, of each judge.
    """
    scores = {}
    for judge in (judge for judge in judges if judge.settings.name in learnt):
        name = judge.settings.name
        maps = [
            *classify(real, classes, [learnt[name]], njobs=njobs),
            *classify_real(number, real, classes, [judge.on_validation], njobs=njobs),
        ]
        found = (jaccard(predicted, classes, judge.nclasses) for predicted in maps)
        scores[name] = dict(zip((TSTR, TRTR), found, strict=True))
    return scores
