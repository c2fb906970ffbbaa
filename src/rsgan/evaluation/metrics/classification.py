"""Confusion matrices and what follows from them. Classes are numbered from 1; 0 is background and doesn't count."""

import torch
from torch import Tensor


def confusion_matrix(predicted: Tensor, true: Tensor, nclasses: int) -> Tensor:
    """Count pixels by true and predicted class, where the truth is foreground.

    Args:
        predicted: whole numbers of any shape, 1 to K wherever the truth is.
        true: the same shape and device, 0 (background) to K.

    Returns:
        `(K, K)` int64 on that device: rows are true classes, columns predicted ones. Matrices of several views add up.

    Raises:
        ValueError: If shapes differ or a class is out of range.
    """
    if predicted.shape != true.shape:
        raise ValueError(
            f"found labels of shapes {tuple(predicted.shape)} and {tuple(true.shape)}, expected equal ones"
        )
    predicted, true = predicted.flatten().long(), true.flatten().long()
    cell = (true - 1) * nclasses + predicted - 1
    outside, background = nclasses**2, nclasses**2 + 1  # two cells more
    valid = (true >= 0) & (true <= nclasses) & (predicted >= 1) & (predicted <= nclasses)
    cell = torch.where(true == 0, background, torch.where(valid, cell, outside))
    counts = torch.bincount(cell, minlength=nclasses**2 + 2)
    if counts[outside]:
        raise ValueError(f"found {counts[outside]} pixels with a class that isn't among 1 to {nclasses}")
    return counts[:outside].reshape(nclasses, nclasses)


def class_jaccard(confusion: Tensor) -> Tensor:
    """Jaccard index of each class: pixels that are and are predicted it, over those that are or are predicted it.

    Returns:
        `(K,)` in double precision, 0 to 1; NaN for a class that is neither true nor predicted anywhere.
    """
    hits = confusion.diagonal()
    return hits.double() / (confusion.sum(dim=0) + confusion.sum(dim=1) - hits)


def classification_scores(confusion: Tensor) -> dict[str, float]:
    """Score a classification as a whole, from its confusion matrix.

    Returns:
        `jaccard`: the micro average, all hits over the sum of all unions, which is the original protocol's;
        `macro_jaccard`: the mean over classes, without those that are neither true nor predicted anywhere;
        `accuracy`: share of pixels that are right;
        `kappa`: accuracy beyond what chance gives with the same class frequencies, over what it could at most be
        beyond (Cohen 1960, doi:10.1177/001316446002000104); NaN where chance is always right, that is with one class.
        All are NaN without pixels.
    """
    confusion = confusion.double()
    total, hits = confusion.sum(), confusion.diagonal().sum()
    accuracy = hits / total
    chance = (confusion.sum(dim=0) / total) @ (confusion.sum(dim=1) / total)
    scores = {
        "jaccard": hits / (2 * total - hits),
        "macro_jaccard": class_jaccard(confusion).nanmean(),
        "accuracy": accuracy,
        "kappa": (accuracy - chance) / (1 - chance),
    }
    return dict(zip(scores, torch.stack([*scores.values()]).tolist(), strict=True))
