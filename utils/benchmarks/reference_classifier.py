"""Time the fit of the reference classifier against scikit-learn's solver `sag` at the same tolerance.

600 000 pixel series of 30 steps and 3 bands, made up like those of a data set: each class has its own curves, each
parcel deviates from them, and each pixel adds a texture that doesn't change with time. The fits run on one core and
alternate; times are medians. Accuracies are those on pixels of other parcels. Prints a Markdown table.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, in_turn, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HORIZON, NBANDS = 30, 3
PARCELS, VALIDATION_SHARE = 2800, 12  # 175 views of 16 parcels; one validation series for each dozen to train with
DEVIATION = 0.2  # of parcels from their class, in reflectance: classes overlap, as they do under a real sensor
C, TOL, MAX_ITER = 10.0, 1e-4, 1000
NCLASSES = (2, 4)


class Pixels(NamedTuple):
    """Pixel series `(n, horizon, bands)` and their classes `(n,)`."""

    series: "NDArray[np.float32]"
    labels: "NDArray[np.int64]"


class Fit(NamedTuple):
    """Seconds that a fit took, what it predicts for pixel series, and a remark."""

    seconds: float
    predict: "Callable[[NDArray[np.float32]], NDArray[np.int64]]"
    note: str


def build_parser() -> Parser:
    parser = benchmark_parser(__doc__, runs=3)
    parser.add_argument("--size", type=int, default=600_000, metavar="N", help="pixel series (default: %(default)s)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        rows = (row for nclasses in NCLASSES for row in measure(nclasses, arguments.size, arguments.runs))
        print_table(("classes", "fit", "time", "sag / time", "validation accuracy", "note"), rows)


def measure(nclasses: int, size: int, runs: int) -> Iterator[list[str]]:
    """Fit to the same series in all ways, and describe each in a row of the table."""
    training = make_pixels(nclasses, size, seed=1)
    validation = make_pixels(nclasses, size // VALIDATION_SHARE, seed=2)
    fits = {
        "scikit-learn, sag": partial(fit_sklearn, training),
        "ours, 1 chunk": partial(fit_ours, training, 1),
        "ours, 10 chunks": partial(fit_ours, training, 10),
    }
    results = in_turn(runs, fits)
    times = {name: median(fit.seconds for fit in done) for name, done in results.items()}
    for name, (*_, last) in results.items():
        accuracy = (last.predict(validation.series) == validation.labels).mean()
        ratio = times["scikit-learn, sag"] / times[name]
        yield [str(nclasses), name, f"{times[name]:.2f} s", f"{ratio:.1f}", f"{accuracy:.4f}", last.note]


def make_pixels(nclasses: int, count: int, *, seed: int) -> Pixels:
    """Make up pixel series in network scale; all seeds share the curves of the classes."""
    import numpy as np

    rng = np.random.default_rng(seed)
    classes = 0.5 + 0.1 * curves(nclasses, rng=np.random.default_rng(0))
    parcel_class = rng.integers(nclasses, size=PARCELS)
    parcels = classes[parcel_class] + DEVIATION * curves(PARCELS, rng=rng)
    parcels += 0.02 * rng.standard_normal(parcels.shape)
    parcel = rng.integers(PARCELS, size=count)
    texture = 0.5 * np.tanh(rng.standard_normal((count, 1, NBANDS)))
    return Pixels(((parcels[parcel] + texture) * 2 - 1).astype(np.float32), parcel_class[parcel] + 1)


def curves(count: int, *, rng: "np.random.Generator") -> "NDArray[np.float64]":
    """Draw smooth random curves `(count, horizon, bands)`: sums of five waves, the faster the weaker."""
    import numpy as np

    wave = np.arange(1, 6)[:, None, None]
    time_ = np.linspace(0, 2 * np.pi, HORIZON)[:, None]
    height, phase = rng.standard_normal((count, 5, 1, NBANDS)), rng.uniform(0, 2 * np.pi, (count, 5, 1, NBANDS))
    return (height / wave * np.sin(wave * time_ + phase)).sum(axis=1)


def fit_sklearn(training: Pixels) -> Fit:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, tol=TOL, solver="sag", max_iter=MAX_ITER, random_state=0)
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        model.fit(training.series.reshape(len(training.series), -1), training.labels)
    seconds = time.perf_counter() - began
    kinds = sorted({warning.category.__name__ for warning in warned})
    note = ", ".join([f"{model.n_iter_[0]} iterations", *kinds])
    return Fit(seconds, lambda series: model.predict(series.reshape(len(series), -1)), note)


def fit_ours(training: Pixels, nchunks: int) -> Fit:
    import numpy as np

    from src.rsgan.evaluation.classifiers import CLASSIFIERS

    passes = 0
    pieces = [np.array_split(array, nchunks) for array in training]

    def chunks() -> "Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]":
        nonlocal passes
        passes += 1
        yield from zip(*pieces, strict=True)

    settings = CLASSIFIERS.entries["logistic_regression"](l2_weight=C, tol=TOL, n_chunks=nchunks)
    began = time.perf_counter()
    fitted = settings.fit(chunks)
    return Fit(time.perf_counter() - began, fitted.predict, f"{passes} passes over the data")


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
