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

    Args:
        seed: the one that was used.
        configuration: as it was resolved.
        source: provenance of the product or the digests of the files that it is made from.

    Returns:
        A mapping that JSON can hold.
    """
    resolved = configuration.model_dump(mode="json", exclude={"seed", "latent_product_path"})
    return {
        "format_version": FORMAT_VERSION,
        "seed": seed,
        "configuration": resolved,
        "libraries": _libraries(),
        "source": source,
    }


@functools.cache
def _libraries() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}


def recipe(provenance: object) -> object:
    """Leave out what doesn't tell one product from another: library versions, and where time series files lie.

    Args:
        provenance: what an index holds.

    Returns:
        What was made from what, with which seeds.
    """
    if not isinstance(provenance, dict):
        return provenance
    kept = {key: value for key, value in provenance.items() if key != "libraries"}
    configuration = dict(kept.get("configuration") or {})
    if "ts" in configuration:
        places = ("path", "reference_dataset_path")
        configuration["ts"] = {key: value for key, value in configuration["ts"].items() if key not in places}
    return kept | {"configuration": configuration, "source": recipe(kept.get("source"))}
