"""Dask clusters: workers that import this checkout and work where the caller does."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cloudpickle
from distributed import Client, Worker, WorkerPlugin

from utils.errors import RunError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = "10s"


class SameCheckout(WorkerPlugin):
    """Makes a worker import the project from the caller's checkout, and work in the caller's folder.

    Workers that join later get it too. Checkout and folder must exist under the same path on all machines.

    Args:
        checkout: root of the project.
        folder: where relative paths start.
    """

    name = "same-checkout"

    def __init__(self, checkout: str, folder: str) -> None:
        self.checkout, self.folder = checkout, folder

    def setup(self, worker: Worker) -> None:
        """Prepare a worker."""
        del worker
        if self.checkout not in sys.path:
            sys.path.insert(0, self.checkout)
        os.chdir(self.folder)


@contextlib.contextmanager
def connect(scheduler: str) -> Iterator[Client]:
    """Connect to a cluster.

    Args:
        scheduler: its address, `tcp://HOST:PORT`.

    Yields:
        A client.

    Raises:
        RunError: If there is no scheduler at that address.
    """
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import it before they have run it
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunError(f"--scheduler: no Dask scheduler answers at {scheduler} ({error}); start one there") from error
    with client:
        client.register_plugin(SameCheckout(str(ROOT), str(Path.cwd())))
        yield client
