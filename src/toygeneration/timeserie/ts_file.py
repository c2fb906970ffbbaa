"""Where `.ts` files are, and what they hold."""

import importlib.util
from pathlib import Path

from src.toygeneration.timeserie.ts_format import Cases, parse
from utils.errors import DataError, shown
from utils.reading import read_text, regular_file
from utils.registry import nearest

SHIPPED = "sktime:"
DOWNLOADER = "repro/downloads/time_series/download_time_series_dataset.py"


def resolve(path: str) -> list[Path]:
    """Find the files of a configuration's path; `sktime:NAME` is a data set that ships inside sktime, in two parts."""
    if not path.startswith(SHIPPED):
        return [regular_file(path, f"a .ts time series file (the published ones are fetched by {DOWNLOADER})")]
    name = path.removeprefix(SHIPPED)
    folder = _shipped_folder()
    files = [folder / name / f"{name}_{part}.ts" for part in ("TRAIN", "TEST")]
    if "/" in name or not all(file.is_file() for file in files):
        known = sorted(file.parent.name for file in folder.glob("*/*_TRAIN.ts"))
        raise DataError(
            f"{shown(path)}: sktime ships no data set of that name{nearest(name, known)}; it ships {', '.join(known)}"
        )
    return files


def _shipped_folder() -> Path:
    found = importlib.util.find_spec("sktime")
    if found is None or found.origin is None:
        raise DataError(f"{SHIPPED}…: sktime is not installed; run pip install -r requirements.txt")
    return Path(found.origin).parent / "datasets" / "data"


def read(path: Path) -> Cases:
    """Read one `.ts` file whole, its cases in order; raise `DataError` if it is no text file, or malformed."""
    try:
        return parse(read_text(path, "a .ts time series file"))
    except ValueError as error:
        raise DataError(f"{path}: {error}; correct the file") from error
