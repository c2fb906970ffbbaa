"""Confusion matrices and what follows from them. Classes are numbered from 1; 0 is background and doesn't count."""

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(predicted: NDArray[np.integer], true: NDArray[np.integer], nclasses: int) -> NDArray[np.int64]:
    """Count pixels by true and predicted class, where the truth is foreground.

    Args:
        predicted: whole numbers of any shape, 1 to K wherever the truth is.
        true: the same shape, 0 (background) to K.

    Returns:
        `(K, K)`: rows are true classes, columns predicted ones. Matrices of several views add up.

    Raises:
        ValueError: If shapes differ or a class is out of range.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"found labels of shapes {predicted.shape} and {true.shape}, expected equal ones")
    predicted, true = (labels[true != 0].astype(np.int64) for labels in (predicted, true))
    outside = (true < 1) | (true > nclasses) | (predicted < 1) | (predicted > nclasses)
    if outside.any():
        raise ValueError(f"found {outside.sum()} pixels with a class that isn't among 1 to {nclasses}")
    cells = (true - 1) * nclasses + predicted - 1
    return np.bincount(cells, minlength=nclasses**2).reshape(nclasses, nclasses)


def class_jaccard(confusion: NDArray[np.integer]) -> NDArray[np.float64]:
    """Jaccard index of each class: pixels that are and are predicted it, over those that are or are predicted it.

    Returns:
        `(K,)`, 0 to 1; NaN for a class that is neither true nor predicted anywhere.
    """
    hits = confusion.diagonal()
    with np.errstate(invalid="ignore"):
        return hits / (confusion.sum(axis=0) + confusion.sum(axis=1) - hits)


def classification_scores(confusion: NDArray[np.integer]) -> dict[str, float]:
    """Score a classification as a whole, from its confusion matrix.

    Returns:
        `jaccard`: the micro average, all hits over the sum of all unions, which is the original protocol's;
        `macro_jaccard`: the mean over classes, without those that are neither true nor predicted anywhere;
        `accuracy`: share of pixels that are right;
        `kappa`: accuracy beyond what chance gives with the same class frequencies, over what it could at most be
        beyond (Cohen 1960, doi:10.1177/001316446002000104); NaN where chance is always right, that is with one class.
        All are NaN without pixels.
    """
    total, hits, each = confusion.sum(), confusion.trace(), class_jaccard(confusion)
    with np.errstate(invalid="ignore"):
        accuracy = hits / total
        chance = np.einsum("k,k", confusion.sum(axis=0) / total, confusion.sum(axis=1) / total)
        scores = {
            "jaccard": hits / (2 * total - hits),
            "macro_jaccard": np.nansum(each) / np.isfinite(each).sum(),
            "accuracy": accuracy,
            "kappa": (accuracy - chance) / (1 - chance),
        }
    return {name: float(score) for name, score in scores.items()}


def jaccard(predicted: NDArray[np.integer], true: NDArray[np.integer], nclasses: int) -> float:
    """The micro-averaged Jaccard index of labels, of which `confusion_matrix` says what they may be."""
    return classification_scores(confusion_matrix(predicted, true, nclasses))["jaccard"]
