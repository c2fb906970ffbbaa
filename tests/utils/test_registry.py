"""One new file with one registered class is all that a new entry takes."""

import importlib
import sys
import textwrap
from pathlib import Path
from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from utils.registry import Configured, Registry, nearest


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    package = tmp_path / "shapes_for_test"
    package.mkdir()
    (package / "__init__.py").write_text("from utils.registry import Registry\nSHAPES = Registry(__name__)\n")
    for name in ("circle", "square"):
        (package / f"{name}.py").write_text(
            textwrap.dedent(f"""
            from typing import Literal
            from utils.registry import Configured
            from shapes_for_test import SHAPES

            @SHAPES.register
            class {name.title()}(Configured):
                name: Literal["{name}"]
                side: float
            """)
        )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith("shapes_for_test")]:
        del sys.modules[name]
    return importlib.import_module("shapes_for_test").SHAPES


def test_entries_are_found_without_any_list(shapes: Registry) -> None:
    assert list(shapes) == ["circle", "square"]
    chosen = TypeAdapter(shapes.choice).validate_python({"name": "square", "side": 2})
    assert type(chosen).__name__ == "Square"
    assert chosen.side == 2


def test_unknown_names_list_the_known_ones(shapes: Registry) -> None:
    with pytest.raises(
        ValidationError, match="unknown name 'squar' .did you mean 'square'.., expected one of circle, sq"
    ):
        TypeAdapter(shapes.choice).validate_python({"name": "squar", "side": 2})


def test_a_registry_of_one_entry_checks_names_as_well() -> None:
    registry = Registry("utils")  # a package without entries

    @registry.register
    class Only(Configured):
        name: Literal["only"]

    registry.entries = {"only": Only}
    assert isinstance(TypeAdapter(registry.choice).validate_python({"name": "only"}), Only)
    for wrong in ({"name": "other"}, {}, {"name": 3}, {"name": ["only"]}):
        with pytest.raises(ValidationError, match="expected one of only"):
            TypeAdapter(registry.choice).validate_python(wrong)


def test_entries_without_a_name_or_with_a_taken_one_are_refused() -> None:
    registry = Registry("utils")

    class Nameless(Configured):
        side: float

    class One(Configured):
        name: Literal["same"]

    class Two(Configured):
        name: Literal["same"]

    with pytest.raises(TypeError, match="needs a field"):
        registry.register(Nameless)
    registry.register(One)
    Two.__module__ = "elsewhere"
    with pytest.raises(TypeError, match="both register 'same'"):
        registry.register(Two)


def test_configurations_are_frozen(shapes: Registry) -> None:
    chosen = TypeAdapter(shapes.choice).validate_python({"name": "square", "side": 2})
    with pytest.raises(ValidationError, match="frozen"):
        chosen.side = 3


def test_nearest() -> None:
    assert nearest("horizn", ["horizon", "width"]) == " (did you mean 'horizon'?)"
    assert nearest("zzz", ["horizon", "width"]) == ""
    assert nearest(3, []) == ""
