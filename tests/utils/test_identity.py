"""Laws of the one answer to "is this the same work?"."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import identity as module
from utils.errors import UsageError
from utils.identity import Identity, code_version, goes_on
from utils.tables import write_json

CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CONFIGURATIONS = st.dictionaries(st.text(max_size=5), CONTENT, max_size=3)
IDENTITIES = st.builds(
    Identity, CONFIGURATIONS, st.none() | st.integers(0), st.none() | st.text(), st.none() | st.text()
)


@given(IDENTITIES, IDENTITIES)
def test_digests_agree_exactly_for_the_same_work(one: Identity, other: Identity) -> None:
    restored = Identity.restore(json.loads(json.dumps(one.record() | {"versions": {}})))
    assert restored.digest == one.digest
    assert not restored.differences(one)
    if one.differences(other):
        assert one.digest != other.digest


def test_differences_are_named_with_their_keys() -> None:
    held = Identity({"experiment": {"name": "x", "weight": 1}, "dataset": {"root": "a"}}, seed=17, code="1")
    asked = Identity({"experiment": {"name": "y", "weight": 1}, "dataset": {"root": "b"}}, seed=17, code="2")
    assert held.differences(asked) == (
        "code: changed since; dataset.root: found a, expected b; experiment.name: found x, expected y"
    )
    assert held.differences(asked, only=["experiment"]) == "experiment.name: found x, expected y"
    assert not held.differences(asked, apart_from=["experiment", "dataset", "code"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"configuration": 3}', "nonsense"])
def test_other_work_and_unreadable_records_are_replaced_only_when_asked(tmp_path: Path, text: str) -> None:
    path, work = tmp_path / "identity.json", Identity({"a": 1}, seed=3)
    assert not goes_on(path, work)
    write_json(path, work.record() | {"versions": {"numpy": "1"}})
    assert goes_on(path, work)
    for held in (text, json.dumps(Identity({"a": 2}, seed=3).record())):
        path.write_text(held)
        with pytest.raises(UsageError, match="--overwrite"):
            goes_on(path, work)
        assert not goes_on(path, work, overwrite=True)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own: main imports part, which imports deep inside a function; kernel is found by a registry."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    module._meaning.cache_clear()
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "main.py").write_text("from src import part\nx = part.f()\n")
    (folder / "part.py").write_text('"""Doc."""\ndef f():\n    """Doc."""\n    import src.deep\n    return 1\n')
    (folder / "deep.py").write_text("y = 1\n")
    (folder / "kernel.py").write_text("z = 1\n")
    yield folder
    module._meaning.cache_clear()


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("deep.py", "y = 2\n", True),
        ("part.py", "# comment\n\ndef f():\n    import src.deep\n    return 1  # one\n", False),
        ("part.py", "def f():\n    import src.deep\n    return 2\n", True),
        ("kernel.py", "z = 2\n", False),
        ("new.py", "", False),
    ],
)
def test_code_changes_with_what_is_imported_and_means_something(
    code: Path, file: str, text: str, changes: bool
) -> None:
    before = code_version("src.main")
    (code / file).write_text(text)
    module._meaning.cache_clear()
    assert (code_version("src.main") != before) == changes
