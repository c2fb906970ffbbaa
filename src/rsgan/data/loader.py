"""Batches in the order of a plan, from the point where an interrupted epoch stopped."""

from collections.abc import Callable, Iterator

import torch
from torch.utils.data import DataLoader, Sampler

from src.rsgan.data.plans import Batch
from src.rsgan.data.store import Sample, Store

Plan = Callable[[int], list[Batch]]


class _Order(Sampler[Batch]):
    """The batches that are left of an epoch."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class BatchLoader:
    """Goes through a store in the order that a plan gives for each epoch.

    The trainer sets the epoch through `sampler`, and asks for `state_dict` when it saves a checkpoint, so that training
    goes on with the very next batch.

    Args:
        store: where frames are.
        plan: the batches of an epoch; each epoch has as many.
        num_workers: processes that read ahead.
        pin_memory: whether batches go to page-locked memory, from which a GPU copies faster.
    """

    def __init__(self, store: Store, plan: Plan, *, num_workers: int = 0, pin_memory: bool = False) -> None:
        self.sampler, self.batch_sampler = self, None  # where the trainer looks for `set_epoch`
        self._plan, self._epoch, self._done = plan, 0, 0
        self._length = len(plan(0))
        self._order = _Order()
        self._loader: DataLoader | None = DataLoader(
            store,
            batch_size=None,
            sampler=self._order,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=pin_memory,
            generator=torch.Generator(),  # else each pass would draw from the global one
        )

    def set_epoch(self, epoch: int) -> None:
        """Choose which epoch's batches come next.

        Args:
            epoch: from 0.
        """
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Sample]:
        # A generator: what it reads is read at the first batch, when the trainer has set the epoch.
        skipped = self._done % max(len(self), 1)
        self._order.batches = self._plan(self._epoch)[skipped:]
        for done, sample in enumerate(self._loader, skipped + 1):
            self._done = done
            yield sample
        self._done = 0

    def close(self) -> None:
        """End the worker processes. Left to the garbage collector, each would be waited for, for seconds."""
        self._loader = None

    def state_dict(self) -> dict[str, int]:
        """Say how far the epoch has come.

        Returns:
            Number of batches given out.
        """
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where a state was taken.

        Args:
            state: from `state_dict`.
        """
        self._done = state["done"]
