"""Which views train, validate and test: named, or drawn; by view, so that no series is on two sides."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import PlainValidator, model_validator

from utils.errors import ConfigError, shown
from utils.number_lists import parse_numbers
from utils.registry import Configured
from utils.seeding import Streams

Split = Literal["train", "val", "test"]
SHOWN = 5  # names in an error


def _share_or_numbers(value: object) -> float | str:
    if isinstance(value, str):
        parse_numbers(value)
        return value
    if type(value) in (int, float) and 0 <= value <= 1:
        return float(value)
    raise ValueError(f"found {shown(value)}, expected a share from 0 to 1, or numbers of views such as 1-10,40")


Part = Annotated[float | str, PlainValidator(_share_or_numbers)]


class SplitConfig(Configured):
    """Shares of the views, which sum to 1, or their numbers such as `1-28`; those for testing may be left out."""

    train: Part
    val: Part
    test: Part = 0.0

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_text(cls, content: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
        """YAML makes a whole number of `40`, which is a view beside `1-39`."""
        if not isinstance(content, Mapping) or not any(isinstance(part, str) for part in content.values()):
            return content
        return {name: str(part) if type(part) is int else part for name, part in content.items()}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.by_number:
            if any(isinstance(part, float) for part in (self.train, self.val, self.test or "")):
                raise ValueError("found shares beside numbers of views, expected the one or the other for all")
            return self
        total = math.fsum((self.train, self.val, self.test))
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise ValueError(f"found shares that sum to {total:g}, expected 1; change train, val or test")
        if not self.train or not self.val:
            raise ValueError("found an empty share, expected some views for both train and val")
        return self

    @property
    def by_number(self) -> bool:
        return any(isinstance(part, str) for part in (self.train, self.val, self.test))

    @property
    def parts(self) -> dict[Split, float | str]:
        return {"train": self.train, "val": self.val, "test": self.test}


def split_views(views: Sequence[str], split: SplitConfig, seed: int) -> dict[Split, list[str]]:
    """Take views for training, validation and testing, from names in an order that no file system decides.

    Each split keeps that order. Views are those with the numbers of the split; or drawn, in counts that are the shares
    rounded by largest remainder (the later split first on a tie), with at least one view wherever the share isn't zero.

    Raises:
        ConfigError: If there are fewer views than splits, or numbers of no view, or of one in two splits.
    """
    return _pick(views, split) if split.by_number else _draw(views, split, seed)


def _pick(views: Sequence[str], split: SplitConfig) -> dict[Split, list[str]]:
    wanted = {name: [str(n) for n in parse_numbers(part)] if part else [] for name, part in split.parts.items()}
    counts = Counter(view for part in wanted.values() for view in part)
    twice = [view for view, count in counts.items() if count > 1]
    if twice:
        raise ConfigError(f"dataset.split: found views in two splits ({few(twice)}), expected each in one")
    missing = [view for view in counts if view not in set(views)]
    if missing:
        raise ConfigError(
            f"dataset.split: found numbers of no view ({few(missing)}), expected some of the {len(views)} views "
            f"({few(views)}); make more views or name others"
        )
    return {name: [view for view in views if view in set(part)] for name, part in wanted.items()}


def _draw(views: Sequence[str], split: SplitConfig, seed: int) -> dict[Split, list[str]]:
    shares = split.parts
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


def few(names: Sequence[str]) -> str:
    """List some names, with an ellipsis where there are more."""
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


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
