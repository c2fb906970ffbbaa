"""Working one item ahead."""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(make: Callable[[int], Item], keys: Sequence[int]) -> Callable[[int], Item]:
    """Make items when they are asked for, and the next one of a sequence in a thread meanwhile.

    Worth its while where making an item takes long outside Python's global lock, as random fields of large frames do.
    `make` is called in one thread only, for one item at a time; `keys` are in the order in which they will probably be
    asked for.
    """
    following, thread = dict(itertools.pairwise(keys)), ThreadPoolExecutor(max_workers=1)
    pending: dict[int, Future[Item]] = {}

    def get(key: int) -> Item:
        item = (pending.pop(key, None) or thread.submit(make, key)).result()
        pending.clear()
        if key in following:
            pending[following[key]] = thread.submit(make, following[key])
        return item

    return get
