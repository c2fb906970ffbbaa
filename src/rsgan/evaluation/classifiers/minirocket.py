"""Random convolutions of a pixel series, and a linear classifier on what they find."""

import contextlib
from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model, ReferenceClassifier, highest
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey
from utils.errors import DataError

SHORTEST = 9  # steps; the length of the kernels
KERNELS = 84  # of each dilation
# What sktime fits, in its order, and what the ridge classifier makes of features.
PARAMETERS = ("channels_per_kernel", "channels", "dilations", "features_per_dilation", "biases")
LINEAR = ("weights", "levels", "classes")
# Of the ridge, for each series. Features are shares in [0, 1]. A tenth of it relies on details that the noise of a
# generated image hides; ten times as much gains nothing.
PENALTY = 0.01


@CLASSIFIERS.register
class MiniRocket(ReferenceClassifier):
    """MiniRocket (Dempster et al. 2021, doi:10.1145/3447548.3467231) by sktime, with a ridge classifier.

    For each of many dilated convolutions over random subsets of bands, the share of time steps above a threshold. It
    sees rhythm and shape wherever in the series they are, so it works where the others need series in step with each
    other. It is fitted to a uniform sample of the series of all chunks. sktime compiles the convolutions when they are
    used for the first time on a machine: half a minute.

    Attributes:
        n_kernels: number of features, rounded down to a multiple of 84.
    """

    name: Literal["minirocket"] = "minirocket"
    n_kernels: PositiveInt = 1000
    max_series: ClassVar[int] = 20_000

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
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
        parameters = dict(zip(PARAMETERS, transform.parameters, strict=True))
        ridge = RidgeClassifier(PENALTY * len(data.series))
        ridge.fit(_features(parameters, data.series, njobs), data.indices)
        # A row for each class; with two classes there is one row in all, and the sign decides.
        weights, levels = np.atleast_2d(ridge.coef_), np.atleast_1d(ridge.intercept_)
        return {**parameters, "weights": weights, "levels": levels, "classes": ridge.classes_}

    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        channels_per_kernel, channels, dilations, features_per_dilation, biases = (model[key] for key in PARAMETERS)
        weights, levels, classes = (model[key] for key in LINEAR)
        nfeatures = KERNELS * features_per_dilation.sum()
        fine = (
            {*model} == {*PARAMETERS, *LINEAR}
            and all(model[key].dtype == (np.float32 if key == "biases" else np.int32) for key in PARAMETERS)
            and all(array.ndim == (2 if key == "weights" else 1) for key, array in model.items())
            and len(channels_per_kernel) == KERNELS * len(dilations)
            and channels_per_kernel.min() > 0
            and len(channels) == channels_per_kernel.sum()
            and {*channels.tolist()} <= {*range(nbands)}
            and {*dilations.tolist()} <= {*range(1, horizon)}
            and len(features_per_dilation) == len(dilations)
            and features_per_dilation.min() > 0
            and len(biases) == nfeatures
            and weights.shape == (len(levels), nfeatures)
            and len(classes) == (2 if len(levels) == 1 else len(levels))
            and {*classes.tolist()} <= {*range(nclasses)}
        )
        if not fine:
            raise ValueError("found arrays that make no convolutions and weights")

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        scores = _features(model, series, njobs) @ model["weights"].T + model["levels"]
        return model["classes"][highest(scores)]


def _features(parameters: Model, series: Series, njobs: int) -> NDArray[np.float32]:
    from sktime.transformations.rocket import MiniRocketMultivariate

    transform, series = MiniRocketMultivariate(KERNELS, n_jobs=njobs), _bands_first(series)
    with _same_global_generator():
        transform.fit(series[:1])  # to anything: what was learnt takes its place
    transform.parameters = tuple(parameters[key] for key in PARAMETERS)
    return transform.transform(series).to_numpy()


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
