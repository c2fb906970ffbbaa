"""A product's `index.json`: what it may hold."""

import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from src.toygeneration.frames import LARGEST_LABEL
from utils.errors import DataError
from utils.reading import read_text

INDEX = "index.json"
INDEX_LIMIT = 2**24  # bytes, some hundred thousand time steps
NESTING = 100  # levels of a provenance


def _inside(name: str) -> str:
    """Refuse names of files that don't lie in the product."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or path.suffix not in (".h5", ".jpg"):
        raise ValueError(f"found {name!r:.200}, expected the name of an .h5 or .jpg file inside the product")
    return name


def _numbered(files: dict[str, Any]) -> dict[str, Any]:
    """Refuse anything but one entry for each time step, in their order."""
    expected = {str(step): None for step in range(len(files))}
    if files.keys() != expected.keys():
        strange = min(files.keys() - expected.keys())
        raise ValueError(f"found a step {strange!r:.200}, expected one entry for each from 0 to {len(files) - 1}")
    if not any(files.values()):
        raise ValueError(f"found no frame at any of {len(files)} steps")
    return {step: files[step] for step in expected}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _shallow(value: object, levels: int = NESTING) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(item, levels - 1) for item in items)


def _traceable(provenance: dict[str, Any]) -> dict[str, Any]:
    if not _shallow(provenance):
        raise ValueError(f"found more than {NESTING} nested levels")
    for seed in seeds_of(provenance):
        if type(seed) is not int or seed < 0:
            raise ValueError(f"found seed {seed!r:.200}, expected a whole number from 0")
    return provenance


def seeds_of(provenance: object) -> tuple[int, ...]:
    """Seeds of a product and of those it was derived from."""
    seeds = []
    while isinstance(provenance, dict):
        seeds.append(provenance.get("seed"))
        provenance = provenance.get("source")
    return tuple(seed for seed in seeds if seed is not None)


FileName = Annotated[str, AfterValidator(_inside)]


class _Features(BaseModel):
    ndigit: Annotated[int, Field(ge=0, le=LARGEST_LABEL)] = 0


class _Entry(BaseModel):
    frame: FileName
    annotation: FileName
    cloud: FileName | None = None


class Index(BaseModel):
    """What a reader needs of `index.json`; other keys are left alone."""

    features: _Features
    files: Annotated[dict[str, _Entry | None], AfterValidator(_numbered)]
    provenance: Annotated[dict[str, Any], AfterValidator(_traceable)] | None = None


def read_index(root: Path) -> Index:
    path = root / INDEX
    try:
        text = read_text(path, "the index of a product", limit=INDEX_LIMIT)
        return Index.model_validate(json.loads(text, parse_constant=_refuse))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{path}: {where:.200}: {first['msg'].removeprefix('Value error, ')}; make the product again"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}); make the product again") from error
