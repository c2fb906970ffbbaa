"""YAML as version 1.2's core schema reads it, with the merge key `<<` of 1.1; files that would explode are refused.

PyYAML alone follows version 1.1, where `no` is false, `017` fifteen and `1:30` ninety.
"""

import re
from typing import Any

import yaml

LARGEST = 100_000  # values in a file, those that aliases repeat counted each time
DEEPEST = 50  # mappings and lists within each other
LONGEST_NUMBER = 40  # digits; seeds of 128 bits have 39
_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    "merge": r"<<",
}


class _CoreLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the base class's, emptied


def _integer(loader: _CoreLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > LONGEST_NUMBER:
        raise _problem(f"found a number of {len(node.value)} digits, expected at most {LONGEST_NUMBER}", node)
    return int(node.value, {"0o": 8, "0x": 16}.get(node.value[:2], 10))


for _name, _pattern in _SCALARS.items():
    _CoreLoader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), None)
_CoreLoader.add_constructor(f"{_TAG}int", _integer)


def parse(text: str) -> object:
    """Build what a YAML document says.

    Raises:
        yaml.YAMLError: If it is malformed, or has a tag or key of another kind than JSON has, a key twice, a link to
            itself, or more than `LARGEST` values.
    """
    loader = _CoreLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, loader, {})
        return loader.construct_document(node)
    except RecursionError as error:
        raise yaml.YAMLError(f"nested deeper than {DEEPEST} levels (near line {loader.line + 1})") from error
    finally:
        loader.dispose()


def _measure(node: yaml.Node, loader: _CoreLoader, known: dict[yaml.Node, tuple[int, int]]) -> tuple[int, int]:
    """Check a node, and count its values and levels, aliases followed; `known` holds those counted already."""
    if node in known:
        return known[node]
    _check_tag(node, loader)
    known[node] = LARGEST + 1, 1  # what a link to itself amounts to
    within = node.value if isinstance(node, yaml.CollectionNode) else []
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        within = [value for _, value in node.value]
    measured = [_measure(child, loader, known) for child in within]
    values, levels = 1 + sum(size for size, _ in measured), 1 + max((level for _, level in measured), default=0)
    if values > LARGEST:
        raise _problem(f"found more than {LARGEST:,} values, aliases counted each time", node)
    if levels > DEEPEST:
        raise _problem(f"nested deeper than {DEEPEST} levels, aliases followed", node)
    known[node] = values, levels
    return known[node]


def _check_tag(node: yaml.Node, loader: _CoreLoader) -> None:
    plain = {f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq"}
    if isinstance(node, yaml.ScalarNode):
        plain = {f"{_TAG}str", loader.resolve(yaml.ScalarNode, node.value, (True, False))}
    if node.tag not in plain:
        raise _problem(f"found the tag {node.tag.replace(_TAG, '!!')[:40]!r}, expected plain YAML without tags", node)


def _check_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if key.tag not in (f"{_TAG}str", f"{_TAG}merge"):
            shown = key.value[:40] if isinstance(key, yaml.ScalarNode) else f"a {key.id}"
            raise _problem(f"found the key {shown}, expected text; put it in quotes", key)
        if key.value in seen:
            raise _problem(f"key {key.value[:40]!r} is given twice; remove one", key)
        seen.add(key.value)


def _problem(problem: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.YAMLError(f"{problem} (line {node.start_mark.line + 1})")
