"""Batches in the order of a plan, from the point where an interrupted epoch stopped."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from types import FrameType

import torch
from torch.utils.data import DataLoader, Dataset

from src.rsgan.data.plans import BatchIndex
from src.rsgan.data.store import Batch, Store
from utils.environment import SIGNALS
from utils.errors import ProjectError, RunError

Plan = Callable[[int], list[BatchIndex]]


class _Reader(Dataset):
    """Reads batches; what went wrong is handed on as it is, where a worker process would make pages of text of it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getitem__(self, batch: BatchIndex) -> Batch | ProjectError:
        try:
            return self.store[batch]
        except ProjectError as error:
            return error


class BatchLoader:
    """Goes through a store in the order that a plan gives for each epoch; each epoch has as many batches.

    The trainer sets the epoch through `sampler`, and asks for `state_dict` when it saves a checkpoint, so that training
    goes on with the very next batch. Worker processes end with this one and leave signals to it.
    """

    def __init__(self, store: Store, plan: Plan, *, num_workers: int = 0, pin_memory: bool = False) -> None:
        self.sampler, self.batch_sampler = self, None  # where the trainer looks for `set_epoch`
        self._plan, self._epoch, self._done = plan, 0, 0
        self._length = len(plan(0))
        self._left: list[BatchIndex] = []  # of an epoch
        self._workers: list[BaseProcess] = []
        self._loader: DataLoader | None = DataLoader(
            _Reader(store),
            batch_size=None,
            sampler=self._left,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=pin_memory,
            collate_fn=_shared if num_workers > 0 else None,
            generator=torch.Generator(),  # else each pass would draw from the global one
        )

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        # A generator: what it reads is read at the first batch, when the trainer has set the epoch.
        skipped = self._done % max(len(self), 1)
        self._left[:] = self._plan(self._epoch)[skipped:]
        before = active_children()
        with _signals_held_back():
            samples = iter(self._loader)
        self._workers += [child for child in active_children() if child not in before]
        for done, sample in enumerate(samples, skipped + 1):
            if isinstance(sample, ProjectError):
                raise sample
            self._done = done
            yield sample
        self._done = 0

    def close(self) -> None:
        """End the worker processes. Left to the garbage collector, each would be waited for, for seconds."""
        self._loader = None
        # After an error, its traceback holds on to the workers, which then run on.
        before = signal.signal(signal.SIGCHLD, _unheard)
        for worker in self._workers:
            worker.kill()
            worker.join()
        signal.signal(signal.SIGCHLD, before)

    def state_dict(self) -> dict[str, int]:
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._done = state["done"]


def _shared(sample: Batch | ProjectError) -> Batch | ProjectError:
    """Put a batch where the main process finds it. Left to PyTorch, a failure is never heard of, and waited for."""
    for value in sample.values() if isinstance(sample, dict) else ():
        if torch.is_tensor(value):
            value.share_memory_()
    return sample


def _unheard(number: int, frame: FrameType | None) -> None:
    """In place of what PyTorch does when a worker ends."""


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Have processes that are started in this block never hear of signals, which are the main process's to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Say in one line, as a `RunError`, what went wrong with processes that read ahead; PyTorch says it anywhere."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        found = str(error).strip().splitlines()[-1]
        raise RunError(
            f"a process that reads batches failed ({found}); use fewer dataset.dataloader.num_workers, or 0, or a "
            "larger /dev/shm"
        ) from error
