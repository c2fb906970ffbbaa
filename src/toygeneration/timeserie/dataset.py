"""A data set of time series, scaled and grouped into land-cover classes."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.timeserie.ts_file import read
from src.toygeneration.timeserie.ts_format import Values
from utils.errors import ConfigError, DataError
from utils.files import digest_file
from utils.seeding import Streams

Window = NDArray[np.float32]


@dataclass(frozen=True)
class TSDataset:
    # one array `(steps, bands)` a case, each band scaled to [0, 1] over all cases but those held out
    series: tuple[NDArray[np.float32], ...]
    classes: NDArray[np.int16]  # one number a case, from 1 to `nclass`
    nclass: int  # number of classes
    files: tuple[dict[str, str], ...] = ()  # name and digest of each file that the series were read from
    held_out: NDArray[np.bool_] | None = None  # one flag a case, where some are held out

    @classmethod
    def from_files(
        cls,
        files: Sequence[Path],
        *,
        ndim: int,
        nclass: int,
        dims: Sequence[int] | None = None,
        held_out: float | None = None,
    ) -> "TSDataset":
        """Read several `.ts` files as one data set, in order.

        Of the bands the first `ndim` are kept, unless `dims` says which, from 0. The sorted labels are cut into
        `nclass` nearly equal, consecutive groups. Bands are scaled by the cases that are not held out, a share of each
        class. Raises `DataError` if a file is malformed, or files disagree on the number of bands; `ConfigError` if
        there are fewer bands, labels or cases than asked for, or a band is constant.
        """
        parts = [read(file) for file in files]
        nbands = {part.series[0].shape[1] for part in parts}
        if len(nbands) > 1:
            raise DataError(
                f"{', '.join(map(str, files))}: found {min(nbands)} to {max(nbands)} bands, expected the same number "
                "in all files; name files of one data set"
            )
        bands = _pick_bands(nbands.pop(), ndim, dims)
        cases = [case[:, bands] for part in parts for case in part.series]
        labels = [label for part in parts for label in part.labels]
        digests = tuple({"name": file.name, "sha256": digest_file(file)} for file in files)
        classes = _group(labels, nclass)
        apart = None if held_out is None else _hold_out(classes, held_out)
        return cls(_scale(cases, bands, apart), classes, nclass, digests, apart)

    def check_horizon(self, horizon: int) -> None:
        """Raise `ConfigError` if a class has no case of that many steps, naming the longest horizon that works."""
        groups = itertools.product(range(1, self.nclass + 1), (False,) if self.held_out is None else (False, True))
        longest = {group: max(len(self.series[case]) for case in self._cases(*group)) for group in groups}
        works = min(longest.values())
        if horizon > works:
            number, held_out = next(group for group, length in longest.items() if length < horizon)
            raise ConfigError(
                f"product.horizon: found {horizon}, but class {number} has no {'held-out ' * held_out}series that "
                f"long; the longest horizon that works is {works}"
            )

    def _cases(self, number: int, held_out: bool) -> NDArray[np.intp]:
        of_class = self.classes == number
        return np.flatnonzero(of_class if self.held_out is None else of_class & (self.held_out == held_out))

    def draw(self, number: int, horizon: int, *, held_out: bool = False, rng: np.random.Generator) -> Window:
        """Draw a window `(horizon, bands)` of one case of a class, numbered from 1.

        The case is uniform among those long enough that are held out, or those that are not, where some are; the start
        among those that leave `horizon` steps.
        """
        candidates = [c for c in self._cases(number, held_out) if len(self.series[c]) >= horizon]
        case = self.series[candidates[rng.integers(len(candidates))]]
        start = rng.integers(len(case) - horizon + 1)
        return case[start : start + horizon]


def _pick_bands(available: int, ndim: int, dims: Sequence[int] | None) -> list[int]:
    if dims is None and ndim > available:
        raise ConfigError(
            f"ts.ndim: found {ndim}, but the time series have {available} bands; lower ts.ndim and product.nbands"
        )
    if dims is not None and max(dims) >= available:
        raise ConfigError(
            f"ts.dims: found {max(dims)}, but the time series have {available} bands, numbered 0 to {available - 1}"
        )
    return list(range(ndim) if dims is None else dims)


def _hold_out(classes: NDArray[np.int16], share: float) -> NDArray[np.bool_]:
    """Choose a share of each class's cases: the same ones wherever classes have as many cases, in the same order."""
    chosen = np.zeros(len(classes), dtype=bool)
    for number in np.unique(classes):
        cases = np.flatnonzero(classes == number)
        count = round(share * len(cases))
        if not 0 < count < len(cases):
            raise ConfigError(
                f"ts.held_out.share: found {share:g}, which holds out {count} of the {len(cases)} series of class "
                f"{number}, expected at least one on either side; change it, lower ts.nclass or name more files"
            )
        chosen[Streams((0,)).rng("held_out", number).permutation(cases)[:count]] = True
    return chosen


def _scale(
    cases: list[Values], bands: list[int], held_out: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], ...]:
    known = cases if held_out is None else [case for case, apart in zip(cases, held_out, strict=True) if not apart]
    low = np.min([case.min(axis=0) for case in known], axis=0)
    high = np.max([case.max(axis=0) for case in known], axis=0)
    for band, flat in zip(bands, low == high, strict=True):
        if flat:
            raise ConfigError(
                f"ts: band {band} of the time series has the same value everywhere and cannot be scaled to [0, 1]; "
                "pick other bands with ts.dims"
            )
    return tuple(((case - low) / (high - low)).astype(np.float32) for case in cases)


def _group(labels: list[str], nclass: int) -> NDArray[np.int16]:
    """Number the sorted labels' groups from 1."""
    known = sorted(set(labels), key=_natural)
    if nclass > len(known):
        raise ConfigError(
            f"ts.nclass: found {nclass}, but the time series have {len(known)} classes ({', '.join(known)}); lower it"
        )
    groups = np.array_split(np.arange(len(known)), nclass)
    number = {known[index]: group for group, indices in enumerate(groups, 1) for index in indices}
    return np.array([number[label] for label in labels], dtype=np.int16)


def _natural(label: str) -> tuple[float, str]:
    """Sort numbers by value, before words."""
    try:
        number = float(label)
    except ValueError:
        number = np.inf
    return (number if np.isfinite(number) else np.inf), label
