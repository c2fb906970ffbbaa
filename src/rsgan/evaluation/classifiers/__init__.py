"""Reference classifiers of land cover, one file each, chosen by name in a configuration: pixel series to class."""

import platform
from abc import abstractmethod
from dataclasses import dataclass
from importlib.metadata import version
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from threadpoolctl import threadpool_limits

from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey, check_series, survey
from utils.identity import Identity
from utils.registry import Configured, Registry
from utils.seeding import Streams

DEFAULT = "logistic_regression"
LIBRARIES = ("numpy", "scikit-learn", "scipy", "sktime")
BATCH = 8192  # series classified at a time
UNKNOWN = Identity({})
Model = dict[str, NDArray[np.number]]


class ReferenceClassifier(Configured):
    """The `reference_classifier` section of an experiment: how pixel series are classified into land cover.

    Published files list the keys of this class whichever classifier they name, so all classifiers have them all.

    Attributes:
        l2_weight: C, the *inverse* strength of logistic regression's L2 penalty (the published key, despite its
            name): the larger, the weaker.
        tol: at which logistic regression has converged.
        n_chunks: in which the caller delivers the series: the more, the less memory. What is learnt stays the same.
        train_set_size: number of pixel series that the caller delivers; all foreground pixels if None.
        seed: of the sampling of series and of everything random in a classifier.
        max_series: size of the sample that `learn` gets.
    """

    l2_weight: PositiveFloat = 10.0
    tol: PositiveFloat = 1e-4
    n_chunks: PositiveInt = 1
    train_set_size: PositiveInt | None = None
    seed: NonNegativeInt = 42
    max_series: ClassVar[int]

    def fit(self, chunks: Chunks, *, njobs: int = 1, identity: Identity = UNKNOWN) -> "FittedClassifier":
        """Learn from pixel series that need not fit into memory together.

        Fitted to the same series in the same order, a classifier is the same however they are cut into chunks; how many
        cores it uses changes nothing beyond rounding.

        Args:
            chunks: returns an iterator of `(X, y)`: X `(n, horizon, bands)`, float32, network scale [-1, 1]; y `(n,)`,
                whole numbers. It is called once for each pass and must deliver the same each time.

        Raises:
            DataError: If there are fewer than two classes, chunks differ in shape, or values are not finite.
        """
        found = survey(chunks, self.max_series, rng=Streams((self.seed,)).rng("sample"))
        with threadpool_limits(njobs):
            model = self.learn(chunks, found, njobs=njobs)
        versions = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
        return FittedClassifier(self, found.horizon, found.nbands, found.classes, identity, versions, model)

    @abstractmethod
    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        """Learn from what `fit` gets, of which `data` holds a uniform sample of at most `max_series` series.

        Returns:
            What `decide` needs: arrays of finite numbers, by name.
        """

    @abstractmethod
    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        """Make sure that `decide` can work with a model, whatever file it is from.

        Raises:
            ValueError | LookupError | TypeError: If it cannot.
        """

    @abstractmethod
    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        """Classify series `(n, horizon, bands)`, n at least 1: `(n,)`, positions in `classes`."""

    def _library_seed(self) -> int:
        """Draw a seed for libraries that take no generator."""
        return int(Streams((self.seed,)).rng("fit").integers(2**31 - 1))


@dataclass(frozen=True, eq=False)
class FittedClassifier:
    """A reference classifier that has learnt from series of some horizon and number of bands."""

    settings: ReferenceClassifier
    horizon: int
    nbands: int
    classes: NDArray[np.int64]  # (K,), the labels that it was fitted with, sorted; it predicts these
    identity: Identity
    versions: dict[str, str]  # of the libraries that it was fitted with
    model: Model
    validation_jaccard: float | None = None  # its Jaccard index on real series of validation views, if known
    on_validation: "FittedClassifier | None" = None  # the same settings, fitted to these series, if known
    real_maps: NDArray[np.integer] | None = None  # (V, H, W), of the real series of V test views, if known

    @property
    def nclasses(self) -> int:
        """The largest label: confusion matrices have a row and a column for each number up to it."""
        return int(self.classes.max())

    def predict(self, series: Series, *, njobs: int = 1) -> NDArray[np.int64]:
        """Classify pixel series `(n, horizon, bands)` in network scale: `(n,)`, labels from `classes`.

        Raises:
            DataError: If they have another horizon or number of bands, or values that are not finite.
        """
        check_series(series, (self.horizon, self.nbands))
        indices = np.empty(len(series), dtype=np.int64)
        with threadpool_limits(njobs):
            for start in range(0, len(series), BATCH):
                batch = np.asarray(series[start : start + BATCH], dtype=np.float32)
                indices[start : start + BATCH] = self.settings.decide(self.model, batch, njobs=njobs)
        return self.classes[indices]


CLASSIFIERS = Registry(__name__, lenient=True, default=DEFAULT)


def highest(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Choose classes `(n,)` by their scores `(n, K)`; one column is positive for the second of two classes."""
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)
