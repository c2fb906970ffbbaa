"""The change of brightness that the clouded frames of a data set share: networks learn it, rules must be given it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from src.rsgan.data.store import Batch

CLEAR = 0.05  # opacity below which a value tells of brightness alone
FEWEST = 0.01  # share of the values, those under the thinnest clouds, that are taken where fewer are clear
VIEWS = 8  # looked at


@dataclass(frozen=True, eq=False)
class Brightness:
    """What makes clean values of clear ones: `gain * value + offset`, `(C, 1, 1)` each, in network scale."""

    gain: Tensor
    offset: Tensor

    def correct(self, frames: Tensor) -> Tensor:
        """Take the change out of frames `(T, C, H, W)`."""
        return self.gain.to(frames) * frames + self.offset.to(frames)


def fit_brightness(training: Iterable[Batch], bands: int) -> Brightness:
    """Least squares, band by band, over the clear values of some views: the source's first bands against the target.

    Args:
        training: source, target and opacity of whole series, as methods are told.
    """
    found, wanted = zip(*(_clear(sample, bands) for sample in islice(training, VIEWS)), strict=True)
    pairs = zip(np.concatenate(found, axis=1), np.concatenate(wanted, axis=1), strict=True)
    solved = [np.linalg.lstsq(np.column_stack([values, np.ones_like(values)]), clean)[0] for values, clean in pairs]
    gain, offset = torch.tensor(np.array(solved)).float().T.reshape(2, bands, 1, 1)
    return Brightness(gain, offset)


def _clear(sample: Batch, bands: int) -> tuple[np.ndarray, np.ndarray]:
    """The clear values of one series, and clean ones of the same places: `(C, N)` each."""
    opacity = sample["opacity"][:, 0]
    clear = opacity <= max(CLEAR, np.quantile(opacity.numpy(), FEWEST))
    source, target = (sample[kind][:, :bands].movedim(1, 0)[:, clear] for kind in ("source", "target"))
    return source.double().numpy(), target.double().numpy()
