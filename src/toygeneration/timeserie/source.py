"""Reading `.ts` files: where they are, what they hold, and whether they hold it whole."""

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.errors import DataError
from utils.registry import nearest

SHIPPED = "sktime:"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cases:
    """The content of one `.ts` file.

    Attributes:
        series: one array `(steps, bands)` a case.
        labels: one class label a case.
    """

    series: list[NDArray[np.float64]]
    labels: list[str]


def resolve(path: str) -> list[Path]:
    """Turn a configuration's path into files.

    Args:
        path: a `.ts` file, or `sktime:NAME` for a data set that ships inside sktime (train and test part).

    Returns:
        The files.

    Raises:
        DataError: If there are none.
    """
    if not path.startswith(SHIPPED):
        if not Path(path).is_file():
            raise DataError(
                f"{path}: no such time series file; fetch it with "
                "repro/downloads/time_series/download_time_series_dataset.py or correct the path"
            )
        return [Path(path)]
    name = path.removeprefix(SHIPPED)
    folder = _shipped_folder()
    files = [folder / name / f"{name}_{part}.ts" for part in ("TRAIN", "TEST")]
    if "/" in name or not all(file.is_file() for file in files):
        known = sorted(file.parent.name for file in folder.glob("*/*_TRAIN.ts"))
        raise DataError(
            f"{path}: sktime ships no data set of that name{nearest(name, known)}; it ships {', '.join(known)}"
        )
    return files


def _shipped_folder() -> Path:
    found = importlib.util.find_spec("sktime")
    if found is None or found.origin is None:
        raise DataError(f"{SHIPPED}…: sktime is not installed; run pip install -r requirements.txt")
    return Path(found.origin).parent / "datasets" / "data"


def read(path: Path) -> Cases:
    """Read one `.ts` file whole.

    Args:
        path: the file.

    Returns:
        Its cases, in the order of the file.

    Raises:
        DataError: If the file is truncated or malformed, has no class labels, or has missing values.
    """
    from sktime.datasets import load_from_tsfile  # takes most of a second

    try:
        declared = _declared(path)
        frame, labels = load_from_tsfile(str(path), return_data_type="nested_univ")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: found no text file, expected a .ts time series file") from error
    except OSError as error:
        if error.errno is not None:  # the file system, not sktime's parser
            raise
        raise DataError(_malformed(path, error)) from error
    except Exception as error:  # the parser raises whatever its first wrong assumption leads to
        raise DataError(_malformed(path, error)) from error
    series = [
        _case([np.asarray(band, dtype=float) for band in row], path, number)
        for number, row in enumerate(frame.itertuples(index=False, name=None), 1)
    ]
    labels = [str(label) for label in labels]
    for number, label in enumerate(labels, 1):
        if label not in declared:
            raise DataError(
                f"{path}: case {number} has label {label!r}, expected one of the header's "
                f"({', '.join(sorted(declared))}); the file may be truncated, fetch it again"
            )
    return Cases(series, labels)


def _malformed(path: Path, error: Exception) -> str:
    return f"{path}: not a complete .ts time series file with class labels ({error}); fetch it again"


def _declared(path: Path) -> set[str]:
    """Read the class labels that a `.ts` header declares, in lower case as sktime reads them."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            words = line.strip().lower().split()
            if words[:2] == ["@classlabel", "true"]:
                return set(words[2:])
            if words[:1] == ["@data"]:
                break
    raise ValueError("its header declares no class labels")


def _case(bands: list[NDArray[np.float64]], path: Path, number: int) -> NDArray[np.float64]:
    lengths = {len(band) for band in bands}
    if len(lengths) > 1:
        raise DataError(
            f"{path}: case {number} has bands of {min(lengths)} to {max(lengths)} steps, expected one length; "
            "the file may be truncated, fetch it again"
        )
    case = np.stack(bands, axis=1)  # (steps, bands)
    if not np.isfinite(case).all():
        raise DataError(f"{path}: case {number} has missing or infinite values; remove the case or fill the gaps first")
    return case
