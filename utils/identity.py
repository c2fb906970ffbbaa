"""What a piece of work is: the one answer to "is this the same work?".

Whether an interrupted run goes on, a product is kept or a result is stale: the identity decides, and nothing else. It
consists of what determines a result: configuration, seed, data, and the code that makes it.
"""

import ast
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, NonNegativeInt, Strict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from utils.errors import DataError, UsageError
from utils.reading import read_text

ROOT = Path(__file__).resolve().parents[1]
OWN = ("src", "utils")  # the packages whose code may make a result
# What they do is talk to the user, ask what the machine has, or hand results to others: no result depends on it.
TALK = {"utils.cli", "utils.environment", "utils.errors", "utils.memory", "src.toygeneration.exchange.labelled"}
SHOWN = 3  # differences named in an error
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Identity:
    """What determines a result.

    Attributes:
        configuration: plain values; sections and keys that change nothing of the result are left out.
        seed: of all that is random, beside what the configuration says; None where nothing is.
        data: identifies what the work starts from; None where the configuration says it all.
        code: see `code_version`.
    """

    configuration: dict[str, Any]
    seed: Annotated[NonNegativeInt, Strict()] | None = None
    data: str | None = None
    code: str | None = None

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restore(cls, record: object) -> Self:
        """Undo `record`; what else a file holds beside is left alone.

        Raises:
            ValueError: If it is no such record.
        """
        try:
            return TypeAdapter(cls).validate_python(record)
        except ValidationError as error:
            raise ValueError("found no record of what it was made from") from error

    @property
    def digest(self) -> str:
        """16 hexadecimal digits, equal for the same work."""
        return digest(self.record())

    def differences(self, other: "Identity", *, only: Iterable[str] = (), apart_from: Iterable[str] = ()) -> str:
        """Name the first differences from the work that is asked for; nothing if it is the same.

        Args:
            other: the work that is asked for.
            only: compare these keys, such as `dataset.split` or `seed`, with all below them; everything by default.
            apart_from: keys that may differ, with all below them.
        """
        found, wanted = _flat(self), _flat(other)
        differing = [
            key
            for key in sorted(found | wanted)
            if found.get(key) != wanted.get(key) and (not only or _below(key, only)) and not _below(key, apart_from)
        ]
        shown = [
            "code: changed since" if key == "code" else f"{key}: found {found.get(key)}, expected {wanted.get(key)}"
            for key in differing[:SHOWN]
        ]
        more = [f"and {len(differing) - SHOWN} more"] if len(differing) > SHOWN else []
        return "; ".join(shown) + "".join(f" {words}" for words in more)


def goes_on(path: Path, identity: Identity, *, overwrite: bool = False) -> bool:
    """Say whether the work that was begun, the record of whose identity is at `path`, is the work that is asked for.

    It isn't where there is none, or other work that may be given up to `overwrite`: what that made is then for the
    caller to remove.

    Raises:
        UsageError: If there is other work, which may not be given up.
    """
    if not path.exists():
        return False
    try:
        found = Identity.restore(json.loads(read_text(path))).differences(identity)
    except (ValueError, RecursionError, DataError) as error:
        found = f"no identity in {path.name}: {error}"
    if found and not overwrite:
        raise UsageError(
            f"{path.parent}: holds other work ({found}); choose another folder, or pass --overwrite to replace it"
        )
    return not found


def _below(key: str, parents: Iterable[str]) -> bool:
    return any(f"{key}.".startswith(f"{parent}.") for parent in parents)


def _flat(identity: Identity) -> dict[str, Any]:
    record = identity.record()
    return dict(_leaves(record.pop("configuration"))) | record


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def digest(content: object) -> str:
    """Fingerprint what JSON can hold, as 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def code_version(*modules: str, configured: object = None) -> str:
    """Fingerprint the project's code that makes a result.

    That is some modules, those of the classes that a configuration picks by name, and all that these import at the top
    or inside of functions. What a registry finds by itself, such as a kernel that no configuration names, isn't
    imported by anybody and doesn't count; neither do comments, docstrings and layout, nor modules in `TALK`.

    Args:
        modules: import names of what does the work.
        configured: the configuration, or several.
    """
    waiting, seen = {*modules, *_classes(configured)}, set[str]()
    while waiting:
        module = waiting.pop()
        if module not in seen and _file(module) and module not in TALK:
            seen.add(module)
            waiting |= _meaning(module)[1]
    return digest({module: _meaning(module)[0] for module in seen})


def _classes(value: object) -> set[str]:
    if isinstance(value, BaseModel):
        own = {kind.__module__ for kind in type(value).__mro__ if kind.__module__.split(".")[0] in OWN}
        return own.union(*(_classes(item) for item in dict(value).values()))
    if isinstance(value, Mapping):
        return set().union(*map(_classes, value.values()))
    return set().union(*map(_classes, value)) if isinstance(value, list | tuple) else set()


def _file(module: str) -> Path | None:
    """The file of one of the project's modules; None of anything else."""
    path = ROOT.joinpath(*module.split("."))
    files = path.with_suffix(".py"), path / "__init__.py"
    return next((file for file in files if module.split(".")[0] in OWN and file.is_file()), None)


@functools.cache
def _meaning(module: str) -> tuple[str, frozenset[str]]:
    """A module's code without comments, docstrings and layout, and what it may import of the project."""
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    packages = {module.rpartition(".")[0]} | {name.rpartition(".")[0] for name in names}
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body.pop(0)
    return ast.dump(tree), frozenset(names | packages)
