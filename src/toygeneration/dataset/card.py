"""A data set's card: what it is, how it was made, and what is in its files, as hubs of data sets read it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from src.toygeneration.arrays import DATASET, SCHEMAS
from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.index import INDEX
from utils.files import digest_file, new_file
from utils.number_lists import format_numbers
from utils.tables import markdown_table, write_json

IDENTITY, README, CROISSANT = "identity.json", "README.md", "croissant.json"
MARK = "repro/toy-data/build_dataset.py"  # in all cards that are ours
LICENCE = (
    "The images are synthetic. The time series that animate them aren't: whoever publishes these says what may be done."
)
CONTEXT = Path(__file__).with_name("croissant_context.json")  # as version 1.0 of the specification has it


def write_card(folder: Path, recipe: Recipe, views: Sequence[str], digest: str) -> None:
    """Write both files of a card; equal data sets have equal cards. What isn't ours under their names stays.

    Args:
        views: names of the views that are whole.
        digest: of what they were made from, as `IDENTITY` in the folder has it.
    """
    title = f"Synthetic satellite image series: {', '.join(recipe.derivations)}"
    content = {
        README: _readme(recipe, views, title, digest),
        CROISSANT: _croissant(recipe, views, title, folder / IDENTITY, digest),
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


def _products(recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Describe each product of a view."""
    for name, derivation in recipe.derivations.items():
        chain = [name]
        while chain[-1] in recipe.sources:
            chain.append(recipe.sources[chain[-1]])
        scene, size = recipe.generations[chain[-1]].product, derivation.target_size
        sampling = [recipe.derivations[product].temporal_res for product in chain[:-1]]
        steps = [step for step in range(scene.horizon) if all(step % every == 0 for every in sampling)]
        yield {
            "product": name,
            "made from": chain[1],
            "bands": scene.nbands,
            "width": size.width,
            "height": size.height,
            "frames": len(steps),
            "clouds": "yes" if any(recipe.derivations[product].corruption for product in chain[:-1]) else "",
        }


def _readme(recipe: Recipe, views: Sequence[str], title: str, digest: str) -> str:
    head = {
        "pretty_name": title,
        "license": "other",
        "license_name": "that-of-the-time-series",
        "task_categories": ["image-to-image", "image-segmentation"],
        "size_categories": ["n<1K" if len(views) < 1000 else "1K<n<10K" if len(views) < 10_000 else "10K<n<100K"],
        "tags": ["satellite", "land-cover", "time-series", "synthetic", "croissant"],
    }
    products = list(_products(recipe))
    table = markdown_table([*products[0]], [[*map(str, product.values())] for product in products])
    series = sorted({file.name for generation in recipe.generations.values() for file in generation.ts.files})
    about = f"""
{len(views)} views. Each shows a scene of land parcels through several sensors at the same time steps: Voronoi cells,
animated by real time series and textured by a random process, then degraded as sensors and weather degrade images.
Everything about a scene is known: parcel and land cover of each pixel, and the opacity of clouds.

{table}

A view is a folder named by its seed, and holds a folder for each product. There, `{INDEX}` says which files there are:
`frames`, reflectance (height, width, bands); `annotations`, parcel and class (height, width, 2), 0 for background;
`clouds`, opacity (height, width). Each is an HDF5 file with one dataset, `{DATASET}`.

- {_made(views)} The digest of all that is `{digest}`.
- Time series: {", ".join(series)}.
- Licence: {LICENCE}
- Which views train and test is a matter of experiments: none is set apart here.
"""
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n# {title}\n{about}"


def _croissant(recipe: Recipe, views: Sequence[str], title: str, identity: Path, digest: str) -> dict[str, Any]:
    file = {
        "@type": "cr:FileObject",
        "@id": identity.name,
        "name": identity.name,
        "description": "What determines the bytes of all views beside their seeds.",
        "contentUrl": identity.name,
        "encodingFormat": "application/json",
        "sha256": digest_file(identity),
    }
    every = [(product, kind) for product in _products(recipe) for kind in SCHEMAS]
    files = [_files(product, kind) for product, kind in every if kind != "cloud" or product["clouds"]]
    return {
        "@context": json.loads(CONTEXT.read_text(encoding="utf-8")),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"synthetic-satellite-image-series-{digest}",
        "alternateName": title,
        "description": f"{len(views)} views of scenes through {len(recipe.derivations)} sensors. {_made(views)}",
        "license": LICENCE,
        "version": "1.0.0",
        "identifier": digest,
        "keywords": ["satellite", "land cover", "time series", "synthetic"],
        "isLiveDataset": False,
        "distribution": [file, *files],
    }


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
