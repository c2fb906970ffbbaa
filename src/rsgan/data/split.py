"""Which views train, validate and test: drawn by view, so that no series is on two sides."""

import math
from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from utils.errors import ConfigError
from utils.ranges import Share
from utils.registry import Configured
from utils.seeding import Streams

Split = Literal["train", "val", "test"]


class SplitRatios(Configured):
    """Shares of the views, which sum to 1; that for testing may be left out."""

    train: Share
    val: Share
    test: Share = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = math.fsum((self.train, self.val, self.test))
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise ValueError(f"found shares that sum to {total:g}, expected 1; change train, val or test")
        if not self.train or not self.val:
            raise ValueError("found an empty share, expected some views for both train and val")
        return self


def split_views(views: Sequence[str], ratios: SplitRatios, seed: int) -> dict[Split, list[str]]:
    """Draw views for training, validation and testing, from names in an order that no file system decides.

    Each split keeps that order. Counts are the shares rounded by largest remainder (the later split first on a tie),
    with at least one view wherever the share isn't zero.

    Raises:
        ConfigError: If there are fewer views than splits.
    """
    shares: dict[Split, float] = {"train": ratios.train, "val": ratios.val, "test": ratios.test}
    wanted = [name for name, share in shares.items() if share > 0]
    if len(views) < len(wanted):
        raise ConfigError(
            f"dataset.split: found {len(views)} views for {len(wanted)} splits ({', '.join(wanted)}), expected at "
            "least one each; make more views or set a share to 0"
        )
    counts = _apportion(len(views), list(shares.values()))
    order = Streams((seed,)).rng("split").permutation(len(views))
    parts = np.split(order, np.cumsum(counts)[:-1])
    return {name: [views[index] for index in sorted(part)] for name, part in zip(shares, parts, strict=True)}


def _apportion(total: int, shares: list[float]) -> list[int]:
    """Round shares of a total to whole numbers that sum to it."""
    quotas = [total * share for share in shares]
    counts = [math.floor(quota + 1e-6) for quota in quotas]
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - quotas[i] > -1e-6, counts[i] - quotas[i], -i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    for i, share in enumerate(shares):
        if share > 0 and counts[i] == 0:
            counts[counts.index(max(counts))] -= 1
            counts[i] = 1
    return counts
