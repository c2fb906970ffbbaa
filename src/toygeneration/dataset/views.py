"""Whole data sets: many views of one recipe, in parallel, resumable; their identity is beside them."""

import contextlib
import itertools
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from src.toygeneration.dataset.card import write_card
from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.worker import attempt
from src.toygeneration.dataset.workers import Results, Workers
from src.toygeneration.export import check_output, is_product
from src.toygeneration.index import IDENTITY
from utils.errors import UsageError
from utils.files import natural, remove_directory, sweep
from utils.identity import ROOT, Identity, goes_on
from utils.tables import write_json

logger = logging.getLogger(__name__)


def build_views(
    recipe: Recipe,
    folder: Path,
    seeds: Iterable[int],
    *,
    njobs: int,
    scheduler: str | None = None,
    overwrite: bool = False,
    on_view: Callable[[], object] | None = None,
) -> dict[int, str]:
    """Build the views that a data set lacks; return what went wrong, by seed.

    Each view is a folder of the data set, named by its seed. The bytes don't depend on the number of workers, on the
    order of work or on where it is done: in `njobs` local processes, or on the Dask cluster of a scheduler, whose
    workers must see the same files. For `overwrite` see `claim`.

    Raises:
        ProjectError: If no view can be made of the recipe, the folder holds views of another one, or the cluster cannot
            be used.
    """
    task = {"recipe": recipe.model_dump_json(), "folder": str(folder.absolute())}
    seeds, failures = list(dict.fromkeys(seeds)), {}
    with contextlib.closing(_results(task, seeds, min(njobs, len(seeds)), scheduler)) as results:
        recipe.products(min(seeds, default=0), [*recipe.derivations])  # so that a bad task fails before all else
        identity = claim(folder, recipe, seeds, overwrite=overwrite)
        for seed, problem in results:
            if problem:
                logger.error("view %d: %s", seed, problem)
                failures[seed] = problem
            if on_view:
                on_view()
    for seed, name in itertools.product(seeds, recipe.derivations):
        sweep(folder / str(seed) / name)  # what a worker left that was killed while another one made its view
    whole = Counter(product.parent.name for product in _products(folder, {*recipe.derivations}))
    views = sorted((view for view, number in whole.items() if number == len(recipe.derivations)), key=natural)
    write_card(folder, recipe, views, identity.digest)
    return failures


def claim(folder: Path, recipe: Recipe, seeds: Iterable[int], *, overwrite: bool) -> Identity:
    """Make a folder the place of a recipe's views, and say what these are. Views of the same recipe that it holds stay.

    With `overwrite`, views of another recipe, or with other seeds, are removed. Nothing else is: `UsageError` is raised
    if there are such views and they may not, or something else stands in a product's folder.
    """
    path, identity = folder / IDENTITY, recipe.identity()
    same = goes_on(path, identity, overwrite=overwrite)
    products = _products(folder, {*recipe.derivations, *_former(path)})
    if same:
        wanted = {str(seed) for seed in seeds}
        products = [product for product in products if overwrite and product.parent.name not in wanted]
    elif products and not overwrite and not path.exists():
        raise UsageError(
            f"{folder}: holds views but no {IDENTITY}, so that nobody knows what they were made from; choose another "
            "--o, or pass --overwrite to replace them"
        )
    for product in products:
        check_output(product, overwrite=overwrite)
    for product in products:
        remove_directory(product)
        with contextlib.suppress(OSError):  # the view holds something else
            product.parent.rmdir()
    if not same:
        write_json(path, identity.record())
    return identity


def _former(path: Path) -> Iterable[str]:
    """Names of the products that were made before."""
    try:
        return Identity.restore(json.loads(path.read_text(encoding="utf-8"))).configuration["derivations"]
    except (OSError, ValueError, KeyError):
        return ()


def _products(folder: Path, names: set[str]) -> list[Path]:
    views = [view for view in folder.glob("*") if re.fullmatch("[0-9]+", view.name)]
    return [view / name for view in sorted(views) for name in sorted(names) if is_product(view / name)]


def _results(task: dict[str, str], seeds: list[int], njobs: int, scheduler: str | None) -> Results:
    start = str(ROOT), str(Path.cwd()), task
    if scheduler is not None:
        from src.toygeneration.dataset.cluster import on_cluster

        return on_cluster(scheduler, start, seeds)
    if njobs > 1:
        return _side_by_side(Workers(*start), seeds, njobs)
    return ((seed, attempt(**task, seed=seed)) for seed in seeds)


def _side_by_side(workers: Workers, seeds: list[int], njobs: int) -> Results:
    with ThreadPoolExecutor(njobs) as threads:
        futures = {threads.submit(workers.build, seed): seed for seed in seeds}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            workers.close()
            threads.shutdown(cancel_futures=True)
