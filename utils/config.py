"""Configuration files: YAML with `base:` inheritance, validated whole, every problem reported at once."""

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from utils import core_yaml
from utils.errors import ConfigError, DataError, UsageError, shown
from utils.reading import expand, read_text
from utils.registry import TAGS, Unused, nearest

Model = TypeVar("Model", bound=BaseModel)
Paths = Path | Sequence[Path]  # the files of one configuration, later ones over earlier ones, or its only one
YAML_LIMIT = 1 << 17  # bytes; PyYAML takes some 10 s for a MB of lists
MANY, MOST = 200, 20  # problems looked at, and shown
OVER = "over"
logger = logging.getLogger(__name__)


def read(model: type[Model], paths: Paths) -> Model:
    """Read and check a configuration; see `load` and `validate`."""
    return validate(model, load(paths), names(paths))


def names(paths: Paths) -> str:
    return ", ".join(map(str, _each(paths)))


@contextlib.contextmanager
def named(paths: Paths, *errors: type[UsageError]) -> Iterator[None]:
    """Put the files that asked for what cannot be before such errors that are raised in the block."""
    try:
        yield
    except errors as error:
        raise type(error)(f"{names(paths)}: {error}") from error


def _each(paths: Paths) -> Sequence[Path]:
    return [paths] if isinstance(paths, Path) else paths


def load(paths: Paths) -> dict[str, Any]:
    """Read YAML files and everything that they inherit, and merge later ones over earlier ones.

    A key `base: other.yaml` or `base: [a.yaml, b.yaml]` (relative to the file) names files that are merged under it, in
    order; what several are based on lies under all of them. A key `over`, of what another scale has otherwise, holds by
    file (relative to its own) what is merged over that file, wherever that is read: as one of `paths` or as a base.
    Mappings are merged key by key, anything else is replaced; an empty value (`corruption:`) switches a section off.

    Returns:
        The merged mapping, without `base` and `over`.

    Raises:
        ConfigError: If a file is missing, is not YAML, does not hold a mapping, or inherits from itself.
    """
    over = _merged(paths, {})[OVER]
    return {key: value for key, value in _merged(paths, over).items() if key != OVER}


def _merged(paths: Paths, over: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[Path, dict[str, Any]] = {}
    for path in _each(paths):
        _collect(path, over, found, ())
    return reduce(merge, found.values(), {})


def _collect(path: Path, over: Mapping[str, Any], found: dict[Path, dict[str, Any]], heirs: tuple[Path, ...]) -> None:
    """Read a file, after its bases, with what is laid over it; each once, in the order of merging."""
    content = _parse(path, f" (the 'base' of {heirs[-1]})" if heirs else "")
    place = path.resolve()
    if place in heirs:
        raise ConfigError(f"{path}: a file inherits from itself through 'base'; remove one of the links")
    if place in found:
        return
    content = merge(content, over.get(str(place), {})) | {OVER: _over(path, content.get(OVER, {}))}
    base = content.pop("base", None)
    bases = base if isinstance(base, list) else [] if base is None else [base]
    if not all(isinstance(base, str) for base in bases):
        raise ConfigError(f"{path}: base: found {shown(base)}, expected the path of a YAML file, or a list of them")
    for base in bases:
        _collect(path.parent / expand(base), over, found, (*heirs, place))
    found[place] = content


def _over(path: Path, sections: object) -> dict[str, Any]:
    """What a file lays over others, by their absolute paths."""
    if not isinstance(sections, dict) or not all(isinstance(section, dict) for section in sections.values()):
        raise ConfigError(f"{path}: {OVER}: found {shown(sections)}, expected YAML files, each with keys and values")
    for name in sections:
        if not os.path.isfile(path.parent / str(name)):  # noqa: PTH113 - which also says so of impossible paths
            raise ConfigError(f"{path}: {OVER}: found {shown(name)}, expected a YAML file, relative to this one")
    return {str((path.parent / str(name)).resolve()): section for name, section in sections.items()}


def _parse(path: Path, role: str) -> dict[str, Any]:
    try:
        content = core_yaml.parse(read_text(path, f"a configuration file in YAML{role}", limit=YAML_LIMIT))
    except DataError as error:
        raise ConfigError(str(error)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: found a {type(content).__name__}, expected a mapping of keys to values")
    return content


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge one mapping over another, by the rule of `load`, without changing either."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value
    return merged


def validate(model: type[Model], content: Mapping[str, Any], source: Path | str) -> Model:
    """Check a whole configuration and build its object.

    Raises:
        ConfigError: With *all* problems of the file `source`, in one line.
    """
    unused: Unused = {}
    try:
        config = model.model_validate(content, context=unused)
    except ValidationError as error:
        problems = sorted({_phrase(model, detail) for detail in error.errors(include_url=False)[:MANY]})
        raise ConfigError(f"{source}: {join(problems)}") from error
    if unused:
        keys = "; ".join(f"{', '.join(sorted(keys))} (not of {name!r})" for name, keys in unused.items())
        logger.warning("%s: keys that are not used and ignored: %s", source, keys)
    return config


def join(problems: list[str]) -> str:
    """Put one or several problems into one line, numbered."""
    if len(problems) == 1:
        return problems[0]
    numbered = "; ".join(f"({number}) {problem}" for number, problem in enumerate(problems[:MOST], 1))
    more = f"; and {len(problems) - MOST} more" if len(problems) > MOST else ""
    return f"{len(problems)} problems: {numbered}{more}"


def _phrase(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Say what is wrong with one key: where, what was found, what was expected."""
    owner, location = _resolve(model, detail["loc"])
    where = ".".join(location) or "the file"
    if detail["type"] == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        return f"unknown key '{where[:200]}'{nearest(location[-1], known)}; known here: {', '.join(known)}"
    if detail["type"] == "missing":
        return f"missing key '{where}'"
    if detail["type"] in ("value_error", "unknown_name"):
        return f"{where}: {detail['msg'].removeprefix('Value error, ')}"
    mapping = detail["type"] in ("model_type", "model_attributes_type", "dict_type")
    expected = "a mapping of keys to values" if mapping else detail["msg"].removeprefix("Input should be ")
    return f"{where}: found {shown(detail['input'])}, expected {expected}"


def _resolve(model: type[BaseModel], location: Iterable[int | str]) -> tuple[type[BaseModel] | None, list[str]]:
    """Walk an error's location, leaving out the tags that unions put into it, to the keys that the user wrote.

    The class is the one that holds the last key; None where a list or an unknown key does.
    """
    owner: type[BaseModel] | None = None
    candidates = [model]
    keys: list[str] = []
    named = False  # whether the next part is the key of a mapping whose keys are names, not fields
    for part in location:
        if isinstance(part, int) or named:
            keys.append(str(part))
            owner, named = None, False
            continue
        if part in TAGS:
            continue
        tagged = [kind for kind in candidates if len(candidates) > 1 and part in _names(kind)]
        if tagged:
            candidates = tagged
            continue
        owner = candidates[0] if len(candidates) == 1 else None
        field = owner.model_fields.get(part) if owner else None
        candidates = [*dict.fromkeys(_models_within(field.annotation))] if field else []
        named = field is not None and _is_mapping(field.annotation)
        keys.append(part)
    return owner, keys


def _names(kind: type[BaseModel]) -> tuple[str, ...]:
    field = kind.model_fields.get("name")
    return get_args(field.annotation) if field else ()


def _models_within(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for argument in get_args(annotation) for kind in _models_within(argument)]


def _is_mapping(annotation: object) -> bool:
    return get_origin(annotation) is dict or any(_is_mapping(argument) for argument in get_args(annotation))
