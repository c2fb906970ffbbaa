"""Working one item ahead."""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """Makes items when they are asked for, and the next one of a sequence in a thread meanwhile.

    Worth its while where making an item takes long outside Python's global lock, as random fields of large frames do.
    `make` is called in one thread only, for one item at a time; `keys` are in the order in which they will probably be
    asked for.
    """

    def __init__(self, make: Callable[[int], Item], keys: Sequence[int]) -> None:
        self._make = make
        self._next = dict(itertools.pairwise(keys))
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: dict[int, Future[Item]] = {}

    def __call__(self, key: int) -> Item:
        item = (self._pending.pop(key, None) or self._thread.submit(self._make, key)).result()
        self._pending.clear()
        if key in self._next:
            self._pending = {self._next[key]: self._thread.submit(self._make, self._next[key])}
        return item
