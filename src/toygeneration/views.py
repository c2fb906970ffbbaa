"""Whole data sets: many views of one task, in parallel, resumable."""

import contextlib
import functools
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import BrokenProcessPool

from src.toygeneration import provenance
from src.toygeneration.export import ProductDataset, export, is_product
from src.toygeneration.run import deterministic
from src.toygeneration.task import Task
from utils.cli import describe
from utils.errors import UsageError

ATTEMPTS = 3  # how often a view may be caught in the death of a worker; Dask's own default
logger = logging.getLogger(__name__)


def build_views(
    task: Task,
    folder: Path,
    seeds: Iterable[int],
    *,
    njobs: int = -1,
    scheduler: str | None = None,
    overwrite: bool = False,
    on_view: Callable[[], object] | None = None,
) -> dict[int, str]:
    """Build the views that a data set lacks.

    The bytes don't depend on the number of workers, on the order of work or on where it is done.

    Args:
        task: the products of a view.
        folder: of the data set; each view is a folder in it, named by its seed.
        seeds: of the views.
        njobs: number of local processes; -1 for one a core.
        scheduler: address of a Dask cluster to use instead. Its workers must see the same files.
        overwrite: make views that exist again.
        on_view: called after each view.

    Returns:
        What went wrong, by seed; empty if nothing did.
    """
    plain = json.dumps(task.dump())
    build = functools.partial(build_view, plain, str(folder.absolute()), overwrite=overwrite)
    waiting, failures = list(dict.fromkeys(seeds)), {}
    with _workers(njobs, scheduler) as parallel:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                for seed, problem in parallel(delayed(build)(seed) for seed in list(waiting)):
                    waiting.remove(seed)
                    if problem:
                        logger.error("view %d: %s", seed, problem)
                        failures[seed] = problem
                    if on_view:
                        on_view()
            except BrokenProcessPool:
                logger.warning("a worker died (attempt %d of %d); %d views are left", attempt, ATTEMPTS, len(waiting))
            if not waiting:
                break
    for seed in waiting:
        failures[seed] = "its worker died; it may need more memory: use fewer --njobs"
        logger.error("view %d: %s", seed, failures[seed])
    return failures


@contextlib.contextmanager
def _workers(njobs: int, scheduler: str | None) -> Iterator[Parallel]:
    """Open local processes or a connection to a cluster."""
    if scheduler is None:
        with parallel_config(backend="loky"):
            yield Parallel(n_jobs=njobs, return_as="generator_unordered", batch_size=1)
        return
    from src.toygeneration.cluster import connect

    with connect(scheduler) as client, parallel_config(backend="dask", client=client):
        yield Parallel(n_jobs=-1, return_as="generator_unordered", batch_size=1)


@functools.lru_cache(maxsize=2)
def _restored(plain: str) -> Task:
    """A worker reads a task and its time series once."""
    return Task.restore(json.loads(plain))


def build_view(plain: str, folder: str, seed: int, *, overwrite: bool) -> tuple[int, str | None]:
    """Build what a view lacks; this is what a worker does.

    Args:
        plain: the task, as JSON.
        folder: of the data set.
        seed: of the view.
        overwrite: make what exists again.

    Returns:
        The seed, and what went wrong, in one line, or None.
    """
    try:
        _build_view(_restored(plain), Path(folder) / str(seed), seed, overwrite=overwrite)
    except Exception as error:
        return seed, describe(error)[0]
    return seed, None


def _build_view(task: Task, folder: Path, seed: int, *, overwrite: bool) -> None:
    lacking = [name for name in task.derivations if overwrite or not _is_made(task, folder / name, seed, name)]
    by_root: dict[str, list[str]] = {}
    for name in lacking:
        by_root.setdefault(task.root(name), []).append(name)
    with deterministic():
        for names in by_root.values():  # one scene in memory at a time
            products = task.products(seed, names)
            export({folder / name: product for name, product in products.items()}, overwrite=overwrite)


def _is_made(task: Task, path: Path, seed: int, name: str) -> bool:
    """Whether a product is there, made by this task."""
    if not is_product(path):
        return False
    found = provenance.recipe(ProductDataset(path).provenance())
    if found != provenance.recipe(task.provenance(seed, name)):
        raise UsageError(
            f"{path}: found a product made with another configuration; pass --overwrite to replace it, "
            "or choose another --o"
        )
    return True
