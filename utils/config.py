"""Configuration files: YAML with `base:` inheritance, validated whole, every problem reported at once."""

import re
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from utils.errors import ConfigError
from utils.registry import nearest

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice and reads `1e-4` as the number it is in YAML 1.2."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a dictionary, after checking that no key is given twice."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice[0]!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def load(path: Path | str) -> dict[str, Any]:
    """Read a YAML file and everything that it inherits.

    A key `base: other.yaml` (relative to the file) names a file that is merged under this one: mappings are
    merged key by key, anything else is replaced; an empty value (`corruption:`) switches a section off.

    Args:
        path: the file.

    Returns:
        The merged mapping, without `base`.

    Raises:
        ConfigError: If a file is missing, is not YAML, does not hold a mapping, or inherits from itself.
    """
    return _load(Path(path), ())


def _load(path: Path, heirs: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in heirs:
        raise ConfigError(f"{path}: a file inherits from itself through 'base'; remove one of the links")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError as error:
        asked = f" (the 'base' of {heirs[-1]})" if heirs else ""
        raise ConfigError(f"{path}{asked}: no such configuration file; check the path") from error
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: found no text file, expected YAML ({error})") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or number that YAML cannot build
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: found a {type(content).__name__}, expected a mapping of keys to values")
    base = content.pop("base", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise ConfigError(f"{path}: base: found {base!r}, expected the path of a YAML file")
    return merge(_load(path.parent / base, (*heirs, path.resolve())), content)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge one mapping over another without changing either.

    Args:
        base: values that hold unless overridden.
        over: values that win.

    Returns:
        A new mapping. See `load` for the rule.
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(below, value) if both else value
    return merged


def validate(model: type[Model], content: Mapping[str, Any], source: Path | str) -> Model:
    """Check a whole configuration and build its object.

    Args:
        model: the pydantic class that describes it.
        content: what the file holds.
        source: the file, for the message.

    Returns:
        The configuration.

    Raises:
        ConfigError: With *all* problems of the file, in one line.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = sorted({_phrase(model, detail) for detail in error.errors(include_url=False)})
    raise ConfigError(f"{source}: {join(problems)}")


def join(problems: list[str]) -> str:
    """Put one or several problems into one line.

    Args:
        problems: what is wrong, each in one phrase.

    Returns:
        The phrase itself, or all of them, numbered.
    """
    if len(problems) == 1:
        return problems[0]
    numbered = "; ".join(f"({number}) {problem}" for number, problem in enumerate(problems, 1))
    return f"{len(problems)} problems: {numbered}"


def _phrase(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Say what is wrong with one key: where, what was found, what was expected."""
    owner, location = _resolve(model, detail["loc"])
    where = ".".join(location) or "the file"
    found = detail["input"]
    if detail["type"] == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        return f"unknown key '{where}'{nearest(location[-1], known)}; known here: {', '.join(known)}"
    if detail["type"] == "missing":
        return f"missing key '{where}'"
    if detail["type"] in ("value_error", "unknown_name"):
        return f"{where}: {detail['msg'].removeprefix('Value error, ')}"
    shown = repr(found) if len(repr(found)) < 80 else f"a {type(found).__name__}"
    expected = detail["msg"].removeprefix("Input should be ")
    return f"{where}: found {shown}, expected {expected}"


def _resolve(model: type[BaseModel], location: Iterable[int | str]) -> tuple[type[BaseModel] | None, list[str]]:
    """Walk an error's location, leaving out the tags that unions put into it.

    Returns:
        The class that holds the last key (None where a list or an unknown key does), and the keys as the user
        wrote them.
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
        tagged = [kind for kind in candidates if len(candidates) > 1 and part in _names(kind)]
        if tagged:
            candidates = tagged
            continue
        owner = candidates[0] if len(candidates) == 1 else None
        field = owner.model_fields.get(part) if owner else None
        candidates = _models_within(field.annotation) if field else []
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
