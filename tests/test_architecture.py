"""The direction of imports: programs know the halves, the halves know what they share, and never in a circle."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAMS = {
    *(f"utils/{name}.py" for name in ("predict", "preview", "export_product", "import_product")),
    *(str(file.relative_to(ROOT)) for file in (ROOT / "utils/benchmarks").glob("*.py")),
}
FILES = sorted(str(file.relative_to(ROOT)) for folder in ("src", "utils") for file in (ROOT / folder).rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("name", FILES)
def test_imports_go_one_way(name: str) -> None:
    found = imports(ROOT / name)
    if name.startswith("src/toygeneration"):
        assert not {module for module in found if module.split(".")[0] in ("torch", "lightning", "pytorch_lightning")}
        assert not {module for module in found if module.startswith("src.rsgan")}
    if name.startswith("src/report"):
        assert not {module for module in found if module.startswith(("torch", "src.rsgan", "src.toygeneration"))}
    if name.startswith("utils") and name not in PROGRAMS:
        assert not {module for module in found if module.startswith("src")}


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions and for types alone count as well: they are where circles hide."""
    modules = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): name for name in FILES}
    imported = {module: (imports(ROOT / name) - {module}) & modules.keys() for module, name in modules.items()}
    assert list(TopologicalSorter(imported).static_order())  # raises a CycleError that names the circle


def test_requirements_are_what_is_imported() -> None:
    """A pinned line for each package that the project imports or runs, and no other."""
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    pins = {line.split("==")[0].lower() for line in lines if line}
    assert all("==" in line for line in lines if line)
    names = {"yaml": "pyyaml", "PIL": "pillow", "sklearn": "scikit-learn", "skimage": "scikit-image"}
    names |= {"pytorch_lightning": "pytorch-lightning", "ruamel": "ruamel.yaml"}
    own = {"src", "utils", "tests", "repro", *(file.stem for file in ROOT.glob("*.py"))} | sys.stdlib_module_names
    used = set()
    for folder in ("src", "utils", "repro", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            used |= {module.split(".")[0] for module in imports(file)} - own
    packages = {names.get(name, name) for name in used} - {"pydantic_core", "shapes_for_test"}
    # Used on the command line and by the Makefile.
    assert pins - packages == {"dvc", "pytest-xdist", "ruff"}
    assert packages - pins == set()
