"""Time generation and derivation against the time that reading and writing the same files through h5py takes.

The published view runs in one process kept on one core. Every figure is the median of several runs, and runs of code
and floor alternate, with pauses, so that a busy machine or one short of memory slows both. Prints a Markdown table.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, median_seconds, peak_memory, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src.toygeneration.config_files import DerivationConfig
    from src.toygeneration.dataset.recipe import Recipe
    from src.toygeneration.product import Product

    Arrays = dict[str, NDArray[np.generic]]

CONFIG = ROOT / "src/toygeneration/config"
SERIES = CONFIG / "shipped_series.yaml"
SEED, VIEWS = 17, 16
HORIZONS = (15, 45)  # of the large scene; times are of the shorter
PAUSE = 2  # seconds; memory just freed is handed out again at once, which favours whoever writes first


def build_parser() -> Parser:
    parser = benchmark_parser(__doc__, runs=5, writes=True)
    parser.add_argument("--skip-large", action="store_true", help="leave out the large scene")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from utils.environment import deterministic

    with tempfile.TemporaryDirectory(dir=arguments.o) as folder, deterministic():
        print_table(("what", "time", "floor", "ratio", "note"), measure(Path(folder), arguments))


def measure(folder: Path, arguments: argparse.Namespace) -> Iterator[list[str]]:
    from src.toygeneration.dataset.recipe import Recipe

    recipe, cores = Recipe.load(CONFIG / "cloud_removal", SERIES), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    yield from published_view(folder, recipe, arguments.runs)
    yield moving_clouds(folder, recipe, arguments.runs)
    os.sched_setaffinity(0, cores)
    yield two_workers(folder, recipe, arguments.runs)
    if not arguments.skip_large:
        yield from large_scene(folder, min(arguments.runs, 3))


def row(name: str, seconds: float, floor: float, note: str) -> list[str]:
    return [name, f"{seconds:.3f} s", f"{floor:.3f} s", f"{seconds / floor:.2f}", note]


def published_view(folder: Path, recipe: "Recipe", runs: int) -> Iterator[list[str]]:
    """Two latent and three derived products at published scale; all written, or the derived ones."""
    from src.toygeneration.derivation import DerivedProduct
    from src.toygeneration.export import ProductDataset, export

    view, again = folder / "view", folder / "again"

    def make_all() -> None:
        for name, product in recipe.products(SEED, [*recipe.generations]).items():
            export({view / name: product})
        for name, config in recipe.derivations.items():
            source = ProductDataset(view / recipe.sources[name])
            export({view / name: DerivedProduct(config, source, config.seed)})

    def make_derived() -> None:
        export({view / name: product for name, product in recipe.products(SEED, [*recipe.derivations]).items()})

    for title, make in (("all five products written", make_all), ("latent products in memory", make_derived)):
        make()
        arrays = files_of(*view.iterdir())
        actions = {"made": make, "floor": partial(write, again, arrays)}
        seconds = median_seconds(runs, actions, outputs=(view, again), pause=PAUSE)
        size = f"{sum(array.nbytes for array in arrays.values()) / 2**20:.0f} MiB in {len(arrays)} files"
        yield row(f"published view, {title}", seconds["made"], seconds["floor"], size)


def moving_clouds(folder: Path, recipe: "Recipe", runs: int) -> list[str]:
    """The derived products of a published view, under clouds that move and cast shadows, and under still ones."""
    from src.toygeneration.config_files import DerivationConfig
    from src.toygeneration.export import export
    from utils.config import load

    weather = DerivationConfig.model_validate(load(CONFIG / "base/moving_clouds.yaml")).corruption
    clouded = recipe.derivations["clouded_optical"].model_copy(update={"corruption": weather})
    moving = recipe.model_copy(update={"derivations": recipe.derivations | {"clouded_optical": clouded}})

    def make(name: str, recipe: "Recipe") -> None:
        products = recipe.products(SEED, [*recipe.derivations])
        export({folder / name / product: made for product, made in products.items()})

    names = {"still": recipe, "moving": moving}
    for name, kind in names.items():
        make(name, kind)
    arrays, again = files_of(*(folder / "moving").iterdir()), folder / "written again"
    actions = {name: partial(make, name, kind) for name, kind in names.items()}
    actions["floor"] = partial(write, again, arrays)
    seconds = median_seconds(runs, actions, outputs=(*(folder / name for name in names), again), pause=PAUSE)
    times = f"{seconds['moving'] / seconds['still']:.2f} times as long as with still clouds ({seconds['still']:.3f} s)"
    return row("published view, moving clouds with shadows", seconds["moving"], seconds["floor"], times)


def files_of(*products: Path) -> "Arrays":
    """What such products' files hold, by name; a product's first step stands in for all."""
    from src.toygeneration.export import ProductDataset

    arrays = {}
    for product in map(ProductDataset, products):
        for kind, array in product.read(0).items():
            arrays |= {f"{product.root.name}/{kind}/{step}.h5": array for step in product.steps}
    return arrays


def write(folder: Path, arrays: "Arrays") -> None:
    import h5py

    for name, array in arrays.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(file, "w") as stream:
            stream.create_dataset("data", data=array)


def read(folder: Path) -> None:
    import h5py

    for file in folder.glob("*/*.h5"):
        with h5py.File(file) as stream:
            stream["data"][()]


def two_workers(folder: Path, recipe: "Recipe", runs: int) -> list[str]:
    """A data set of views with one worker and with two; the floor is half the time of one."""
    from src.toygeneration.dataset.views import build_views

    def build(jobs: int) -> None:
        if build_views(recipe, folder / "set", range(VIEWS), njobs=jobs):
            raise RuntimeError("a view failed")

    actions = {"one": partial(build, 1), "two": partial(build, 2)}
    seconds = median_seconds(runs, actions, outputs=[folder / "set"], pause=PAUSE)
    gain = f"{seconds['one'] / seconds['two']:.2f} times as fast as one worker ({seconds['one']:.2f} s)"
    return row(f"{VIEWS} views, two workers", seconds["two"], seconds["one"] / 2, gain)


def large_scene(folder: Path, runs: int) -> Iterator[list[str]]:
    """A 2689 x 2048 scene of 128 parcels, and its derivation to 256 x 256 with clouds and PSF."""
    from src.toygeneration.derivation import DerivedProduct
    from src.toygeneration.export import ProductDataset, export

    latent, derived, again = (folder / name for name in ("latent", "derived", "again"))
    scene, sensor = large(HORIZONS[0])

    def derive() -> None:
        export({derived: DerivedProduct(sensor, ProductDataset(latent), sensor.seed)})

    def derive_floor() -> None:
        read(latent)
        write(again, small)

    export({latent: scene})
    derive()
    full, small = files_of(latent), files_of(derived)
    actions = {
        "generation": lambda: export({folder / "generated": large(HORIZONS[0])[0]}),
        "generation, floor": partial(write, again, full),
        "derivation": derive,
        "derivation, floor": derive_floor,
    }
    seconds = median_seconds(runs, actions, outputs=(folder / "generated", derived, again), pause=PAUSE)
    for name, chain in (("generation", ""), ("derivation", "with its scene in memory, ")):
        peaks = []
        for steps in HORIZONS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # a process of its own for each
                peak = pool.submit(peak_of, folder / f"{name} {steps}", name, steps).result()
            peaks.append(f"{peak:.0f} MiB peak at {steps} steps")
        yield row(f"large scene, {name}", seconds[name], seconds[f"{name}, floor"], chain + ", ".join(peaks))


def large(horizon: int) -> "tuple[Product, DerivationConfig]":
    """The large scene with so many steps, and its sensor with a frame at each of them."""
    from src.toygeneration.config_files import DerivationConfig, GenerationConfig
    from src.toygeneration.product import Product
    from utils.config import load, merge

    scene = merge(load([CONFIG / "templates/generation_large_scene.yaml", SERIES]), {"product": {"horizon": horizon}})
    sensor = load(CONFIG / "templates/derivation_low_resolution.yaml") | {"temporal_res": 1}
    config = GenerationConfig.model_validate(scene)
    return Product(config, config.ts.read(), SEED), DerivationConfig.model_validate(sensor)


def peak_of(output: Path, what: str, horizon: int) -> float:
    """Make a large product in this process, and say how much memory it took at most, in MiB."""
    from src.toygeneration.derivation import DerivedProduct
    from src.toygeneration.export import export
    from utils.environment import deterministic

    with deterministic():
        scene, sensor = large(horizon)
        export({output: scene if what == "generation" else DerivedProduct(sensor, scene, sensor.seed)})
    return peak_memory()


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
