"""Batches in the order of a plan, from the point where an interrupted epoch stopped."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from multiprocessing import active_children
from multiprocessing.process import BaseProcess

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from src.rsgan.data.plans import BatchIndex
from src.rsgan.data.series import SeriesIndex
from src.rsgan.data.store import Batch, Store
from utils.environment import SIGNALS
from utils.errors import ProjectError, RunError

Index = BatchIndex | SeriesIndex


class _Reader(Dataset):
    """Reads batches; what went wrong is handed on as it is, where a worker process would make pages of text of it.

    A worker puts batches where the main process finds them: left to PyTorch, a failure to do so is never heard of, and
    waited for.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getitem__(self, batch: Index) -> Batch | ProjectError:
        try:
            sample = self.store[batch]
        except ProjectError as error:
            return error
        if get_worker_info() is not None:
            for value in filter(torch.is_tensor, sample.values()):
                value.share_memory_()
        return sample


class BatchLoader:
    """Goes through a store in the order that a plan gives for each epoch; each epoch has as many batches.

    The trainer sets the epoch through `sampler`, and asks for `state_dict` when it saves a checkpoint, so that training
    goes on with the very next batch. Worker processes end with this one and leave signals to it.
    """

    def __init__(self, store: Store, plan: Callable[[int], list[Index]], *, num_workers: int, pin_memory: bool) -> None:
        self.sampler, self.batch_sampler = self, None  # where the trainer looks for `set_epoch`
        self._plan, self._epoch, self._done = plan, 0, 0
        self._length = len(plan(0))
        self._left: list[Index] = []  # of an epoch
        self._workers: list[BaseProcess] = []
        self._loader: DataLoader | None = DataLoader(
            _Reader(store),
            batch_size=None,
            sampler=self._left,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=pin_memory,
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
        # Processes that are started now never hear of signals, which are the main process's to answer.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            samples = iter(self._loader)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
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
        before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # in place of PyTorch's
        for worker in self._workers:
            worker.kill()
            worker.join()
        signal.signal(signal.SIGCHLD, before)

    def state_dict(self) -> dict[str, int]:
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._done = state["done"]


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
