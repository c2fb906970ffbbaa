"""Reference classifiers of land cover, one file each, chosen by name in a configuration: pixel series to class."""

import platform
from abc import abstractmethod
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, NonNegativeInt, PositiveFloat, PositiveInt
from threadpoolctl import threadpool_limits

from src.rsgan.evaluation.classifiers.archive import REMEDY, damaged, read, write
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey, check_series, survey
from utils.errors import DataError
from utils.registry import Configured, Registry
from utils.seeding import Streams

DEFAULT = "logistic_regression"
FORMAT_VERSION = 2
LIBRARIES = ("numpy", "scikit-learn", "scipy", "sktime")
BATCH = 8192  # series classified at a time
Model = dict[str, NDArray[np.number]]


class ReferenceClassifier(Configured):
    """The `reference_classifier` section of an experiment: how pixel series are classified into land cover.

    Published files list the keys of this class whichever classifier they name, so all classifiers have them all.

    Attributes:
        l2_weight: C, the *inverse* strength of logistic regression's L2 penalty (the published key, despite its
            name): the larger, the weaker. The others do without.
        tol: at which logistic regression has converged. The others do without.
        n_chunks: number of chunks in which the caller delivers the series: the more, the less memory. It changes
            nothing of what is learnt.
        train_set_size: number of pixel series that the caller delivers; all foreground pixels if None.
        seed: of the sampling of series and of everything random in a classifier.
    """

    l2_weight: PositiveFloat = 10.0
    tol: PositiveFloat = 1e-4
    n_chunks: PositiveInt = 1
    train_set_size: PositiveInt | None = None
    seed: NonNegativeInt = 42
    max_series: ClassVar[int]

    def fit(self, chunks: Chunks, *, njobs: int = 1, data: str = "") -> "FittedClassifier":
        """Learn from pixel series that need not fit into memory together.

        Fitted to the same series in the same order, a classifier is the same however they are cut into chunks.

        Args:
            chunks: returns an iterator of `(X, y)`: X `(n, horizon, bands)`, float32, network scale [-1, 1]; y `(n,)`,
                whole numbers. It is called once for each pass and must deliver the same each time.
            njobs: cores to use; the result doesn't depend on it beyond rounding.
            data: identifies where the series are from.

        Returns:
            What classifies other pixel series of the same shape.

        Raises:
            DataError: If there are fewer than two classes, chunks differ in shape, or values are not finite.
        """
        found = survey(chunks, self.max_series, rng=Streams((self.seed,)).rng("sample"))
        with threadpool_limits(njobs):
            model = self.learn(chunks, found, njobs=njobs)
        return FittedClassifier(self, found.horizon, found.nbands, found.classes, data, _versions(), model)

    @abstractmethod
    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        """Learn.

        Args:
            chunks: see `fit`.
            data: shape, classes, and a uniform sample of at most `max_series` series.
            njobs: cores to use.

        Returns:
            What `decide` needs: arrays of numbers, by name.
        """

    @abstractmethod
    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        """Make sure that `decide` can work with a model, whatever file it is from.

        Args:
            model: what `learn` returned, or might have.
            horizon: time steps of a series.
            nbands: bands of a series.
            nclasses: number of classes.

        Raises:
            ValueError: If it cannot.
            LookupError: If something is missing.
            TypeError: If there is something else.
        """

    @abstractmethod
    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        """Classify.

        Args:
            model: what `learn` returned.
            series: `(n, horizon, bands)`, n at least 1.
            njobs: cores to use.

        Returns:
            `(n,)`, positions in `classes`.
        """

    def _library_seed(self) -> int:
        """Draw a seed for libraries that take no generator."""
        return int(Streams((self.seed,)).rng("fit").integers(2**31 - 1))


@dataclass(frozen=True, eq=False)
class FittedClassifier:
    """A reference classifier that has learnt.

    Attributes:
        settings: what it was configured with.
        horizon: time steps of a series.
        nbands: bands of a series.
        classes: `(K,)`, the labels that it was fitted with, sorted; it predicts these.
        data: identifies the data that it was fitted to.
        versions: of the libraries that it was fitted with.
        model: what it has learnt.
    """

    settings: ReferenceClassifier
    horizon: int
    nbands: int
    classes: NDArray[np.int64]
    data: str
    versions: dict[str, str]
    model: Model

    @property
    def nclasses(self) -> int:
        """The largest label: confusion matrices have a row and a column for each number up to it."""
        return int(self.classes.max())

    def predict(self, series: Series, *, njobs: int = 1) -> NDArray[np.int64]:
        """Classify pixel series.

        Args:
            series: `(n, horizon, bands)`, network scale [-1, 1], finite.
            njobs: cores to use.

        Returns:
            `(n,)`, labels from `classes`.

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

    def save(self, path: Path) -> None:
        """Write a file that `load_classifier` reads; equal fits give equal bytes.

        Args:
            path: the file to make or replace; it appears whole or not at all.

        Raises:
            OSError: If it cannot be written.
        """
        description = {
            "format_version": FORMAT_VERSION,
            "settings": self.settings.model_dump(),
            "horizon": self.horizon,
            "nbands": self.nbands,
            "classes": self.classes.tolist(),
            "data": self.data,
            "versions": self.versions,
        }
        write(path, description, self.model)


class _Classifiers(Registry):
    """The registry of classifiers, in which a configuration may leave out the name."""

    @property
    def choice(self) -> Any:  # noqa: ANN401 - a type annotation built at run time
        """The annotation of the configuration section; without a name it is logistic regression."""
        return Annotated[super().choice, BeforeValidator(_named)]


def _named(section: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
    return {**section, "name": DEFAULT} if isinstance(section, dict) and section.get("name") is None else section


CLASSIFIERS = _Classifiers(__name__, lenient=True)


def highest(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """Choose classes by their scores.

    Args:
        scores: `(n, K)`; with one column it is positive for the second of two classes.

    Returns:
        `(n,)`, positions of classes.
    """
    return (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)


def load_classifier(path: Path) -> FittedClassifier:
    """Read a classifier without running any code of its file.

    Args:
        path: a file that `FittedClassifier.save` wrote.

    Returns:
        The classifier.

    Raises:
        DataError: If the file is missing, is none of a classifier, is damaged, or holds anything that could run code.
        OSError: If it cannot be read.
    """
    content, model = read(path)
    try:
        found = content.pop("format_version")
        if found != FORMAT_VERSION:
            raise DataError(f"{path}: found format {found}, expected {FORMAT_VERSION}; {REMEDY}")
        settings, classes = content.pop("settings"), np.array(content.pop("classes"), dtype=np.int64)
        chosen = CLASSIFIERS.entries[settings["name"]].model_validate(settings)
        fitted = FittedClassifier(settings=chosen, classes=classes, model=model, **content)
        chosen.check(model, fitted.horizon, fitted.nbands, len(classes))
    except (LookupError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    return fitted


def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
