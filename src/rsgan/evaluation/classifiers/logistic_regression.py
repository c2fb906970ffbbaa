"""Multinomial logistic regression on the values of a pixel series."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model, ReferenceClassifier, highest
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey, blocks
from src.rsgan.evaluation.classifiers.cross_entropy import Batches, CrossEntropy, minimum, scores

BLOCK = 4096  # series; with 90 features, as many as stay in a core's cache


@CLASSIFIERS.register
class LogisticRegression(ReferenceClassifier):
    """The published classifier: a weight for each band at each step and class, fitted to *all* series.

    The same minimum as scikit-learn's `LogisticRegression(C=l2_weight)`, found in a few passes over the chunks: a
    sample in memory gives the start and the curvature. Good for series in step with each other, as the phases of crops
    in a season are; blind where classes differ by their rhythm only.
    """

    name: Literal["logistic_regression"] = "logistic_regression"
    max_series: ClassVar[int] = 20_000

    def learn(self, chunks: Chunks, data: Survey, *, njobs: int) -> Model:
        penalty, nclasses = 1 / (self.l2_weight * data.count), len(data.classes)
        labels = data.classes[data.indices]
        sample = CrossEntropy(
            _batches(lambda: iter([(data.series, labels)]), data.classes), len(labels), penalty, nclasses
        )
        whole = CrossEntropy(_batches(chunks, data.classes), data.count, penalty, nclasses)
        start = np.zeros((data.horizon * data.nbands + 1, whole.columns))
        start = minimum(sample, sample, start, self.tol)
        return {"parameters": minimum(whole, sample, start, self.tol)}

    def check(self, model: Model, horizon: int, nbands: int, nclasses: int) -> None:
        found, expected = model["parameters"].shape, (horizon * nbands + 1, 1 if nclasses == 2 else nclasses)
        if [*model] != ["parameters"] or found != expected:
            raise ValueError(f"found {', '.join(model)} of shape {found}, expected parameters of shape {expected}")

    def decide(self, model: Model, series: Series, *, njobs: int) -> NDArray[np.integer]:
        return highest(scores(model["parameters"], series.reshape(len(series), -1).astype(np.float64)))


def _batches(chunks: Chunks, classes: NDArray[np.int64]) -> Batches:
    def batches() -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        for series, labels in blocks(chunks, BLOCK):
            yield series.reshape(len(series), -1), np.searchsorted(classes, labels)

    return batches
