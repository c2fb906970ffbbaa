"""Where frames are kept: on disk, in memory or on the GPU. All give the same batches."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from src.rsgan.data.datasets import Kind
from src.rsgan.data.plans import BatchIndex, Index
from src.rsgan.data.views import View

CPU = torch.device("cpu")


class Batch(TypedDict, total=False):
    """A batch of frames. Tensors are channels last in memory.

    Keys:
        source: `(N, C, H, W)` float32 in network scale, nominally in [-1, 1].
        target: `(N, C, H, W)` float32 in network scale.
        annotation: `(N, 2, H, W)` int16: instance and class, 0 for background.
        cloud: `(N, 1, H, W)` float32: opacity in [0, 1].
        clouded: `(N, C, H, W)` float32 in network scale: the frames under the clouds, whether they are a source or not.
        opacity: `(N, 1, H, W)` float32: what a method is told of `cloud`.
        first: whether the frames are the first of their series.
    """

    source: Tensor
    target: Tensor
    annotation: Tensor
    cloud: Tensor
    clouded: Tensor
    opacity: Tensor
    first: bool


def to_device(sample: Batch, device: torch.device) -> Batch:
    """Copy a batch to a device."""
    return Batch(**{key: value.to(device) if torch.is_tensor(value) else value for key, value in sample.items()})


class Store:
    """Frames of some views of the same horizon, read from disk whenever they are asked for."""

    device = CPU

    def __init__(self, views: Sequence[View], kinds: Sequence[Kind]) -> None:
        self.views, self.kinds = list(views), list(kinds)
        self.horizon = views[0].features.horizon

    def __getitem__(self, batch: BatchIndex) -> Batch:
        arrays = {kind: self.gather(kind, batch.index).movedim(-1, 1) for kind in self.kinds}
        return Batch(first=batch.first, **arrays)

    def gather(self, kind: Kind, index: Index) -> Tensor:
        """Collect one array of some frames, given as `view * horizon + step`: `(N, H, W, C)`."""
        places = zip(*np.divmod(index, self.horizon), strict=True)
        return torch.from_numpy(np.stack([self.views[view].read(step, kind) for view, step in places]))


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
        for number in range(len(kept)):
            kept[number] = super().gather(kind, np.array([number]))[0]
        return kept

    def gather(self, kind: Kind, index: Index) -> Tensor:
        """Collect frames; half precision becomes single."""
        kept = self._kept[kind]
        places = torch.from_numpy(index)
        if kept.is_cuda:  # from page-locked memory, or the copy would wait for all that the GPU has still to do
            places = places.pin_memory().to(kept.device, non_blocking=True)
        chosen = kept.index_select(0, places)
        return chosen.float() if chosen.dtype == torch.float16 else chosen


def size_in_memory(views: Sequence[View], kinds: Sequence[Kind]) -> int:
    """Count the bytes that `MemoryStore` needs in single precision."""
    frame = sum(views[0].read(0, kind).nbytes for kind in kinds)
    return frame * len(views) * views[0].features.horizon
