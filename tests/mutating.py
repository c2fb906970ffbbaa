"""Configurations that went wrong: strategies that damage a mapping, or the text of one."""

import copy
import math
from typing import Any

import yaml
from hypothesis import strategies as st

ODD: list[Any] = [
    *[None, True, False, 0, 1, 2, -1, 7, 10**6, 10**9, 10**12, 10**18, 2**31, 2**63, 2**64, 10**30],
    *[0.5, 1e-300, 1e300, math.inf, -math.inf, math.nan, -0.0],
    *["", "x", "~", "~nobody/x", "/dev/zero", "/", "\0", "a\nb", "é", "017", "1", "x" * 5000, "x/" * 3000],
    *[[], [1], [[]], [0] * 1000, ["x"] * 50, {}, {"name": None}, {"name": ["rbf"]}, {"a": {"b": {"c": 1}}}],
]
SIGNS = "[]{}:,&*!|>-#'\"%@`?~<=\\\t\n 019.ex\0\ufeff"


def _places(content: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    within = [place for value in content.values() if isinstance(value, dict) for place in _places(value)]
    return [(content, key) for key in content] + within


@st.composite
def mappings(draw: st.DrawFn, content: dict[str, Any]) -> dict[str, Any]:
    """The mapping with up to three values replaced, keys lost, misspelt, or given the value of another."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(content)
        if not places:
            break
        place, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["odd", "odd", "odd", "lost", "misspelt", "other"])):
            case "odd":
                place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "lost":
                del place[key]
            case "misspelt":
                place[key[1:] + draw(st.sampled_from(["", "x", key[:1]]))] = place.pop(key)
            case "other":
                other, name = draw(st.sampled_from(places))
                place[key] = copy.deepcopy(other[name])
    return content


@st.composite
def texts(draw: st.DrawFn, content: dict[str, Any]) -> str:
    """The mapping in YAML with up to four pieces removed, inserted or repeated."""
    text = yaml.safe_dump(content)
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(st.integers(0, len(text))), draw(st.integers(1, 30))
        end = start + length
        new = draw(st.sampled_from(["", text[start:end] * 2, *SIGNS]))
        text = text[:start] + new + text[start if new in SIGNS and new else end :]
    return text
