"""YAML 1.2, and nothing that explodes."""

import json
import math

import pytest
import ruamel.yaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from utils.core_yaml import DEEPEST, LARGEST, parse

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**127), 2**127) | st.floats() | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from("ab:~<"), max_size=3), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_json_is_yaml(value: object) -> None:
    text = json.dumps(value)
    found = parse(text.replace("Infinity", ".inf").replace("NaN", ".nan"))
    assert json.dumps(found) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("017", 17), ("0o17", 15), ("0x1F", 31), ("-08", -8), ("+1", 1)],
        *[("1e-4", 1e-4), ("1.5E3", 1500.0), ("-.5e1", -5.0), ("1.", 1.0), (".inf", math.inf), ("-.INF", -math.inf)],
        *[(text, text) for text in ("1:30", "1_000", "yes", "No", "on", "off", "y", "2001-01-01", "0b1", "1e", "tRUE")],
        *[("true", True), ("False", False), ("~", None), ("", None), ("NULL", None), ("'017'", "017")],
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = parse(f"a: {text}")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_what_is_merged_is_not_given_twice() -> None:
    text = """
    layers: [&bare {bn: false, relu: false}, &full {<<: *bare, bn: true}, *full]
    other: {<<: [*full, {bn: 0, k: 4}], relu: true}
    """
    full = {"bn": True, "relu": False}
    assert parse(text) == {
        "layers": [{"bn": False, "relu": False}, full, full],
        "other": {"bn": True, "relu": True, "k": 4},
    }


def bomb(first: str, again: str) -> str:
    rows = (again.format(", ".join([f"*a{row - 1}"] * 9)) for row in range(1, 12))
    return "\n".join(f"a{row}: &a{row} {text}" for row, text in enumerate([first, *rows]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\n'a': 3", "key 'a' is given twice; remove one .line 3"),
        ("{<<: {a: 1}, <<: {b: 1}}", "key '<<' is given twice"),
        ("1: a", "found the key 1, expected text"),
        ("? [a, b]\n: c", "found the key a sequence, expected text"),
        *[(f"a: {tag}", "found the tag") for tag in ("!!int x", "!!bool 3", "!!timestamp x", "!!set {b}", "!x y")],
        ("a: !!python/object/apply:os.system ['true']", "found the tag"),
        ("a: " + "9" * 5000, "found a number of 5000 digits"),
        ("&a [*a]", f"found more than {LARGEST:,} values"),
        ("a: &a {<<: *a}", f"found more than {LARGEST:,} values"),
        (bomb("[1]", "[{}]"), f"found more than {LARGEST:,} values"),
        (bomb("{x: 1}", "{{<<: [{}]}}"), f"found more than {LARGEST:,} values"),
        *[(text * 60_000, f"deeper than {DEEPEST} levels") for text in ("[", "{a: ", "- ", "? ")],
        ("[" * 60 + "]" * 60, f"deeper than {DEEPEST} levels"),
        ("a0: &a0 [1]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 1000)), f"deeper than {DEEPEST}"),
        ("[<<]", "could not determine a constructor"),
        ("{<<: 3}", "expected a mapping"),
    ],
)
def test_other_files_are_refused(text: str, message: str) -> None:
    with pytest.raises(yaml.YAMLError, match=message) as error:
        parse(text)
    assert len(str(error.value)) < 500


@given(st.text(st.sampled_from("ab019.-+_:{}[],&*!|>%@#'\"?<~ \n"), max_size=60))
def test_any_text_is_a_value_or_a_yaml_error(text: str) -> None:
    try:
        json.dumps(parse(text))
    except yaml.YAMLError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


def test_configurations_of_the_project_read_as_in_other_readers() -> None:
    files = [*(ROOT / "src").rglob("*.yaml"), *(ROOT / "repro").rglob("*.yaml"), ROOT / "dvc.yaml"]
    for file in files:
        assert parse(file.read_text()) == ruamel.yaml.YAML(typ="safe", pure=True).load(file)
