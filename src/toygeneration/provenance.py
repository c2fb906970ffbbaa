"""How a product came about, as its `index.json` records it."""

import functools
import platform
from importlib.metadata import version
from typing import Any

from utils.registry import Configured

FORMAT_VERSION = 1  # raise it whenever the same configuration and seed give other bytes
LIBRARIES = ("h5py", "numpy", "pillow", "scipy", "sktime")


def describe(
    seed: int | None, configuration: Configured, source: dict[str, Any] | list[dict[str, str]]
) -> dict[str, Any]:
    """Record how a product is made: enough to make it again, nothing that differs from run to run.

    The source is the provenance of the product, or digests of the files, that it is made from.
    """
    return {
        "format_version": FORMAT_VERSION,
        "seed": seed,
        "configuration": configuration.model_dump(mode="json", exclude={"seed", "latent_product_path"}),
        "libraries": _libraries(),
        "source": source,
    }


@functools.cache
def _libraries() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
