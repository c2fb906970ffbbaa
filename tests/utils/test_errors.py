"""Every message is one line that a terminal can show."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from utils.errors import LONGEST, ConfigError, shown


@given(st.text())
def test_a_message_is_one_printable_line(text: str) -> None:
    for message in (text, text * 5000):
        error = ConfigError(message)
        assert str(error).isprintable()
        assert len(str(error)) <= LONGEST + 3
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own


def test_a_readable_message_is_left_as_it_is() -> None:
    assert str(ConfigError("größe: found\n  'x\x1b[2J'")) == "größe: found 'x\\x1b[2J'"


def test_whatever_is_shown_is_short() -> None:
    deep: list = []
    for _ in range(40):
        deep = [deep] * 40
    for value in (deep, "x" * 10**6, 10**1000, dict.fromkeys(map(str, range(10**5))), None):
        assert len(shown(value)) < 80
