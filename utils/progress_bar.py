"""A bar on a terminal, and nothing elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from progress.bar import Bar


@contextlib.contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Show how far a loop of `total` steps has come, on stderr; gives what to call after each step."""
    bar = Bar(title, max=total, suffix="%(index)d/%(max)d", file=sys.stderr)
    try:
        yield bar.next
    finally:
        bar.finish()
