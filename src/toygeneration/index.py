"""A product's `index.json`: what it says of the product's provenance, and what it may hold."""

import functools
import json
import platform
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, NaiveDatetime, model_validator

from src.toygeneration.frames import LARGEST_LABEL, Georeference
from utils.number_lists import parse_numbers
from utils.registry import Configured

INDEX = "index.json"
IDENTITY = "identity.json"  # beside the products of several views: what they were made from
FORMAT_VERSION = 1  # raise it whenever the same configuration and seed give other bytes
SHADOWS_VERSION = 2  # of products with shadows, which readers of version 1 don't look for
LIBRARIES = ("h5py", "numpy", "pillow", "scipy", "sktime")


def describe(
    seed: int | None,
    configuration: Configured,
    source: dict[str, Any] | list[dict[str, str]],
    *,
    shadows: bool = False,
) -> dict[str, Any]:
    """Record how a product is made: enough to make it again, nothing that differs from run to run.

    The source is the provenance of the product, or digests of the files, that it is made from; shadows are whether the
    product has any.
    """
    return {
        "format_version": SHADOWS_VERSION if shadows else FORMAT_VERSION,
        "seed": seed,
        "configuration": configuration.model_dump(mode="json", exclude={"seed", "latent_product_path"}),
        "libraries": _libraries(),
        "source": source,
    }


@functools.cache
def _libraries() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}


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


def _traceable(provenance: dict[str, Any]) -> dict[str, Any]:
    json.dumps(provenance, allow_nan=False)  # as products derived from this one will record it
    for seed in seeds_of(provenance):
        if type(seed) is not int or seed < 0:
            raise ValueError(f"found seed {seed!r:.200}, expected a whole number from 0")
    is_held_out(provenance)
    return provenance


def seeds_of(provenance: object) -> tuple[int, ...]:
    """Seeds of a product and of those it was derived from."""
    seeds = []
    while isinstance(provenance, dict):
        seeds.append(provenance.get("seed"))
        provenance = provenance.get("source")
    return tuple(seed for seed in seeds if seed is not None)


def is_held_out(provenance: dict[str, Any]) -> bool:
    """Say whether a product shows time series that are held out; those without such a record show others.

    Of real images, those places are that were assigned to testing.
    """
    while isinstance(provenance.get("source"), dict):
        provenance = provenance["source"]
    if _look_up(provenance, "configuration", "split") == "test":
        return True
    found = _look_up(provenance, "configuration", "ts", "held_out", "views")
    return isinstance(found, str) and provenance.get("seed") in parse_numbers(found)


def _look_up(record: object, *keys: str) -> object:
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


FileName = Annotated[str, AfterValidator(_inside)]


class _Features(BaseModel):
    ndigit: Annotated[int, Field(ge=0, le=LARGEST_LABEL)] = 0


class _Entry(BaseModel):
    frame: FileName
    annotation: FileName
    cloud: FileName | None = None
    shadow: FileName | None = None


class Index(BaseModel):
    """What a reader needs of `index.json`; other keys are left alone."""

    features: _Features
    files: Annotated[dict[str, _Entry | None], AfterValidator(_numbered)]
    georeference: Georeference | None = None
    dates: tuple[NaiveDatetime | None, ...] | None = None
    provenance: Annotated[dict[str, Any], AfterValidator(_traceable)] | None = None

    @model_validator(mode="after")
    def _a_date_a_step(self) -> Self:
        if self.dates is not None and len(self.dates) != len(self.files):
            raise ValueError(f"dates: found {len(self.dates)}, expected one for each of {len(self.files)} time steps")
        return self
