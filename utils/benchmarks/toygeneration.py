"""Time generation and derivation against the time that reading and writing the same files through h5py takes.

The published view runs in one process kept on one core. Every figure is the median of several runs, and runs of code
and floor alternate, with pauses, so that a busy machine or one short of memory slows both. Prints a Markdown table.
"""

import argparse
import contextlib
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.benchmarks.timing import alternate  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIG = ROOT / "src/toygeneration/config"
VIEW_SEED = 17
BASIC_MOTIONS = {"path": ["sktime:BasicMotions"], "ndim": 3, "nclass": 2}
MEGABYTE = 2**20
PAUSE = 2  # seconds; memory just freed is handed out again at once, which favours whoever writes first
Row = tuple[str, float, float, str]


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each (default: %(default)s)")
    parser.add_argument("--skip-large", action="store_true", help="leave out the large scene")
    parser.add_argument("--memory-of", choices=("generation", "derivation"), help=argparse.SUPPRESS)
    parser.add_argument("--horizon", type=int, default=15, help=argparse.SUPPRESS)
    parser.add_argument("--o", type=Path, metavar="DIR", help="folder for temporary files (default: the system's)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Measure."""
    from src.toygeneration.run import deterministic

    with tempfile.TemporaryDirectory(dir=arguments.o) as folder, deterministic():
        if arguments.memory_of:
            print(measure_memory(Path(folder), arguments.memory_of, arguments.horizon))
            return
        with one_core():
            rows = [*published_view(Path(folder), arguments.runs)]
        rows += two_workers(Path(folder), arguments.runs)
        if not arguments.skip_large:
            rows += large_scene(Path(folder), arguments.runs)
    print("| what | time | floor | ratio | note |\n|---|---|---|---|---|")
    for name, seconds, floor, note in rows:
        print(f"| {name} | {seconds:.3f} s | {floor:.3f} s | {seconds / floor:.2f} | {note} |")


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def generation_config(name: str, dims: list[int], **scene: Any) -> Any:  # noqa: ANN401 - any key of the scene
    """Load a generation file with time series that need no download."""
    from src.toygeneration.configuration import GenerationConfig
    from utils import config

    content = config.load(CONFIG / name)
    content["ts"] = BASIC_MOTIONS | {"dims": dims}
    content["product"].update(scene)
    return config.validate(GenerationConfig, content, name)


def derivation_config(name: str, **changes: Any) -> Any:  # noqa: ANN401 - any key of the file
    """Load a derivation file."""
    from src.toygeneration.configuration import DerivationConfig
    from utils import config

    return config.validate(DerivationConfig, config.load(CONFIG / name) | changes, name)


def view_configs() -> tuple[Any, Any, dict[str, tuple[str, Any]]]:
    """Configurations of a cloud-removal view: latent optical, latent SAR, and source and file of the derived ones."""
    task = "cloud_removal"
    optical = generation_config(f"{task}/optical/generation_latent_optical.yaml", [0, 1, 2])
    sar = generation_config(f"{task}/sar/generation_latent_sar.yaml", [3, 4, 5])
    return (
        optical,
        sar,
        {
            "clean_optical": ("latent_optical", derivation_config(f"{task}/optical/derivation_clean_optical.yaml")),
            "clouded_optical": ("clean_optical", derivation_config(f"{task}/optical/derivation_clouded_optical.yaml")),
            "sar": ("latent_sar", derivation_config(f"{task}/sar/derivation_sar.yaml")),
        },
    )


def published_view(folder: Path, runs: int) -> Iterator[Row]:
    """Two latent and three derived products at published scale, everything written."""
    from src.toygeneration.derivation import DerivedProduct
    from src.toygeneration.export import ProductDataset, export
    from src.toygeneration.run import Generator

    optical, sar, derived = view_configs()
    optical, sar = Generator(optical), Generator(sar)
    view = folder / "view"

    def make() -> None:
        export({view / "latent_optical": optical(VIEW_SEED)})
        export({view / "latent_sar": sar(VIEW_SEED)})
        for name, (source, config) in derived.items():
            export({view / name: DerivedProduct(config, ProductDataset(view / source), config.seed)})

    def stream() -> None:
        clean = DerivedProduct(derived["clean_optical"][1], optical(VIEW_SEED), 73)
        clouded = DerivedProduct(derived["clouded_optical"][1], clean, 73)
        export({view / "clean_optical": clean, view / "clouded_optical": clouded})
        export({view / "sar": DerivedProduct(derived["sar"][1], sar(VIEW_SEED), 73)})

    make()
    everything = load(view.iterdir())
    only_derived = {name: array for name, array in everything.items() if "latent" not in name}
    again = folder / "again"
    seconds = alternate(
        runs,
        view,
        again,
        pause=PAUSE,
        make=make,
        make_floor=lambda: write(again, everything),
        stream=stream,
        stream_floor=lambda: write(again, only_derived),
    )
    size = f"{sum(a.nbytes for a in everything.values()) / MEGABYTE:.0f} MiB in {len(everything)} files"
    yield "published view, all five products written", seconds["make"], seconds["make_floor"], size
    size = f"{sum(a.nbytes for a in only_derived.values()) / MEGABYTE:.0f} MiB in {len(only_derived)} files"
    yield "published view, latent products in memory", seconds["stream"], seconds["stream_floor"], size


def load(products: Iterator[Path]) -> "dict[str, NDArray[np.generic]]":
    """Read all files of some products into memory, by relative name."""
    import h5py

    files = [(product, file) for product in products for file in sorted(product.glob("*/*.h5"))]
    return {f"{product.name}/{file.parent.name}/{file.name}": h5py.File(file)["data"][()] for product, file in files}


def write(folder: Path, arrays: "dict[str, NDArray[np.generic]]") -> None:
    """Merely write files through h5py."""
    import h5py

    for name, array in arrays.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(file, "w") as stream:
            stream.create_dataset("data", data=array)


def read(folder: Path, kinds: tuple[str, ...] = ("frames", "annotations")) -> None:
    """Merely read files through h5py."""
    import h5py

    for kind in kinds:
        for file in (folder / kind).iterdir():
            with h5py.File(file) as stream:
                stream["data"][()]


def two_workers(folder: Path, runs: int) -> Iterator[Row]:
    """A data set of views with one worker and with two; the floor is half the time of one."""
    from src.toygeneration.task import Task
    from src.toygeneration.views import build_views

    views = 16
    optical, sar, derived = view_configs()
    derivations = {name: config for name, (_, config) in derived.items()}
    task = Task.from_configurations({"latent_optical": optical, "latent_sar": sar}, derivations, "benchmark")

    def build(jobs: int) -> None:
        if build_views(task, folder / "set", range(views), njobs=jobs):
            raise RuntimeError("a view failed")

    seconds = alternate(runs, folder / "set", pause=PAUSE, one=lambda: build(1), two=lambda: build(2))
    gain = f"{seconds['one'] / seconds['two']:.2f} times as fast as one worker ({seconds['one']:.2f} s)"
    yield f"{views} views, two workers", seconds["two"], seconds["one"] / 2, gain


def large_scene(folder: Path, runs: int) -> Iterator[Row]:
    """A 2689 x 2048 scene of 128 parcels and 15 steps, and its derivation to 256 x 256 with clouds and PSF."""
    from src.toygeneration.derivation import DerivedProduct
    from src.toygeneration.export import ProductDataset, export
    from src.toygeneration.run import Generator

    generator, derivation = large_configs(15)
    generator = Generator(generator)
    latent, derived, again = folder / "latent", folder / "derived", folder / "again"

    def generate() -> None:
        export({folder / "new": generator(VIEW_SEED)})

    def generate_floor() -> None:
        write_same(again, sample, range(15))

    def derive() -> None:
        export({derived: DerivedProduct(derivation, ProductDataset(latent), 73)})

    def derive_floor() -> None:
        read(latent)
        write_same(again, small, range(15))

    export({latent: generator(VIEW_SEED)})
    derive()
    sample, small = ProductDataset(latent).read(0), ProductDataset(derived).read(0)
    seconds = alternate(
        min(runs, 3),
        folder / "new",
        derived,
        again,
        pause=PAUSE,
        generate=generate,
        generate_floor=generate_floor,
        derive=derive,
        derive_floor=derive_floor,
    )
    for name in ("generation", "derivation"):
        peaks = {horizon: peak_memory(folder, name, horizon) for horizon in (15, 45)}
        chain = "with its scene in memory, " if name == "derivation" else ""
        note = chain + ", ".join(f"{peak:.0f} MiB peak at {horizon} steps" for horizon, peak in peaks.items())
        verb = {"generation": "generate", "derivation": "derive"}[name]
        yield f"large scene, {name}", seconds[verb], seconds[f"{verb}_floor"], note


def large_configs(horizon: int) -> tuple[Any, Any]:
    """Configurations of the large scene."""
    scene = generation_config("templates/generation_large_scene.yaml", [0, 1, 2], horizon=horizon)
    clouds = {"temporal_res": 1}
    return scene, derivation_config("templates/derivation_low_resolution.yaml", **clouds)


def write_same(folder: Path, sample: "dict[str, NDArray[np.generic]]", steps: range) -> None:
    """Write one sample's arrays once for each step."""
    write(folder, {f"{kind}/{step}.h5": array for step in steps for kind, array in sample.items()})


def peak_memory(folder: Path, what: str, horizon: int) -> float:
    """Measure in a process of its own, in MiB."""
    command = [sys.executable, __file__, f"--memory-of={what}", f"--horizon={horizon}", f"--o={folder}"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_memory(folder: Path, what: str, horizon: int) -> float:
    """Make a large product in this process, and say how much memory it took at most, in MiB."""
    from src.toygeneration.derivation import DerivedProduct
    from src.toygeneration.export import export
    from src.toygeneration.run import Generator

    generator, derivation = large_configs(horizon)
    product = Generator(generator)(VIEW_SEED)
    if what == "derivation":
        product = DerivedProduct(derivation, product, 73)
    export({folder / "product": product})
    status = Path("/proc/self/status")
    if status.exists():  # not getrusage's figure, which a child inherits from its parent on Linux
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
