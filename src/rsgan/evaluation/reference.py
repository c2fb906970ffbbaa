"""The reference classifiers of a data set: made from its training views, validated on its validation views."""

import logging
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.rsgan import identities
from src.rsgan.configuration import classifiers_of, read_common
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.archive import ON_VALIDATION, OWN, save_classifier, save_maps
from src.rsgan.evaluation.classifiers import FittedClassifier, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import FEWEST_CLASSES, Chunk
from src.rsgan.evaluation.drawing import draw_confusion
from src.rsgan.evaluation.judges import classes_of, compared
from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores, confusion_matrix
from src.rsgan.evaluation.pixels import PixelSample, class_map, classify
from utils.config import named
from utils.errors import ConfigError, DataError, UsageError
from utils.files import new_files
from utils.identity import Identity
from utils.scores import CLASSIFIER, CLASSIFIER_PICTURE, CLASSIFIER_SCORES, REAL_MAPS, VALIDATION
from utils.tables import write_json

logger = logging.getLogger(__name__)
USELESS = 0.8  # Jaccard index on real images below which a ratio to it says little


def make_reference_classifier(cfg: Sequence[Path], out: Path, *, njobs: int = 1) -> None:
    """Fit the classifiers of an experiment's data set, validate them, and write all that.

    Args:
        cfg: an experiment's files, or those that experiments on a data set are based on.
        out: folder for the results of one, and for a folder named after each of several; or, if its name ends in a
            suffix, the file of one, the others beside it.

    Raises:
        ConfigError: If a file is wrong, or there are too few views for its split.
        DataError: If views are missing, disagree, cannot be read, or don't hold what a classifier needs.
        UsageError: If there is no place for several classifiers.
        OSError: If results cannot be written.
    """
    config = read_common(cfg)
    places = _places(classifiers_of(config), out)
    with named(cfg, ConfigError, DataError):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        for settings, path in places:
            _make(settings, data, path, identities.of_classifier(settings, config, compared(data)), njobs=njobs)


def _places(classifiers: Sequence[ReferenceClassifier], out: Path) -> list[tuple[ReferenceClassifier, Path]]:
    """Choose each classifier's file; what else is in the folder of several would be taken for one of them."""
    if len(classifiers) == 1:
        return [(classifiers[0], out if out.suffix else out / CLASSIFIER)]
    every = ", ".join(settings.name for settings in classifiers)
    if out.suffix:
        raise UsageError(f"{out}: found the name of a file, expected a folder, in which {every} have one each")
    places = [(settings, out / settings.name / CLASSIFIER) for settings in classifiers]
    others = {*out.glob(CLASSIFIER), *out.glob(f"*/{CLASSIFIER}")} - {path for _, path in places}
    if others:
        raise UsageError(f"{min(others)}: found another classifier, expected only {every} in {out}; remove it")
    return places


def _make(settings: ReferenceClassifier, data: ToyDataModule, path: Path, identity: Identity, *, njobs: int) -> None:
    fitted, training = _fit(settings, _sample(settings, data), identity, njobs=njobs)
    everything = PixelSample.draw(data.views("val"), None, rng=np.random.default_rng(0))
    validation = _confusion(fitted, everything, njobs=njobs)
    on_validation = _fit_to_validation(settings, data, identity, njobs=njobs)
    classifiers = {OWN: fitted} | ({ON_VALIDATION: on_validation} if on_validation else {})
    scores = {
        "classifier": settings.model_dump(mode="json"),
        "validation": _scores(validation, len(data.names["val"])),
        "training": _scores(training, len(data.names["train"])),
        "about": {"horizon": fitted.horizon, "nbands": fitted.nbands, "classes": fitted.classes.tolist()}
        | {"identity": fitted.identity.record(), "versions": fitted.versions},
    }
    with new_files(path.parent, [CLASSIFIER_SCORES, CLASSIFIER_PICTURE, VALIDATION, REAL_MAPS, path.name]) as folder:
        write_json(folder / CLASSIFIER_SCORES, scores)
        title = f"{settings.name}: {len(data.names['val'])} validation views"
        draw_confusion(validation, title, folder / CLASSIFIER_PICTURE)
        if on_validation:
            save_classifier(on_validation, folder / VALIDATION)
        if data.names["test"]:
            maps = _classify_test(data, [*classifiers.values()], njobs=njobs)
            save_maps(dict(zip(classifiers, maps, strict=True)), identity, folder / REAL_MAPS)
        judge = replace(fitted, validation_jaccard=scores["validation"]["jaccard"])
        save_classifier(judge, folder / path.name)
    _report(scores, path)


def _sample(settings: ReferenceClassifier, data: ToyDataModule) -> PixelSample:
    """Draw training pixels, of every class that there is in any view."""
    sample = PixelSample.to_learn_from(settings, data.views("train"))
    learnt = {int(number) for labels in sample.labels for number in np.unique(labels)}
    for split, view in [(name, view) for name in data.names for view in data.views(name)]:
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
    return sample


def _fit(
    settings: ReferenceClassifier, sample: PixelSample, identity: Identity, *, njobs: int
) -> tuple[FittedClassifier, NDArray[np.int64]]:
    """Learn; also count right and wrong among the series learnt from, which are read once."""
    logger.info("fitting %s to %d pixel series of %d views", settings.name, len(sample), len(sample.views))
    with tempfile.TemporaryDirectory(prefix="pixel-series-") as folder:
        chunks = sample.chunks(settings.n_chunks, Path(folder))
        fitted = settings.fit(chunks, njobs=njobs, identity=identity)
        return fitted, _confusion(fitted, chunks(), njobs=njobs)


def _fit_to_validation(
    settings: ReferenceClassifier, data: ToyDataModule, identity: Identity, *, njobs: int
) -> FittedClassifier | None:
    """Learn from real series of the validation views, beside which those that learn from generated ones will stand."""
    sample = PixelSample.to_learn_from(settings, data.views("val"))
    if len(np.unique(np.concatenate(sample.labels))) < FEWEST_CLASSES:
        return None
    return sample.fit(settings, njobs=njobs, identity=identity)


def _classify_test(data: ToyDataModule, classifiers: Sequence[FittedClassifier], *, njobs: int) -> NDArray[np.int16]:
    """Make class maps of the real series of test views: `(V, H, W)` by each classifier."""
    every = []
    for number, view in enumerate(data.views("test")):
        real = data.series("test", number, ("target",))["target"]
        every.append(classify(real, class_map(view), classifiers, njobs=njobs))
    return np.array(every, np.int16).swapaxes(0, 1)  # (V, N, H, W) -> (N, V, H, W)


def _confusion(fitted: FittedClassifier, parts: Iterable[Chunk], *, njobs: int) -> NDArray[np.int64]:
    """Count right and wrong pixels, part by part."""
    return sum(
        confusion_matrix(fitted.predict(series, njobs=njobs), labels, fitted.nclasses) for series, labels in parts
    )


def _scores(confusion: NDArray[np.int64], views: int) -> dict[str, Any]:
    return classification_scores(confusion) | {
        "jaccard_by_class": dict(enumerate(class_jaccard(confusion).tolist(), 1)),
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
            "warning: %s: a Jaccard index of %.3f on real validation images: below %g, what it makes of generated ones "
            "says little; take more training views, or another reference_classifier.name",
            scores["classifier"]["name"],
            found["jaccard"],
            USELESS,
        )
