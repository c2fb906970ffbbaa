"""A data set's card: what it is, how it was made, and what is in its files, as hubs of data sets read it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from src.toygeneration.arrays import DATASET, SCHEMAS
from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.export import ProductDataset
from src.toygeneration.index import IDENTITY, INDEX
from utils.files import digest_file, new_file
from utils.number_lists import format_numbers
from utils.tables import markdown_table, write_json

README, CROISSANT = "README.md", "croissant.json"
MARK = "repro/toy-data/build_dataset.py"  # in all cards that are ours


@dataclass(frozen=True)
class Origin:
    """What is said of where images come from."""

    kind: str
    how: str
    licence: str
    licence_name: str


GENERATED = Origin(
    "synthetic",
    "a scene of land parcels through several sensors at the same time steps: Voronoi cells,\n"
    "animated by real time series and textured by a random process, then degraded as sensors and weather degrade "
    "images.\n"
    "Everything about a scene is known: parcel and land cover of each pixel, and the opacity of clouds.",
    "The images are synthetic. The time series that animate them aren't: whoever publishes these says what may be "
    "done.",
    "that-of-the-time-series",
)
IMPORTED = Origin(
    "real",
    "a place as it was seen, and as sensors and weather degrade such images.\n"
    "Parcels and land cover are those that its labels have; the opacity of clouds that were added is known.",
    "The images are real: whoever took them says what may be done.",
    "that-of-the-images",
)
SHADOWED = "with shadows"
CONTEXT = Path(__file__).with_name("croissant_context.json")  # as version 1.0 of the specification has it


def write_card(folder: Path, recipe: Recipe, views: Sequence[str], digest: str) -> None:
    """Write both files of a card; equal data sets have equal cards. What isn't ours under their names stays.

    Args:
        views: names of the views that are whole; without any there is no card.
        digest: of what they were made from, as `IDENTITY` in the folder has it.
    """
    if not views:
        return
    origin = IMPORTED if recipe.imported else GENERATED
    title = f"{origin.kind.capitalize()} satellite image series: {', '.join(recipe.derivations)}"
    products = list(_products(recipe, folder / views[0]))
    content = {
        README: _readme(recipe, views, title, digest, products, origin),
        CROISSANT: _croissant(views, title, folder / IDENTITY, digest, products, origin),
    }
    for name, card in content.items():
        path = folder / name
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
            continue
        if isinstance(card, str):
            with new_file(path) as temporary:
                temporary.write_text(card, encoding="utf-8")
        else:
            write_json(path, card)


def _made(views: Sequence[str]) -> str:
    seeds = format_numbers(map(int, views))
    return f"{MARK} makes the same bytes again, from the configuration in {IDENTITY} and with --seeds={seeds}."


def _products(recipe: Recipe, view: Path) -> Iterator[dict[str, Any]]:
    """Describe each product of a view, as one view has it."""
    for name, source in recipe.sources.items():
        product = ProductDataset(view / name)
        features = product.features
        yield {
            "product": name,
            "made from": source,
            "bands": features.nbands,
            "width": features.width,
            "height": features.height,
            "frames": len(product.steps),
            "clouds": SHADOWED if product.has_shadows else "yes" if product.has_clouds else "",
        }


def _readme(
    recipe: Recipe, views: Sequence[str], title: str, digest: str, products: Sequence[Mapping[str, Any]], origin: Origin
) -> str:
    head = {
        "pretty_name": title,
        "license": "other",
        "license_name": origin.licence_name,
        "task_categories": ["image-to-image", "image-segmentation"],
        "size_categories": ["n<1K" if len(views) < 1000 else "1K<n<10K" if len(views) < 10_000 else "10K<n<100K"],
        "tags": ["satellite", "land-cover", "time-series", origin.kind, "croissant"],
    }
    table = markdown_table([*products[0]], [[*map(str, product.values())] for product in products])
    series = sorted({file.name for generation in recipe.generations.values() for file in generation.ts.files})
    read = f"- Time series: {', '.join(series)}.\n" if series else ""
    about = f"""
{len(views)} views. Each shows {origin.how}

{table}

A view is a folder named by its seed, and holds a folder for each product. There, `{INDEX}` says which files there are:
`frames`, reflectance (height, width, bands); `annotations`, parcel and class (height, width, 2), 0 for background;
`clouds`, opacity (height, width); `shadows`, the share of light that these take (height, width). Each is an HDF5 file
with one dataset, `{DATASET}`.

- {_made(views)} The digest of all that is `{digest}`.
{read}- Licence: {origin.licence}
- Which views train and test is a matter of experiments: none is set apart here.
"""
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n# {title}\n{about}"


def _croissant(
    views: Sequence[str],
    title: str,
    identity: Path,
    digest: str,
    products: Sequence[Mapping[str, Any]],
    origin: Origin,
) -> dict[str, Any]:
    file = {
        "@type": "cr:FileObject",
        "@id": identity.name,
        "name": identity.name,
        "description": "What determines the bytes of all views beside their seeds.",
        "contentUrl": identity.name,
        "encodingFormat": "application/json",
        "sha256": digest_file(identity),
    }
    files = [_files(product, kind) for product in products for kind in SCHEMAS if _has(product, kind)]
    return {
        "@context": json.loads(CONTEXT.read_text(encoding="utf-8")),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"{origin.kind}-satellite-image-series-{digest}",
        "alternateName": title,
        "description": f"{len(views)} views of scenes through {len(products)} sensors. {_made(views)}",
        "license": origin.licence,
        "version": "1.0.0",
        "identifier": digest,
        "keywords": ["satellite", "land cover", "time series", origin.kind],
        "isLiveDataset": False,
        "distribution": [file, *files],
    }


def _has(product: Mapping[str, Any], kind: str) -> bool:
    return {"cloud": product["clouds"] != "", "shadow": product["clouds"] == SHADOWED}.get(kind, True)


def _files(product: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Describe the files of one kind of a product."""
    schema, folder = SCHEMAS[kind], f"{product['product']}/{SCHEMAS[kind].folder}"
    shape = (product["height"], product["width"], *(size or product["bands"] for size in schema.shape[2:]))
    return {
        "@type": "cr:FileSet",
        "@id": folder,
        "name": folder,
        "description": f"VIEW/{folder}/{kind}_STEP.h5: {schema.values}, {np.dtype(schema.dtype)} {shape}",
        "encodingFormat": "application/x-hdf5",
        "includes": f"*/{folder}/{kind}_*.h5",
    }
