"""Time the fit of the reference classifier against scikit-learn's solver `sag` at the same tolerance.

600 000 pixel series of 30 steps and 3 bands, made up like those of a data set: each class has its own curves, each
parcel deviates from them, and each pixel adds a texture that doesn't change with time. The fits run on one core and
alternate; times are medians. Accuracies are those on pixels of other parcels. Prints a Markdown table.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, in_turn, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Series, Labels = NDArray[np.float32], NDArray[np.int64]  # (n, horizon, bands) in network scale, (n,)

HORIZON, NBANDS = 30, 3
PARCELS, VALIDATION_SHARE = 2800, 12  # 175 views of 16 parcels; one validation series for each dozen to train with
DEVIATION = 0.2  # of parcels from their class, in reflectance: classes overlap, as they do under a real sensor
C, TOL = 10.0, 1e-4


def build_parser() -> Parser:
    parser = benchmark_parser(__doc__, runs=3)
    parser.add_argument("--size", type=int, default=600_000, metavar="N", help="pixel series (default: %(default)s)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        rows = (row for nclasses in (2, 4) for row in measure(nclasses, arguments.size, arguments.runs))
        print_table(("classes", "fit", "time", "sag / time", "validation accuracy"), rows)


def measure(nclasses: int, size: int, runs: int) -> Iterator[list[str]]:
    training = make_pixels(nclasses, size, seed=1)
    validation, labels = make_pixels(nclasses, size // VALIDATION_SHARE, seed=2)
    sag = "scikit-learn, sag"
    fits = {sag: partial(fit_sklearn, *training)}
    fits |= {f"the project's, chunks: {number}": partial(fit_ours, *training, number) for number in (1, 10)}
    results = in_turn(runs, {name: partial(timed, fit) for name, fit in fits.items()})
    times = {name: median(seconds for seconds, _ in done) for name, done in results.items()}
    for name, (*_, (_, predict)) in results.items():
        accuracy = (predict(validation) == labels).mean()
        yield [str(nclasses), name, f"{times[name]:.2f} s", f"{times[sag] / times[name]:.1f}", f"{accuracy:.4f}"]


def timed(fit: "Callable[[], Callable[[Series], Labels]]") -> "tuple[float, Callable[[Series], Labels]]":
    began = time.perf_counter()
    predict = fit()
    return time.perf_counter() - began, predict


def make_pixels(nclasses: int, count: int, *, seed: int) -> "tuple[Series, Labels]":
    """Make up pixel series and their classes; all seeds share the curves of the classes."""
    import numpy as np

    rng = np.random.default_rng(seed)
    classes = 0.5 + 0.1 * curves(nclasses, rng=np.random.default_rng(0))
    parcel_class = rng.integers(nclasses, size=PARCELS)
    parcels = classes[parcel_class] + DEVIATION * curves(PARCELS, rng=rng)
    parcels += 0.02 * rng.standard_normal(parcels.shape)
    parcel = rng.integers(PARCELS, size=count)
    texture = 0.5 * np.tanh(rng.standard_normal((count, 1, NBANDS)))
    return ((parcels[parcel] + texture) * 2 - 1).astype(np.float32), parcel_class[parcel] + 1


def curves(count: int, *, rng: "np.random.Generator") -> "NDArray[np.float64]":
    """Draw smooth random curves `(count, horizon, bands)`: sums of five waves, the faster the weaker."""
    import numpy as np

    wave = np.arange(1, 6)[:, None, None]
    angle = np.linspace(0, 2 * np.pi, HORIZON)[:, None]
    height, phase = rng.standard_normal((count, 5, 1, NBANDS)), rng.uniform(0, 2 * np.pi, (count, 5, 1, NBANDS))
    return (height / wave * np.sin(wave * angle + phase)).sum(axis=1)


def fit_sklearn(series: "Series", labels: "Labels") -> "Callable[[Series], Labels]":
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, tol=TOL, solver="sag", max_iter=1000, random_state=0)
    model.fit(series.reshape(len(series), -1), labels)
    return lambda series: model.predict(series.reshape(len(series), -1))


def fit_ours(series: "Series", labels: "Labels", nchunks: int) -> "Callable[[Series], Labels]":
    import numpy as np

    from src.rsgan.evaluation.classifiers import CLASSIFIERS

    pieces = [np.array_split(array, nchunks) for array in (series, labels)]
    settings = CLASSIFIERS.entries["logistic_regression"](l2_weight=C, tol=TOL, n_chunks=nchunks)
    return settings.fit(lambda: zip(*pieces, strict=True)).predict


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
