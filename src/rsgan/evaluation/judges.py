"""Which reference classifiers may judge what: they must fit the data, and must not have seen the test views."""

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.views import View
from src.rsgan.evaluation.archive import ON_VALIDATION, OWN, load_classifier, load_maps
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.pixels import BACKGROUND, class_map
from utils.errors import UsageError
from utils.identity import Identity, digest
from utils.scores import CLASSIFIER, REAL_MAPS, VALIDATION

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


def open_judges(paths: Iterable[Path], data: ToyDataModule) -> list[FittedClassifier]:
    """Read the classifiers that judge series of some data: files, or folders that `make_reference_classifier` wrote.

    Returns:
        The headline judge first, which does best on real series of validation views; then the others by name.

    Raises:
        DataError: If one cannot be read.
        UsageError: If one was made for another horizon, number of bands or set of classes, two have the same name, or
            another's files are beside it.
    """
    files = [file for path in paths for file in _files(path)]
    fingerprint = compared(data)
    found = {file: _load(file, data, fingerprint) for file in files}
    _check_names(found)
    every = classes_of(view for split in data.names for view in data.views(split))
    bands = dict(data.features.nbands)[data.config.target]
    expected = {"time steps": data.features.horizon, "bands": bands, "classes": sorted(every)}
    for path, fitted in found.items():
        own = {"time steps": fitted.horizon, "bands": fitted.nbands, "classes": fitted.classes.tolist()}
        differing = "; ".join(
            f"{key}: found {own[key]}, expected {value}" for key, value in expected.items() if own[key] != value
        )
        if differing:
            raise UsageError(
                f"{path}: a classifier for other data than {data.config.root} ({differing}); make one with "
                "make_reference_classifier.py"
            )
        if fitted.identity.data != fingerprint:
            logger.warning(
                "warning: %s was made from other views or targets than the training views of %s, or with another "
                "split: it may have seen test views",
                path,
                data.config.root,
            )
    by_name = sorted(found.values(), key=lambda fitted: fitted.settings.name)
    best = max(by_name, key=lambda fitted: -1.0 if fitted.validation_jaccard is None else fitted.validation_jaccard)
    return [best, *(fitted for fitted in by_name if fitted is not best)]


def _files(path: Path) -> list[Path]:
    """The file itself, that of its folder, or those of its folders."""
    if not os.path.isdir(path):  # noqa: PTH112 - that of pathlib raises for some paths
        return [path]
    one = path / CLASSIFIER
    return [one] if one.exists() else sorted(path.glob(f"*/{CLASSIFIER}")) or [one]


def _load(path: Path, data: ToyDataModule, fingerprint: str) -> FittedClassifier:
    """Read a classifier and what was made with it: maps count only if they are of these data."""
    fitted, beside, maps = load_classifier(path), path.with_name(VALIDATION), path.with_name(REAL_MAPS)
    if beside.exists():
        on_validation = load_classifier(beside)
        _check_origin(beside, on_validation.identity, path, fitted)
        fitted = replace(fitted, on_validation=on_validation)
    if fitted.identity.data != fingerprint or not maps.exists():
        return fitted
    shape = len(data.names["test"]), data.features.height, data.features.width
    identity, found = load_maps(maps, shape, fitted.classes)
    _check_origin(maps, identity, path, fitted)
    on_validation = fitted.on_validation and replace(fitted.on_validation, real_maps=found.get(ON_VALIDATION))
    return replace(fitted, real_maps=found.get(OWN), on_validation=on_validation)


def _check_origin(beside: Path, identity: Identity, path: Path, fitted: FittedClassifier) -> None:
    if identity != fitted.identity:
        raise UsageError(f"{beside}: not made with {path}; make both again with make_reference_classifier.py")


def _check_names(found: Mapping[Path, FittedClassifier]) -> None:
    seen: dict[str, Path] = {}
    for path, fitted in found.items():
        name = fitted.settings.name
        first = seen.setdefault(name, path)
        if first != path:
            raise UsageError(f"{first} and {path}: found two judges {name}, expected different ones; leave one out")
