"""Which reference classifier may judge what: it must fit the data, and must not have seen the test views."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.views import View
from src.rsgan.evaluation.archive import load_classifier
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.pixels import BACKGROUND, class_map
from utils.errors import UsageError
from utils.identity import digest
from utils.scores import CLASSIFIER

logger = logging.getLogger(__name__)


def compared(data: ToyDataModule) -> str:
    """Identify what scores compare: views, how their target product came about, its time steps, and the split.

    Sources don't count: with and without radar, images of the same frames are asked for.
    """
    target = data.config.target
    views = [[(view.name, view.provenance()[target]) for view in data.views(split)] for split in data.names]
    return digest([views, data.features.steps])


def classes_of(views: Iterable[View]) -> set[int]:
    """The classes of land cover that occur, without the background."""
    return {int(number) for view in views for number in np.unique(class_map(view))} - {BACKGROUND}


def open_judge(path: Path, data: ToyDataModule) -> FittedClassifier:
    """Read a classifier, or that of a folder which `make_reference_classifier` wrote, to judge series of some data.

    Raises:
        DataError: If it cannot be read.
        UsageError: If it was made for another horizon, number of bands or set of classes.
    """
    path = path / CLASSIFIER if os.path.isdir(path) else path  # noqa: PTH112 - that of pathlib raises for some paths
    fitted = load_classifier(path)
    found = {"time steps": fitted.horizon, "bands": fitted.nbands, "classes": fitted.classes.tolist()}
    every = classes_of(view for split in data.names for view in data.views(split))
    bands = dict(data.features.nbands)[data.config.target]
    expected = {"time steps": data.features.horizon, "bands": bands, "classes": sorted(every)}
    differing = "; ".join(
        f"{key}: found {found[key]}, expected {value}" for key, value in expected.items() if found[key] != value
    )
    if differing:
        raise UsageError(
            f"{path}: a classifier for other data than {data.config.root} ({differing}); make one with "
            "make_reference_classifier.py"
        )
    if fitted.identity.data != compared(data):
        logger.warning(
            "warning: %s was made from other views or targets than the training views of %s, or with another split: "
            "it may have seen test views",
            path,
            data.config.root,
        )
    return fitted
