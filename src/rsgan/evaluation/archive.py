"""A classifier's file, which can do nothing but hold arrays and a description.

The format is numpy's: a zip archive of arrays, one of which is the description as JSON text. No pickle is read, no
type is looked up and nothing is imported, whatever a file says.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, field_validator

from src.rsgan.evaluation.classifiers import CLASSIFIERS, FittedClassifier
from utils.errors import DataError
from utils.files import new_file
from utils.identity import Identity
from utils.reading import regular_file
from utils.registry import Configured
from utils.tables import check, parse_json

DESCRIPTION = "description"
PREFIX = "model."  # of the arrays' names
REMEDY = "make it again with make_reference_classifier.py"
OWN, ON_VALIDATION = "own", "on_validation"  # of a judge, and of what learnt from validation views
LARGEST = 2 << 30  # bytes; a hundred trees with a leaf for each of 20 000 series have 0.2 · 10⁹
Class = Annotated[int, Field(ge=1, lt=2**15)]
Arrays = Mapping[str, NDArray[np.number]]


class Description(Configured):
    format_version: Literal[3] = 3
    settings: CLASSIFIERS.choice
    horizon: PositiveInt
    nbands: PositiveInt
    classes: Annotated[list[Class], Field(min_length=2)]
    identity: Identity
    versions: dict[str, str]
    validation_jaccard: float | None = None

    @field_validator("classes")
    @classmethod
    def _sorted(cls, classes: list[int]) -> list[int]:
        if classes != sorted(set(classes)):
            raise ValueError(f"found {classes}, expected each class once, in order")
        return classes


class MapsDescription(Configured):
    format_version: Literal[1] = 1
    identity: Identity  # of the classifier


def save_classifier(fitted: FittedClassifier, path: Path) -> None:
    """Write a file that `load_classifier` reads, whole or not at all; equal fits give equal bytes."""
    description = Description(
        settings=fitted.settings,
        horizon=fitted.horizon,
        nbands=fitted.nbands,
        classes=fitted.classes.tolist(),
        identity=fitted.identity,
        versions=fitted.versions,
        validation_jaccard=fitted.validation_jaccard,
    )
    write(path, description.model_dump(mode="json"), fitted.model)


def load_classifier(path: Path) -> FittedClassifier:
    """Read a classifier without running any code of its file.

    Raises:
        DataError: If the file is missing, is none of a classifier, is damaged, or holds anything that could run code.
    """
    content, model = read(path)
    found = check(Description, content, path, REMEDY)
    try:
        found.settings.check(model, found.horizon, found.nbands, len(found.classes))
    except (LookupError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    shape, classes = (found.horizon, found.nbands), np.array(found.classes, dtype=np.int64)
    about = found.identity, found.versions, model, found.validation_jaccard
    return FittedClassifier(found.settings, *shape, classes, *about)


def save_maps(maps: Arrays, identity: Identity, path: Path) -> None:
    """Write the class maps `(V, H, W)` that classifiers of one identity make of V views, under `OWN` and the like."""
    write(path, MapsDescription(identity=identity).model_dump(mode="json"), maps)


def load_maps(
    path: Path, shape: tuple[int, int, int], classes: NDArray[np.int64]
) -> tuple[Identity, dict[str, NDArray[np.number]]]:
    """Read class maps of some views.

    Raises:
        DataError: As `load_classifier`; and if they aren't of that shape, or hold other classes.
    """
    content, found = read(path)
    identity = check(MapsDescription, content, path, REMEDY).identity
    for maps in found.values():
        if maps.shape != shape or not np.isin(maps, [0, *classes]).all():
            raise _damaged(path, ValueError(f"found arrays that are no maps {shape} of classes {classes.tolist()}"))
    return identity, found


def write(path: Path, description: Mapping[str, Any], arrays: Arrays) -> None:
    members = {PREFIX + name: array for name, array in arrays.items()}
    with new_file(path) as temporary, temporary.open("wb") as stream:  # given a path, numpy would add a suffix
        np.savez_compressed(stream, **{DESCRIPTION: np.array(json.dumps(description))}, **members)


def read(path: Path) -> tuple[Any, dict[str, NDArray[np.number]]]:
    with regular_file(path, "a classifier file").open("rb") as data:
        if not zipfile.is_zipfile(data):
            raise DataError(f"{path}: found something else, expected a classifier file; {REMEDY}")
        data.seek(0)
        try:
            with zipfile.ZipFile(data) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > LARGEST:
                raise ValueError(f"found {size:,} bytes, expected {LARGEST:,} at most")
            with np.load(data, allow_pickle=False) as archive:
                members = {name: archive[name] for name in archive.files}
            description = parse_json(str(members.pop(DESCRIPTION)))
            return description, {name.removeprefix(PREFIX): _numbers(name, member) for name, member in members.items()}
        except Exception as error:  # whatever a file's first wrong value leads to
            raise _damaged(path, error) from error


def _numbers(name: str, member: object) -> NDArray[np.number]:
    if not isinstance(member, np.ndarray) or member.dtype.kind not in "iuf":
        raise TypeError(f"{name}: found something else, expected an array of numbers")
    if not np.isfinite(member).all():
        raise ValueError(f"{name}: found values that are not finite")
    return member


def _damaged(path: Path, error: Exception) -> DataError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(f"{path}: not a complete classifier file ({reason}); {REMEDY}")
