"""Where frames are kept: on disk, in memory or on the GPU. All give the same batches."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from src.rsgan.data.datasets import Kind
from src.rsgan.data.plans import BatchIndex, Index
from src.rsgan.data.series import SeriesIndex, padded, transformed
from src.rsgan.data.views import View

CPU = torch.device("cpu")


class Batch(TypedDict, total=False):
    """A batch of frames `(N, …)`, or of series `(B, T, …)`. Tensors are channels last in memory.

    Keys:
        source: `(N, C, H, W)` float32 in network scale, nominally in [-1, 1].
        target: `(N, C, H, W)` float32 in network scale.
        annotation: `(N, 2, H, W)` int16: instance and class, 0 for background.
        cloud: `(N, 1, H, W)` float32: opacity in [0, 1].
        shadow: `(N, 1, H, W)` float32: share of the ground's light that shadows of clouds take.
        clouded: `(N, C, H, W)` float32 in network scale: the frames under the clouds, whether they are a source or not.
        opacity: `(N, 1, H, W)` float32: what a method is told of `cloud`.
        first: whether the frames are the first of their series; of frames alone.
        times: `(B, T)` float32: when the steps of series are, by their numbers in the products' indices.
        exists: `(B, T)` bool: whether a series has the step; what is added to shorter ones is zero.
        view: name of the view; of the whole series of one alone.
    """

    source: Tensor
    target: Tensor
    annotation: Tensor
    cloud: Tensor
    shadow: Tensor
    clouded: Tensor
    opacity: Tensor
    first: bool
    times: Tensor
    exists: Tensor
    view: str


def to_device(sample: Batch, device: torch.device) -> Batch:
    """Copy a batch to a device."""
    return Batch(**{key: value.to(device) if torch.is_tensor(value) else value for key, value in sample.items()})


class Store:
    """Frames of some views, read from disk whenever they are asked for.

    Attributes:
        horizon: of the longest series. Views that have fewer steps can be read as series alone.
    """

    device = CPU

    def __init__(self, views: Sequence[View], kinds: Sequence[Kind]) -> None:
        self.views, self.kinds = list(views), list(kinds)
        self.horizon = max(view.features.horizon for view in views)

    def __getitem__(self, batch: BatchIndex | SeriesIndex) -> Batch:
        if isinstance(batch, SeriesIndex):
            return self._series(batch)
        arrays = {kind: self.gather(kind, batch.index).movedim(-1, 1) for kind in self.kinds}
        return Batch(first=batch.first, **arrays)

    def gather(self, kind: Kind, index: Index) -> Tensor:
        """Collect one array of some frames, given as `view * horizon + step`: `(N, H, W, C)`."""
        places = zip(*np.divmod(index, self.horizon), strict=True)
        return torch.from_numpy(np.stack([self.views[view].read(step, kind) for view, step in places]))

    def window(self, kind: Kind, view: int, rows: slice, columns: slice) -> Tensor:
        """Read a part of all frames of a view: `(T, H, W, C)`."""
        frames = (self.views[view].read(step, kind)[rows, columns] for step in range(self.views[view].features.horizon))
        return torch.from_numpy(np.stack([*frames]))

    def _series(self, batch: SeriesIndex) -> Batch:
        collected: dict[str, list[Tensor]] = {name: [] for name in (*self.kinds, "times", "exists")}
        for number, view in enumerate(batch.views):
            corner = batch.corners[number]
            rows, columns = (slice(first, first + side) for first, side in zip(corner, batch.size, strict=True))
            for kind in self.kinds:
                frames = transformed(self.window(kind, view, rows, columns), batch, number)
                collected[kind].append(padded(frames, self.horizon))
            times = torch.from_numpy(self.views[view].features.times)
            if batch.reversed[number]:
                times = (times[0] + times[-1] - times).flip(0)
            collected["times"].append(padded(times, self.horizon))
            collected["exists"].append(padded(torch.ones(len(times), dtype=torch.bool), self.horizon))
        stacked = {name: torch.stack(values).to(self.device) for name, values in collected.items()}
        return Batch(
            **{name: stacked[name].movedim(-1, 2) if name in self.kinds else stacked[name] for name in stacked}
        )


def read_series(view: View, kinds: Sequence[Kind]) -> Batch:
    """Read the whole series of a view, with its times `(T,)` and its name."""
    store = Store([view], kinds)
    about = Batch(times=torch.from_numpy(view.features.times), view=view.name)
    return store[BatchIndex(np.arange(store.horizon), first=True)] | about


class MemoryStore(Store):
    """The same, decoded once and kept on a device where batches are gathered; worker processes share the CPU's memory.

    If `half`, frames and opacities are kept in half precision.
    """

    def __init__(
        self, views: Sequence[View], kinds: Sequence[Kind], device: torch.device = CPU, *, half: bool = False
    ) -> None:
        super().__init__(views, kinds)
        self.device = device
        self._kept = {kind: self._decode(kind, half=half).to(device) for kind in kinds}

    def _decode(self, kind: Kind, *, half: bool) -> Tensor:
        first = torch.from_numpy(self.views[0].read(0, kind))
        dtype = torch.float16 if half and first.is_floating_point() else first.dtype
        kept = torch.empty((len(self.views) * self.horizon, *first.shape), dtype=dtype)
        for number, view in enumerate(self.views):
            for step in range(view.features.horizon):
                kept[number * self.horizon + step] = torch.from_numpy(view.read(step, kind))
        return kept

    def gather(self, kind: Kind, index: Index) -> Tensor:
        """Collect frames; half precision becomes single."""
        kept = self._kept[kind]
        places = torch.from_numpy(index)
        if kept.is_cuda:  # from page-locked memory, or the copy would wait for all that the GPU has still to do
            places = places.pin_memory().to(kept.device, non_blocking=True)
        return _single(kept.index_select(0, places))

    def window(self, kind: Kind, view: int, rows: slice, columns: slice) -> Tensor:
        first = view * self.horizon
        return _single(self._kept[kind][first : first + self.views[view].features.horizon, rows, columns])


def _single(values: Tensor) -> Tensor:
    return values.float() if values.dtype == torch.float16 else values


def size_in_memory(views: Sequence[View], kinds: Sequence[Kind]) -> int:
    """Count the bytes that `MemoryStore` needs in single precision."""
    frame = sum(views[0].read(0, kind).nbytes for kind in kinds)
    return frame * len(views) * max(view.features.horizon for view in views)
