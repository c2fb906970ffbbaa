"""Dask clusters. Each Dask worker gets processes of its own that import this checkout and work where the caller does.

What is sent there is sent with its code: neither the scheduler nor the workers need to know the project, nor are their
import paths and working folders touched. As views are built in processes, a Dask worker may have any number of threads.
"""

import asyncio
import logging
import queue
import sys
import uuid
from typing import Any

import cloudpickle
import distributed

from src.toygeneration.dataset import workers
from src.toygeneration.dataset.workers import DIED, Closed, Results, Workers
from utils.cli import describe
from utils.errors import RunError

PATIENCE = 5  # seconds; with the time for imports, what is wrong is said within ten


class ViewWorkers(distributed.WorkerPlugin):
    """Gives a Dask worker, also one that joins later, `Workers` that were started with these arguments."""

    def __init__(self, start: tuple[Any, ...]) -> None:
        self.start = start

    def setup(self, worker: distributed.Worker) -> None:
        self.workers = Workers(*self.start)

    def build(self, seed: int) -> str | None:
        try:
            return self.workers.build(seed)
        except Closed as error:  # this Dask worker is about to leave
            raise distributed.Reschedule from error

    def teardown(self, worker: distributed.Worker) -> None:
        self.workers.close()


def on_cluster(scheduler: str, start: tuple[Any, ...], seeds: list[int]) -> Results:
    """Build the views of some seeds on the cluster of a scheduler; `start` are arguments of `Workers`.

    Raises `RunError` if no scheduler answers at that address, or it has no workers; also while views are being built.
    """
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.CRITICAL)  # what matters of it is said here
    check(scheduler)
    return _build_all(scheduler, start, seeds)


def check(scheduler: str) -> None:
    problem = asyncio.run(_problem(scheduler))
    if problem:
        raise RunError(f"--scheduler: {scheduler}: {problem}")


async def _problem(scheduler: str) -> str | None:
    answered = False
    try:
        keys = distributed.Security().get_connection_args("client")  # as Dask is configured
        async with asyncio.timeout(PATIENCE), distributed.rpc(scheduler, connection_args=keys) as cluster:
            while True:
                identity = await cluster.identity()
                answered = identity["type"] == "Scheduler"
                if identity["n_workers"]:
                    return None
                await asyncio.sleep(0.2)
    except Exception as error:  # what else than a scheduler answers may lead to anything
        if answered:
            return "its scheduler has no workers; start some with dask worker"
        reason = f" ({error})" if isinstance(error, ValueError) else ""
        return f"found no Dask scheduler there{reason}, expected tcp://HOST:PORT as dask scheduler prints it; start one"


def _build_all(scheduler: str, start: tuple[Any, ...], seeds: list[int]) -> Results:
    for module in (workers, sys.modules[__name__]):
        cloudpickle.register_pickle_by_value(module)
    finished: queue.SimpleQueue[distributed.Future] = queue.SimpleQueue()
    name = f"views-{uuid.uuid4().hex}"

    def build(seed: int) -> str | None:  # within a function, or its module's name would be sent in place of its code
        return distributed.get_worker().plugins[name].build(seed)

    with distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False) as client:
        client.register_plugin(ViewWorkers(start), name)
        futures = client.map(build, seeds, pure=False)
        seed_of = {future.key: seed for future, seed in zip(futures, seeds, strict=True)}
        try:
            for future in futures:
                future.add_done_callback(finished.put)
            for _ in seeds:
                future = _next(finished, scheduler)
                yield seed_of[future.key], _outcome(future, scheduler)
                future.release()
        finally:
            if client.status == "running":
                client.cancel(futures)
                client.unregister_worker_plugin(name)


def _next(finished: queue.SimpleQueue[distributed.Future], scheduler: str) -> distributed.Future:
    """Wait for a view as long as there are workers."""
    while True:
        try:
            return finished.get(timeout=PATIENCE)
        except queue.Empty:
            check(scheduler)


def _outcome(future: distributed.Future, scheduler: str) -> str | None:
    while True:
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError:  # the worker that had the answer is gone; another one finds the view made
            check(scheduler)
        except distributed.CancelledError as error:
            raise RunError(
                f"--scheduler: {scheduler}: the scheduler was lost; start it and run the same command again"
            ) from error
        except distributed.KilledWorker:
            return DIED
        except Exception as error:
            return describe(error)[0]
