"""Time the import of a scene in tiles against the time that reading and writing the same bytes takes.

Made-up GeoTIFFs of a scene, one for each date, 16 bits a value, in pieces of 512 x 512 pixels. The floor reads them
through rasterio, and writes frames and annotations of all tiles through h5py. Both run in turn, each time in a process
of its own whose output is removed before the next one starts; times are medians. Prints a Markdown table.
"""

import argparse
import dataclasses
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, in_turn, peak_memory, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

PIECE = 512
SCALE = 1e-4


def build_parser() -> Parser:
    parser = benchmark_parser(__doc__, runs=3, writes=True)
    for name, value, words in (
        ("size", 2048, "side of the scene, pixels"),
        ("bands", 4, "bands"),
        ("dates", 12, "dates"),
        ("tile", 64, "side of the tiles, pixels"),
    ):
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N", help=f"{words} (default: %(default)s)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from utils.memory import human

    shape = arguments.size, arguments.bands, arguments.dates
    with tempfile.TemporaryDirectory(dir=arguments.o) as name:
        folder = Path(name)
        made = folder / "made"
        make_images(folder / "images", *shape)
        actions = {
            "import": partial(import_images, folder, arguments.tile, made),
            "floor": partial(read_and_write, folder / "images", *shape, arguments.tile, made),
        }
        measured = in_turn(arguments.runs, {name: partial(apart, action, made) for name, action in actions.items()})
    seconds = {name: median(taken for taken, _ in runs) for name, runs in measured.items()}
    peak = max(peak for _, peak in measured["import"])
    size, bands, dates = shape
    written = (size // arguments.tile * arguments.tile) ** 2 * dates * (4 * bands + 4)
    what = f"{size} x {size} pixels, {bands} bands, {dates} dates, tiles of {arguments.tile}"
    times = [f"{seconds[name]:.1f} s" for name in actions]
    row = [what, *times, f"{seconds['import'] / seconds['floor']:.2f}", f"{peak:.0f} MiB", human(written)]
    print_table(("scene", "import", "floor", "ratio", "peak memory", "written"), [row])


def make_images(folder: Path, size: int, bands: int, dates: int) -> None:
    """Write images of counts up to 10 000, and a raster of classes, in fields of 32 x 32 pixels."""
    import numpy as np
    import rasterio

    folder.mkdir()
    profile = {
        "driver": "GTiff",
        "height": size,
        "width": size,
        "tiled": True,
        "blockxsize": PIECE,
        "blockysize": PIECE,
    }
    profile |= {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 500000, 0, -10, 4000000)}
    rng = np.random.default_rng(0)
    for date in range(dates):
        with rasterio.open(folder / f"2023{date + 1:02d}01.tif", "w", count=bands, dtype="uint16", **profile) as made:
            for _, window in made.block_windows():
                made.write(rng.integers(1, 10000, (bands, window.height, window.width), np.uint16), window=window)
    with rasterio.open(folder.parent / "labels.tif", "w", count=1, dtype="uint8", **profile) as made:
        for (row, column), window in made.block_windows():
            field = np.add.outer(np.arange(window.height) // 32, np.arange(window.width) // 32)
            made.write(((field + row + column) % 4 + 1).astype(np.uint8), 1, window=window)


def import_images(folder: Path, tile: int, output: Path) -> None:
    from src.toygeneration.exchange.importing import Images, import_tiles
    from src.toygeneration.exchange.settings import ImportConfig

    scene = ImportConfig(pattern="{date}.tif", scale=SCALE)
    images = Images.open(folder / "images", scene, folder / "labels.tif", None)
    blocks = {"tile": tile, "block": max(images.scene.height // tile // 4, 1)}  # four in either direction
    images = dataclasses.replace(images, settings=scene.model_copy(update=blocks))
    import_tiles(images, output, overwrite=False, on_tile=lambda: None)


def read_and_write(folder: Path, size: int, bands: int, dates: int, tile: int, output: Path) -> None:
    import numpy as np
    import rasterio

    from utils.benchmarks.toygeneration import write

    for file in sorted(folder.glob("*.tif")):
        with rasterio.open(file) as dataset:
            for _, window in dataset.block_windows():
                dataset.read(window=window)
    frame, annotation = np.ones((tile, tile, bands), np.float32), np.ones((tile, tile, 2), np.int16)
    for number in range((size // tile) ** 2):
        arrays = {f"frames/{step}.h5": frame for step in range(dates)}
        write(output / str(number), arrays | {f"annotations/{step}.h5": annotation for step in range(dates)})


def apart(action: Callable[[], object], output: Path) -> tuple[float, float]:
    """Run something in a process of its own: seconds, once libraries are loaded, and peak memory in MiB."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(measure, action).result()
        finally:
            shutil.rmtree(output, ignore_errors=True)


def measure(action: Callable[[], object]) -> tuple[float, float]:
    import rasterio  # noqa: F401

    import src.toygeneration.exchange.importing  # noqa: F401

    began = time.perf_counter()
    action()
    return time.perf_counter() - began, peak_memory()


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
