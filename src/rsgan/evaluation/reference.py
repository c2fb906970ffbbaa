"""The reference classifier of a data set: made from its training views, validated on its validation views."""

import logging
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from src.rsgan import identities
from src.rsgan.configuration import classifier_of, named, read_classifier_settings
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.split import Split
from src.rsgan.evaluation.archive import save_classifier
from src.rsgan.evaluation.classifiers import FittedClassifier, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import Chunk
from src.rsgan.evaluation.drawing import draw_confusion
from src.rsgan.evaluation.judges import classes_of, compared
from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores, confusion_matrix
from src.rsgan.evaluation.pixels import PixelSample
from utils.errors import DataError
from utils.files import new_files
from utils.identity import Identity
from utils.scores import CLASSIFIER, CLASSIFIER_PICTURE, CLASSIFIER_SCORES
from utils.seeding import Streams
from utils.tables import write_json

logger = logging.getLogger(__name__)
USELESS = 0.8  # Jaccard index on real images below which a ratio to it says little


def make_reference_classifier(cfg: Sequence[Path], out: Path, *, njobs: int = 1) -> None:
    """Fit the classifier of an experiment's data set, validate it, and write both.

    Args:
        cfg: an experiment's files, or those that experiments on a data set are based on.
        out: folder for the results; or, if its name ends in a suffix, the classifier's file, the others beside it.

    Raises:
        ConfigError: If a file is wrong, or there are too few views for its split.
        DataError: If views are missing, disagree, cannot be read, or don't hold what a classifier needs.
        OSError: If results cannot be written.
    """
    config = read_classifier_settings(*cfg)
    settings = classifier_of(config)
    with named(*cfg):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        sample = _sample(settings, data)
        fitted, training = _fit(settings, sample, identities.of_classifier(config, compared(data)), njobs=njobs)
        everything = PixelSample.draw(data.views("val"), None, rng=np.random.default_rng(0))
        validation = _confusion(fitted, everything, njobs=njobs)
    path = out if out.suffix else out / CLASSIFIER
    scores = {
        "classifier": settings.model_dump(mode="json"),
        "validation": _scores(validation, len(data.names["val"])),
        "training": _scores(training, len(data.names["train"])),
        "about": {"horizon": fitted.horizon, "nbands": fitted.nbands, "classes": fitted.classes.tolist()}
        | {"identity": fitted.identity.record(), "versions": fitted.versions},
    }
    with new_files(path.parent, [CLASSIFIER_SCORES, CLASSIFIER_PICTURE, path.name]) as folder:
        write_json(folder / CLASSIFIER_SCORES, scores)
        title = f"{settings.name}: {len(data.names['val'])} validation views"
        draw_confusion(validation, title, folder / CLASSIFIER_PICTURE)
        save_classifier(fitted, folder / path.name)
    _report(scores, path)


def _sample(settings: ReferenceClassifier, data: ToyDataModule) -> PixelSample:
    """Draw training pixels, of every class that there is in any view."""
    rng = Streams((settings.seed,)).rng("pixel series")
    sample = PixelSample.draw(data.views("train"), settings.train_set_size, rng=rng)
    learnt = {int(number) for labels in sample.labels for number in np.unique(labels)}
    for split in data.names:
        _check_classes(learnt, split, data)
    return sample


def _check_classes(learnt: set[int], split: Split, data: ToyDataModule) -> None:
    for view in data.views(split):
        unseen = classes_of([view]) - learnt
        if unseen:
            remedy = (
                "raise reference_classifier.train_set_size"
                if split == "train"
                else "take more training views, or another experiment.seed, which draws the split"
            )
            raise DataError(
                f"class {min(unseen)} of {split} view {view.name}: found in no pixel series of a training view that a "
                f"classifier could learn it from; {remedy}"
            )


def _fit(
    settings: ReferenceClassifier, sample: PixelSample, identity: Identity, *, njobs: int
) -> tuple[FittedClassifier, Tensor]:
    """Learn; also count right and wrong among the series learnt from, which are read once."""
    logger.info("fitting %s to %d pixel series of %d views", settings.name, len(sample), len(sample.views))
    with tempfile.TemporaryDirectory(prefix="pixel-series-") as folder:
        chunks = sample.chunks(settings.n_chunks, Path(folder))
        fitted = settings.fit(chunks, njobs=njobs, identity=identity)
        return fitted, _confusion(fitted, chunks(), njobs=njobs)


def _confusion(fitted: FittedClassifier, parts: Iterable[Chunk], *, njobs: int) -> Tensor:
    """Count right and wrong pixels, part by part."""
    counts = [
        confusion_matrix(
            torch.from_numpy(fitted.predict(series, njobs=njobs)), torch.from_numpy(labels), fitted.nclasses
        )
        for series, labels in parts
    ]
    return torch.stack(counts).sum(dim=0)


def _scores(confusion: Tensor, views: int) -> dict[str, Any]:
    jaccard = dict(enumerate(class_jaccard(confusion).tolist(), 1))
    counts = {"jaccard_by_class": jaccard, "pixel_series": int(confusion.sum()), "views": views}
    return classification_scores(confusion) | counts


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
