"""A data set of time series, scaled and grouped into land-cover classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.toygeneration.timeserie.ts_file import read
from src.toygeneration.timeserie.ts_format import Values
from utils.errors import ConfigError, DataError
from utils.files import digest_file

Window = NDArray[np.float32]


@dataclass(frozen=True)
class TSDataset:
    """Multivariate time series with classes."""

    # one array `(steps, bands)` a case, each band scaled to [0, 1] over the whole data set
    series: tuple[NDArray[np.float32], ...]
    classes: NDArray[np.int16]  # one number a case, from 1 to `nclass`
    nclass: int  # number of classes
    files: tuple[dict[str, str], ...] = ()  # name and digest of each file that the series were read from

    @classmethod
    def from_files(
        cls, files: Sequence[Path], *, ndim: int, nclass: int, dims: Sequence[int] | None = None
    ) -> "TSDataset":
        """Read several `.ts` files as one data set, in order.

        Of the bands the first `ndim` are kept, unless `dims` says which, from 0. The sorted labels are cut into
        `nclass` nearly equal, consecutive groups.

        Raises:
            DataError: If a file is malformed, or files disagree on the number of bands.
            ConfigError: If there are fewer bands or labels than asked for, or a band is constant.
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
        return cls(_scale(cases, bands), _group(labels, nclass), nclass, digests)

    def check_horizon(self, horizon: int) -> None:
        """Make sure that every class has a case of that many steps.

        Raises:
            ConfigError: If a class has none, naming the longest horizon that works.
        """
        longest = [max(len(self.series[case]) for case in self._cases(n)) for n in range(1, self.nclass + 1)]
        if horizon > min(longest):
            short = next(number for number, length in enumerate(longest, 1) if length < horizon)
            raise ConfigError(
                f"product.horizon: found {horizon}, but class {short} has no series that long; "
                f"the longest horizon that works is {min(longest)}"
            )

    def _cases(self, number: int) -> NDArray[np.intp]:
        return np.flatnonzero(self.classes == number)

    def draw(self, number: int, horizon: int, *, rng: np.random.Generator) -> Window:
        """Draw a window `(horizon, bands)` of one case of a class, numbered from 1.

        The case is uniform among those long enough, the start among those that leave `horizon` steps.
        """
        candidates = [c for c in self._cases(number) if len(self.series[c]) >= horizon]
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


def _scale(cases: list[Values], bands: list[int]) -> tuple[NDArray[np.float32], ...]:
    """Scale each band to [0, 1] over all cases."""
    low = np.min([case.min(axis=0) for case in cases], axis=0)
    high = np.max([case.max(axis=0) for case in cases], axis=0)
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
