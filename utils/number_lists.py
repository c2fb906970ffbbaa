"""Lists of numbers: of views, as command lines and configurations give them, and of equally spaced steps."""

import re
from collections.abc import Iterable, Sequence

from utils.errors import shown

MOST = 1_000_000  # numbers in a range


def parse_numbers(text: str) -> list[int]:
    """Read numbers and ascending ranges, such as `1-250`, `3` or `1-10,40`: each number once, in the order of the text.

    Raises:
        ValueError: If it is anything else.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,15})\s*(?:-\s*([0-9]{1,15})\s*)?", part, flags=re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < first + MOST:
            raise ValueError(
                f"found {shown(text)}, expected numbers and ascending ranges such as 1-10,40, at most {MOST} in a range"
            )
        found.update(dict.fromkeys(range(first, last + 1)))
    return list(found)


def format_numbers(numbers: Iterable[int]) -> str:
    """Write numbers, ascending, as `parse_numbers` reads them."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def equally_spaced(numbers: Sequence[int], most: int) -> list[int]:
    """Choose up to so many that are equally far apart in a list, the first and the last among them."""
    count = min(most, len(numbers))
    return [numbers[round(place * (len(numbers) - 1) / max(count - 1, 1))] for place in range(count)]
