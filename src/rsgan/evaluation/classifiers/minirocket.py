"""Random convolutions of a pixel series, and a linear classifier on what they find."""

import contextlib
from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey
from utils.errors import DataError

SHORTEST = 9  # steps; the length of the kernels
# Of the ridge, for each series. Features are shares in [0, 1]. A tenth of it relies on details that the noise of a
# generated image hides; ten times as much gains nothing.
PENALTY = 0.01


@CLASSIFIERS.register
class MiniRocket(ReferenceClassifier):
    """MiniRocket (Dempster et al. 2021, doi:10.1145/3447548.3467231) by sktime, with a ridge classifier.

    For each of many dilated convolutions over random subsets of bands, the share of time steps above a threshold. It
    sees rhythm and shape wherever in the series they are, so it works where the others need series in step with each
    other. It is fitted to a uniform sample of the series of all chunks, which is the same however the series are cut
    into chunks. sktime compiles the convolutions when they are used for the first time on a machine: half a minute.

    Attributes:
        n_kernels: number of features, rounded down to a multiple of 84.
    """

    name: Literal["minirocket"] = "minirocket"
    n_kernels: PositiveInt = 1000
    max_series: ClassVar[int] = 20_000
    trusted: ClassVar[tuple[str, ...]] = (
        "sktime.transformations.rocket._minirocket_multivariate.MiniRocketMultivariate",
    )

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        """Learn; see `ReferenceClassifier`.

        Raises:
            DataError: If the series are too short.
        """
        from sklearn.linear_model import RidgeClassifier
        from sktime.transformations.rocket import MiniRocketMultivariate

        if data.horizon < SHORTEST:
            raise DataError(
                f"found pixel series of {data.horizon} steps, expected {SHORTEST} or more for 'minirocket'; set "
                "reference_classifier.name to another classifier"
            )
        transform = MiniRocketMultivariate(self.n_kernels, random_state=self._library_seed())
        with _same_global_generator():
            transform.fit(_bands_first(data.series))
        ridge = RidgeClassifier(PENALTY * len(data.series))
        ridge.fit(_features(transform, data.series, njobs), data.indices)
        return {"transform": transform, "ridge": ridge}

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        """Classify; see `ReferenceClassifier`."""
        return model["ridge"].predict(_features(model["transform"], series, njobs))


def _features(transform: object, series: Series, njobs: int) -> NDArray[np.float32]:
    transform.n_jobs = njobs
    features = transform.transform(_bands_first(series)).to_numpy()
    transform.n_jobs = 1
    return features


def _bands_first(series: Series) -> Series:
    return np.ascontiguousarray(series.transpose(0, 2, 1))  # (n, horizon, bands) -> (n, bands, horizon)


@contextlib.contextmanager
def _same_global_generator() -> Iterator[None]:
    """Leave numpy's global generator as it was: sktime seeds it."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
