"""Reference classifiers: what judges land cover, and how well it does on real images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.errors import DataError
from utils.report.results import parse, read_json

FILE, PICTURE = "scores.json", "confusion_matrix.png"
PARTS = {"validation": "validation views", "training": "the series it learnt from"}
COLUMNS = {"jaccard": "Jaccard", "macro_jaccard": "Jaccard, mean of classes", "accuracy": "accuracy", "kappa": "kappa"}


@dataclass(frozen=True, eq=False)
class Classifier:
    """A reference classifier.

    Attributes:
        name: of its folder.
        algorithm: what it is.
        settings: of the algorithm.
        scores: of each of `PARTS`: the scores of `COLUMNS`, and numbers of views and of series.
        about: `data` (fingerprint of what it learnt from), `versions`.
        picture: its confusion matrix, if it was drawn.
    """

    name: str
    algorithm: str
    settings: dict[str, Any]
    scores: dict[str, dict[str, Any]]
    about: dict[str, Any]
    picture: Path | None


def read_classifiers(folder: Path) -> Sequence[Classifier]:
    """Read what is known of all classifiers below a folder.

    Args:
        folder: where to look, at any depth.

    Returns:
        The classifiers, by the name of their folder.

    Raises:
        DataError: If there is none, or one's scores are malformed.
    """
    files = sorted(folder.rglob(FILE)) if folder.is_dir() else []
    if not files:
        raise DataError(f"{folder}: found no {FILE}; run make_reference_classifier.py, or correct --classifiers")
    return [parse(file, lambda file=file: _read(file, folder)) for file in files]


def _read(file: Path, root: Path) -> Classifier:
    content = read_json(file)
    settings = dict(content["classifier"])
    scores = {part: {key: content[part][key] for key in (*COLUMNS, "views", "pixel_series")} for part in PARTS}
    picture = file.with_name(PICTURE)
    return Classifier(
        name=file.parent.relative_to(root).as_posix() if file.parent != root else root.name,
        algorithm=settings.pop("name"),
        settings=settings,
        scores=scores,
        about=content["about"],
        picture=picture if picture.is_file() else None,
    )
