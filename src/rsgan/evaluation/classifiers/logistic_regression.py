"""Multinomial logistic regression: its objective, over series that stream by, and its minimum."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax, softmax

from src.rsgan.evaluation.classifiers import CLASSIFIERS, Model, ReferenceClassifier, highest
from src.rsgan.evaluation.classifiers.chunks import Chunks, Series, Survey, blocks

Floats = NDArray[np.float64]
Batches = Callable[[], Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]]
BLOCK = 4096  # series; with 90 features, as many as stay in a core's cache
MAX_ROUNDS = 50
STEPS = 10  # of L-BFGS, before the curvature is measured again
JITTER = 1e-12  # relative to the mean curvature: above rounding, below anything that matters
logger = logging.getLogger(__name__)


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
        in_memory = _batches(lambda: iter([(data.series, labels)]), data.classes)
        sample = CrossEntropy(in_memory, len(labels), penalty, nclasses)
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


@dataclass(frozen=True, eq=False)
class CrossEntropy:
    """Mean cross-entropy of a linear model, penalised.

    `f(W, b) = -1/n Σ_i log p(y_i | x_i) + λ/2 ‖W‖²` with `p = softmax(x W + b)` for K > 2 classes (Bishop 2006,
    Pattern Recognition and Machine Learning, sections 4.3.2 to 4.3.4), and with the logistic function of the second
    class's `x w + b` for two. Parameters are an array `(P + 1, M)`: W on top of b, `M = 1` for two classes and
    `M = K` otherwise. With `λ = 1 / (C n)` this is scikit-learn's objective, divided by C n.

    Attributes:
        batches: returns an iterator of features `(n, P)` and class indices `(n,)`, the same at each call.
        count: n, in all batches.
        penalty: λ.
    """

    batches: Batches
    count: int
    penalty: float
    nclasses: int

    @property
    def columns(self) -> int:
        return 1 if self.nclasses == 2 else self.nclasses

    def value_and_gradient(self, parameters: Floats) -> tuple[float, Floats]:
        """Evaluate f and its derivatives `(P + 1, M)`, in one pass."""
        slopes = parameters[:-1]
        value, gradient = 0.0, np.zeros_like(parameters)
        for features, indices in self.batches():
            features = features.astype(np.float64)
            losses, residuals = _losses(scores(parameters, features), indices)
            value += losses.sum()
            gradient[:-1] += features.T @ residuals
            gradient[-1] += residuals.sum(axis=0)
        gradient /= self.count
        gradient[:-1] += self.penalty * slopes
        return float(value / self.count + self.penalty / 2 * np.sum(slopes**2)), gradient

    def hessian(self, parameters: Floats) -> Floats:
        """Measure the curvature, in one pass.

        Returns:
            `(M (P + 1), M (P + 1))`, positive definite, columns of parameters one after the other. For K > 2,
            adding the same to all classes' b changes nothing; that direction gets a curvature of 1.
        """
        rows, columns = parameters.shape
        hessian = np.zeros((columns, rows, columns, rows))
        for features, _ in self.batches():
            features = np.column_stack([features, np.ones(len(features))])  # (n, P + 1), float64
            hessian += _curvature(features, scores(parameters, features[:, :-1]))
        hessian /= self.count
        each, slopes = np.arange(columns)[:, None], np.arange(rows - 1)
        hessian[each, slopes, each, slopes] += self.penalty
        if columns > 1:
            hessian[:, -1, :, -1] += 1 / columns
        hessian = hessian.reshape(columns * rows, columns * rows)
        hessian[np.diag_indices_from(hessian)] += JITTER * np.trace(hessian) / len(hessian)
        return hessian


def scores(parameters: Floats, features: Floats) -> Floats:
    """The linear model, `(n, M)`: log-odds of the second class for M = 1, else log-probabilities up to a constant."""
    return features @ parameters[:-1] + parameters[-1]


def _losses(scores: Floats, indices: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Cross-entropies `(n,)` and their derivatives by the scores `(n, M)`."""
    if scores.shape[1] == 1:
        second = indices[:, None] == 1
        return -log_expit(np.where(second, scores, -scores)), expit(scores) - second
    logs, own = log_softmax(scores, axis=1), (np.arange(len(indices)), indices)
    residuals = np.exp(logs)
    residuals[own] -= 1
    return -logs[own], residuals


def _curvature(features: Floats, scores: Floats) -> Floats:
    """Sum of second derivatives over rows, `(M, P + 1, M, P + 1)`: `Σ (diag(p) - p pᵀ) ⊗ x xᵀ`."""
    columns, width = scores.shape[1], features.shape[1]
    if columns == 1:
        weighted = features * np.sqrt(expit(scores) * expit(-scores))
        return (weighted.T @ weighted)[None, :, None, :]
    shares = softmax(scores, axis=1)
    spread = (shares[:, :, None] * features[:, None, :]).reshape(len(features), -1)  # (n, M (P + 1))
    curvature = -(spread.T @ spread).reshape(columns, width, columns, width)
    for column in range(columns):
        weighted = features * np.sqrt(shares[:, [column]])
        curvature[column, :, column] += weighted.T @ weighted
    return curvature


class _ConvergedError(Exception):
    """The minimum is found; carries the parameters."""


def minimum(objective: CrossEntropy, sample: CrossEntropy, start: Floats, tol: float) -> Floats:
    """Find the parameters where the objective is smallest.

    L-BFGS (Liu & Nocedal 1989, doi:10.1007/BF01589116) in coordinates in which the *sample's* curvature H is the
    identity, measured anew every few steps. Where the sample is like the whole, as few as five passes over the data do.
    It ends when the largest derivative is below `tol`, which is scikit-learn's criterion, and the decrease still to be
    expected, `gᵀ H⁻¹ g / 2`, is below `tol · f`, without which separable classes would end it early.
    """
    best, parameters = np.inf, start
    for _ in range(MAX_ROUNDS):
        factor = cholesky(sample.hessian(parameters), lower=True)
        try:
            value, parameters = _descend(objective, factor, parameters, tol)
        except _ConvergedError as converged:
            return converged.args[0]
        if value >= best:
            break
        best = value
    logger.warning("logistic regression has not converged to tol %g; the best found is kept, a larger tol ends it", tol)
    return parameters


def _descend(objective: CrossEntropy, factor: Floats, start: Floats, tol: float) -> tuple[float, Floats]:
    """Take some steps of L-BFGS in the coordinates `Lᵀ θ`, L the Cholesky factor of the curvature."""

    def parameters(point: Floats) -> Floats:
        flat = solve_triangular(factor, point, lower=True, trans="T")
        return flat.reshape(start.shape[::-1]).T

    def evaluate(point: Floats) -> tuple[float, Floats]:
        here = parameters(point)
        value, gradient = objective.value_and_gradient(here)
        slope = solve_triangular(factor, gradient.T.ravel(), lower=True)
        if np.abs(gradient).max() <= tol and slope @ slope / 2 <= tol * value:
            raise _ConvergedError(here)
        return value, slope

    options = {"maxiter": STEPS, "maxcor": 2 * STEPS, "gtol": 0, "ftol": 0}
    found = minimize(evaluate, factor.T @ start.T.ravel(), jac=True, method="L-BFGS-B", options=options)
    return float(found.fun), parameters(found.x)
