"""The reference classifier of a data set: made from its training views, validated on its validation views."""

import logging
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.rsgan.configuration import named, read_classifier_settings
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.views import View
from src.rsgan.evaluation.classifiers import (
    CLASSIFIERS,
    DEFAULT,
    FittedClassifier,
    ReferenceClassifier,
    load_classifier,
)
from src.rsgan.evaluation.classifiers.chunks import Chunk
from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores, confusion_matrix
from src.rsgan.evaluation.pictures import draw_confusion
from src.rsgan.evaluation.pixels import PixelSample, class_map
from utils.errors import DataError, UsageError
from utils.seeding import Streams
from utils.tables import write_json

logger = logging.getLogger(__name__)
FILE = "classifier.npz"
SCORES, PICTURE = "scores.json", "confusion_matrix.png"
USELESS = 0.8  # Jaccard index on real images below which a ratio to it says little


def make_reference_classifier(cfg: Path, out: Path, *, njobs: int = 1) -> None:
    """Fit the classifier of an experiment's data set, validate it, and write both.

    Args:
        cfg: an experiment file, or one that those on a data set are based on; the data set and the classifier count,
            and the seed of the split.
        out: folder for `classifier.npz`, `scores.json` and `confusion_matrix.png`; or, if its name ends in a
            suffix, the classifier's file, beside which the others go.
        njobs: cores to use.

    Raises:
        ConfigError: If the file is wrong, or there are too few views for its split.
        DataError: If views are missing, disagree, cannot be read, or don't hold what a classifier needs.
        OSError: If results cannot be written.
    """
    config = read_classifier_settings(cfg)
    settings = config.reference_classifier or CLASSIFIERS.entries[DEFAULT]()
    with named(cfg):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        fitted, training = _fit(settings, data, njobs=njobs)
        everything = PixelSample.draw(data.views("val"), None, rng=np.random.default_rng(0))
        validation = _confusion(fitted, everything, njobs=njobs)
    path = _file(out)
    scores = {
        "classifier": settings.model_dump(mode="json"),
        "validation": _scores(validation, len(data.names["val"])),
        "training": _scores(training, len(data.names["train"])),
        "about": {"horizon": fitted.horizon, "nbands": fitted.nbands, "classes": fitted.classes.tolist()}
        | {"data": fitted.data, "versions": fitted.versions},
    }
    write_json(path.with_name(SCORES), scores)
    draw_confusion(validation, f"{settings.name}: {len(data.names['val'])} validation views", path.with_name(PICTURE))
    fitted.save(path)
    _report(scores, path)


def _fit(settings: ReferenceClassifier, data: ToyDataModule, *, njobs: int) -> tuple[FittedClassifier, Tensor]:
    """Learn from the training views; also count right and wrong among the series learnt from, which are read once."""
    sample = PixelSample.draw(
        data.views("train"), settings.train_set_size, rng=Streams((settings.seed,)).rng("pixel series")
    )
    unseen = set(data_classes(data.views("val"))) - set(np.concatenate(sample.labels).tolist())
    if unseen:
        raise DataError(
            f"class {min(unseen)} occurs in validation views only; take more training views, or another "
            "experiment.seed for the split"
        )
    logger.info("fitting %s to %d pixel series of %d views", settings.name, len(sample), len(sample.views))
    with tempfile.TemporaryDirectory(prefix="pixel-series-") as folder:
        chunks = sample.chunks(settings.n_chunks, Path(folder))
        fitted = settings.fit(chunks, njobs=njobs, data=data.fingerprint)
        return fitted, _confusion(fitted, chunks(), njobs=njobs)


def _confusion(fitted: FittedClassifier, parts: Iterable[Chunk], *, njobs: int) -> Tensor:
    """Count right and wrong pixels, part by part."""
    return torch.stack(
        [
            confusion_matrix(
                torch.from_numpy(fitted.predict(series, njobs=njobs)), torch.from_numpy(labels), fitted.nclasses
            )
            for series, labels in parts
        ]
    ).sum(dim=0)


def _scores(confusion: Tensor, views: int) -> dict[str, Any]:
    jaccard = dict(enumerate(class_jaccard(confusion).tolist(), 1))
    return classification_scores(confusion) | {
        "jaccard_by_class": jaccard,
        "pixel_series": int(confusion.sum()),
        "views": views,
    }


def _report(scores: dict[str, Any], path: Path) -> None:
    found = scores["validation"]
    logger.info(
        "%s: on %d validation views: Jaccard index %.3f, accuracy %.3f, kappa %.3f (on the training series: %.3f, "
        "%.3f, %.3f)",
        path,
        found["views"],
        *(scores[part][name] for part in ("validation", "training") for name in ("jaccard", "accuracy", "kappa")),
    )
    if found["jaccard"] < USELESS:
        logger.warning(
            "warning: a Jaccard index of %.3f on real validation images: below %g, what it makes of generated ones "
            "says little; take more training views, or another reference_classifier.name",
            found["jaccard"],
            USELESS,
        )


def _file(out: Path) -> Path:
    return out if out.suffix else out / FILE


def data_classes(views: Sequence[View]) -> list[int]:
    """List the classes of land cover that occur.

    Args:
        views: where to look.

    Returns:
        Their numbers, sorted, without the background.

    Raises:
        DataError: If annotations cannot be read.
    """
    found = np.unique(np.concatenate([np.unique(class_map(view)) for view in views]))
    return [int(number) for number in found if number]


def open_classifier(path: Path, data: ToyDataModule) -> FittedClassifier:
    """Read a classifier, and make sure that it is one for some data.

    Args:
        path: the file, or the folder that `make_reference_classifier` wrote.
        data: what it will classify.

    Returns:
        The classifier.

    Raises:
        DataError: If it cannot be read.
        UsageError: If it was made for another horizon, number of bands or set of classes.
    """
    path = path / FILE if path.is_dir() else path
    fitted = load_classifier(path)
    nbands = dict(data.features.nbands)[data.config.target]
    found = (fitted.horizon, fitted.nbands, fitted.classes.tolist())
    expected = (
        data.features.horizon,
        nbands,
        data_classes([view for split in data.names for view in data.views(split)]),
    )
    if found != expected:
        differing = "; ".join(
            f"{what}: found {one}, expected {other}"
            for what, one, other in zip(("time steps", "bands", "classes"), found, expected, strict=True)
            if one != other
        )
        raise UsageError(
            f"{path}: a classifier for other data than {data.config.root} ({differing}); make one with "
            "make_reference_classifier.py"
        )
    if fitted.data != data.fingerprint:
        logger.warning(
            "warning: %s was made from other views than the training views of %s, or with another split: it may have "
            "seen test views",
            path,
            data.config.root,
        )
    return fitted
