"""Scores of all test views: summary, and breakdown by cloud cover and by class."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores
from src.rsgan.evaluation.scoring import COVER, COVER_EDGES, FRAME_SCORES, PREFIX, SERIES_EDGES, ViewScores, pooled
from utils.intervals import Interval, bootstrap_mean, bootstrap_ratio
from utils.scores import (
    CLOUDS_ONLY,
    JUDGES,
    KNOCKED_OUT,
    ORIGINAL,
    RATIO,
    REFLECTANCE,
    SERIES,
    SHADOWS_ONLY,
    TABLES,
    TRTR,
    TSTR,
    TSTR_RATIO,
    UNCERTAINTY,
)
from utils.seeding import Streams

Row = dict[str, Any]
Figures = Mapping[str, float]


def figures(views: Sequence[ViewScores]) -> list[Figures]:
    """The figures of each view; without those of cloudy and clear, or shadowed pixels where no view has any."""
    every = [view.figures for view in views]
    absent = () if clouded(views) else (COVER, *CLOUDS_ONLY)
    if all(math.isnan(found[f"rmse{SHADOWS_ONLY}"]) for found in every):
        absent += (SHADOWS_ONLY,)
    return [{k: v for k, v in found.items() if not k.endswith(absent)} for found in every]


def clouded(views: Sequence[ViewScores]) -> bool:
    """Say whether there is any cloud."""
    return any(view.figures[COVER] > 0 for view in views)


def summarise(views: Sequence[Figures], *, seed: int) -> dict[str, Any]:
    """Average the `figures` of views; the seed is that of the bootstrap.

    Returns:
        The published keys `test_…`, each a mean over views (the ratio is one of means); then, for `original` and
        `reflectance` protocols and for `uncertainty`, if there are such figures, each score with `mean`, `low`, `high`
        (95 % bootstrap interval over views) and `count` (views in which it is defined).
    """
    columns = {key: np.array([found[key] for found in views]) for key in views[0]}
    intervals = {key: bootstrap_mean(values, rng=_stream(seed, key)) for key, values in columns.items()}
    intervals[RATIO] = _ratio(columns, seed=seed)
    uncertainty = {score.name: intervals.pop(score.name) for score in TABLES[UNCERTAINTY] if score.name in intervals}
    protocols = {UNCERTAINTY: uncertainty} if uncertainty else {}
    protocols |= {
        REFLECTANCE: {key: found for key, found in intervals.items() if not key.startswith(PREFIX)},
        ORIGINAL: {key: intervals[PREFIX + key] for key in FRAME_SCORES},
    }
    published = {score.key: protocols[score.protocol][score.name].mean for score in TABLES[ORIGINAL]}
    return published | {name: {k: v.model_dump() for k, v in found.items()} for name, found in protocols.items()}


def by_judge(views: Sequence[ViewScores], *, seed: int) -> dict[str, Any]:
    """Average the Jaccard indices under each judge, as `summarise` does those under the headline judge.

    Returns:
        Of each judge by name, `jaccard_real`, `jaccard_generated` and `jaccard_ratio` with their intervals; and `tstr`,
        `trtr` and `tstr_ratio`, where they were measured.
    """
    found = {}
    for name in views[0].judged:
        columns = {key: np.array([view.judged[name][key] for view in views]) for key in views[0].judged[name]}
        intervals = {key: bootstrap_mean(values, rng=_stream(seed, key)) for key, values in columns.items()}
        intervals[RATIO] = _ratio(columns, seed=seed)
        if TSTR in columns:
            intervals[TSTR_RATIO] = bootstrap_ratio(columns[TSTR], columns[TRTR], rng=_stream(seed, TSTR_RATIO))
        found[name] = {key: interval.model_dump() for key, interval in intervals.items()}
    return {JUDGES: found}


def by_knock_out(views: Mapping[str, Sequence[Figures]], *, seed: int) -> dict[str, Any]:
    """Average what is measured without a product of the source, with the intervals of `summarise`."""
    found = {}
    for name, rows in views.items():
        columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        intervals = {key: bootstrap_mean(columns[key], rng=_stream(seed, key)) for key in KNOCKED_OUT if key != RATIO}
        intervals[RATIO] = _ratio(columns, seed=seed)
        found[name] = {key: interval.model_dump() for key, interval in intervals.items()}
    return found


def _ratio(columns: Mapping[str, NDArray[np.float64]], *, seed: int) -> Interval:
    return bootstrap_ratio(columns["jaccard_generated"], columns["jaccard_real"], rng=_stream(seed, RATIO))


def _stream(seed: int, name: str) -> np.random.Generator:
    return Streams((seed,)).rng(f"bootstrap {name}")


def by_cloud_cover(views: Sequence[ViewScores]) -> list[Row]:
    """Break scores down by how much cloud there was.

    Returns:
        Rows with `unit`, `above` and `up_to` (opacity), `count`, and scores of the reflectance protocol: of *pixels* by
        opacity, errors; of *frames* by mean opacity, image scores; of *pixel series* by mean opacity over time,
        errors and Jaccard indices. Bins with nothing in them are left out.
    """
    return [*_pixels(views), *_frames(views), *_series(views)]


def _pixels(views: Sequence[ViewScores]) -> Iterator[Row]:
    sums = total(views)
    for number, place in enumerate(_bins("pixel", COVER_EDGES)):
        count = int(sums["pixels"][number].sum())
        if count:
            yield place | {"count": count} | pooled(sums, (number,))


def _frames(views: Sequence[ViewScores]) -> Iterator[Row]:
    columns = {key: np.concatenate([view.frames[key] for view in views]) for key in views[0].frames}
    bins = np.searchsorted(COVER_EDGES, columns.pop("cover"), side="left")
    for number, place in enumerate(_bins("frame", COVER_EDGES)):
        chosen = bins == number
        if chosen.any():
            means = {key: float(values[chosen].mean()) for key, values in columns.items()}
            means["rmse"] = means.pop("mse") ** 0.5
            yield place | {"count": int(chosen.sum())} | means


def _series(views: Sequence[ViewScores]) -> Iterator[Row]:
    sums, confusion = total(views), total_confusion(views)
    for number, place in enumerate(_bins("pixel series", SERIES_EDGES)):
        if sums["pixels"][:, number].sum():
            row = place | {"count": int(confusion["real"][number].sum())} | pooled(sums, (slice(None), number))
            scores = {kind: classification_scores(confusion[kind][number]) for kind in SERIES}
            yield _with_ratio(row | {f"jaccard_{kind}": scores[kind]["jaccard"] for kind in SERIES})


def _bins(unit: str, edges: Sequence[float]) -> list[Row]:
    """Describe each bin: above its lower end, up to its upper one; the first holds 0 too."""
    return [{"unit": unit, "above": low, "up_to": high} for low, high in zip((0.0, *edges), (*edges, 1.0), strict=True)]


def _with_ratio(row: Row) -> Row:
    real = row["jaccard_real"]
    return row | {RATIO: row["jaccard_generated"] / real if real else float("nan")}


def by_class(views: Sequence[ViewScores]) -> list[Row]:
    """Break scores down by land cover.

    Returns:
        Rows with `class` (0 is background), `pixel_series`, errors of the reflectance protocol, and the Jaccard indices
        of that class.
    """
    sums, confusion = total(views), total_confusion(views)
    counts = {kind: confusion[kind].sum(axis=0) for kind in SERIES}
    jaccard = {kind: class_jaccard(counts[kind]).tolist() for kind in SERIES}
    rows = [{"class": 0, "pixel_series": None} | pooled(sums, (slice(None), slice(None), 0))]
    for number in range(1, len(counts["real"]) + 1):
        row = {"class": number, "pixel_series": int(counts["real"][number - 1].sum())}
        row |= pooled(sums, (slice(None), slice(None), number))
        rows.append(_with_ratio(row | {f"jaccard_{kind}": jaccard[kind][number - 1] for kind in SERIES}))
    return rows


def total(views: Sequence[ViewScores]) -> dict[str, NDArray[np.float64]]:
    return {key: np.sum([view.sums[key] for view in views], axis=0) for key in views[0].sums}


def total_confusion(views: Sequence[ViewScores]) -> dict[str, NDArray[np.int64]]:
    """Add up the confusion matrices of all views: `(20, K, K)` for `real` and `generated`."""
    return {kind: np.sum([view.confusion[kind] for view in views], axis=0) for kind in SERIES}
