"""Registries that find their entries by themselves: one new file with one registered class is all it takes."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Tag, ValidationInfo
from pydantic_core import PydanticCustomError

from utils.errors import shown

TAGS = ONE, SEVERAL = "one of", "list of"  # which pydantic puts into the places of errors
Unused = dict[str, set[str]]  # keys that a lenient registry left out, by the entry that does not have them


class Configured(BaseModel):
    """Base of everything that a configuration file describes: the constructor *is* the configuration.

    Frozen, numbers finite, no unknown keys, no silent conversion from text to number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Entry = TypeVar("Entry", bound=type[Configured])


class Registry:
    """The classes that a configuration may name in one place (`corruption.name`, `kernel.name`, …).

    An entry is a `Configured` class with a field `name: Literal["its_name"] = "its_name"`, decorated with
    `@REGISTRY.register` in any module of the registry's packages.

    Args:
        packages: import names of the folders whose modules hold the entries.
        lenient: accept keys of other entries and leave them out. Files written for the published repository list the
            keys of every kernel side by side, so that one switches by the name alone.
        default: the name that a section without one stands for; none if None.
    """

    def __init__(self, *packages: str, lenient: bool = False, default: str | None = None) -> None:
        self._packages, self._lenient, self._default = packages, lenient, default
        self._found: dict[str, type[Configured]] = {}

    def register(self, entry: Entry) -> Entry:
        """Enter a class under the value of its `name` field.

        Raises:
            TypeError: If it has no `name: Literal[…]`, or the name is taken.
        """
        field = entry.model_fields.get("name")
        if field is None or get_origin(field.annotation) is not Literal:
            raise TypeError(f"{entry.__qualname__} needs a field `name: Literal['…']`")
        (name,) = get_args(field.annotation)
        taken = self._found.get(name)
        if taken is not None and taken.__module__ != entry.__module__:
            raise TypeError(f"{entry.__module__} and {taken.__module__} both register {name!r}")
        self._found[name] = entry
        return entry

    @cached_property
    def entries(self) -> dict[str, type[Configured]]:
        """All entries by name, in alphabetical order; reading it imports the modules of the packages, at any depth."""
        for package in map(importlib.import_module, self._packages):
            for module in pkgutil.walk_packages(package.__path__, prefix=f"{package.__name__}."):
                importlib.import_module(module.name)
        return dict(sorted(self._found.items()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def _select(self, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        """Check the name, and drop keys of other entries where that is allowed, noting them in the context."""
        if not isinstance(value, dict):
            return value
        if self._default is not None and value.get("name") is None:
            value = {**value, "name": self._default}
        own = self.entries.get(value["name"]) if isinstance(value.get("name"), str) else None
        if own is None:
            known = ", ".join(self.entries)
            found = (
                f"unknown name {shown(value['name'])}{nearest(value['name'], self.entries)}"
                if "name" in value
                else "missing key 'name'"
            )
            raise PydanticCustomError(
                "unknown_name", "{found}, expected one of {known}", {"found": found, "known": known}
            )
        if not self._lenient:
            return value
        siblings = {key for entry in self.entries.values() for key in entry.model_fields} - set(own.model_fields)
        if isinstance(info.context, dict) and siblings & set(value):
            info.context.setdefault(value["name"], set()).update(siblings & set(value))
        return {key: item for key, item in value.items() if key not in siblings}

    @property
    def choice(self) -> Any:  # noqa: ANN401 - a type annotation built at run time
        """The annotation of a configuration field that takes one of the entries, chosen by its `name`."""
        entries = self.entries
        kind: Any = next(iter(entries.values()))
        if len(entries) > 1:
            tagged = tuple(Annotated[entry, Tag(name)] for name, entry in entries.items())
            kind = Annotated[Union[tagged], Discriminator("name")]  # noqa: UP007 - members known only here
        return Annotated[kind, BeforeValidator(self._select)]

    @property
    def choices(self) -> Any:  # noqa: ANN401 - a type annotation built at run time
        """The annotation of a configuration field that takes what `choice` does, or a list of that."""
        one, several = Annotated[self.choice, Tag(ONE)], Annotated[list[self.choice], Tag(SEVERAL)]
        return Annotated[one | several, Discriminator(lambda value: SEVERAL if isinstance(value, list) else ONE)]


def nearest(found: object, known: Iterable[str]) -> str:
    """Suggest the known name that comes closest to a misspelt one, as ` (did you mean 'x'?)`, where one comes close."""
    close = difflib.get_close_matches(str(found)[:80], [str(name) for name in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
