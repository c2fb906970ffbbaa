"""Confusion matrices and scores against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from src.rsgan.evaluation.metrics.classification import class_jaccard, classification_scores, confusion_matrix


def labels(nclasses: int, *shape: int, seed: int, background: bool = False) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0 if background else 1, nclasses + 1, shape)


def blur(true: NDArray[np.int64], nclasses: int, seed: int) -> NDArray[np.int64]:
    """Predictions that are right most of the time."""
    right = np.random.default_rng(seed).random(true.shape) < 0.7
    return np.where(right & (true > 0), true, labels(nclasses, *true.shape, seed=seed))


@given(st.integers(2, 9), st.integers(0, 999), st.sampled_from([np.int64, np.int16, np.uint8]))
def test_scores_agree_with_scikit_learn(nclasses: int, seed: int, kind: type[np.integer]) -> None:
    true = labels(nclasses, 3, 8, 7, seed=seed, background=True)
    predicted = blur(true, nclasses, seed + 1)
    confusion = confusion_matrix(predicted.astype(kind), true.astype(kind), nclasses)
    foreground = true > 0
    y, p, classes = true[foreground], predicted[foreground], range(1, nclasses + 1)
    assert np.array_equal(confusion, metrics.confusion_matrix(y, p, labels=classes))
    scores, each = classification_scores(confusion), class_jaccard(confusion)
    present = np.union1d(y, p)
    assert np.allclose(each[present - 1], metrics.jaccard_score(y, p, labels=present, average=None))
    assert scores["macro_jaccard"] == pytest.approx(metrics.jaccard_score(y, p, labels=present, average="macro"))
    assert scores["jaccard"] == pytest.approx(metrics.jaccard_score(y, p, labels=present, average="micro"))
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(y, p))
    assert scores["kappa"] == pytest.approx(metrics.cohen_kappa_score(y, p))


def test_truth_against_itself_is_perfect() -> None:
    true = labels(4, 20, 20, seed=0, background=True)
    scores = classification_scores(confusion_matrix(true.clip(1), true, 4))
    assert scores == {"jaccard": 1, "macro_jaccard": 1, "accuracy": 1, "kappa": 1}


def test_what_is_predicted_for_background_does_not_count() -> None:
    true = labels(3, 30, 30, seed=0, background=True)
    predicted = blur(true, 3, seed=1)
    found = confusion_matrix(predicted, true, 3)
    for anything in (0, 1, 3, 99, -5):
        assert np.array_equal(confusion_matrix(np.where(true == 0, anything, predicted), true, 3), found)
    assert found.sum() == (true > 0).sum()


def test_matrices_of_parts_add_up() -> None:
    true = labels(3, 6, 10, 10, seed=0, background=True)
    predicted = blur(true, 3, seed=1)
    parts = sum(confusion_matrix(p, t, 3) for p, t in zip(np.split(predicted, 3), np.split(true, 3), strict=True))
    assert np.array_equal(parts, confusion_matrix(predicted, true, 3))


def test_absent_classes_are_left_out_of_the_mean() -> None:
    confusion = np.array([[3, 1, 0, 0], [0, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0]])
    each = class_jaccard(confusion)
    assert each[:3].tolist() == [0.75, 0, 1]  # the second is never true, but was predicted
    assert math.isnan(each[3])
    assert classification_scores(confusion)["macro_jaccard"] == pytest.approx(1.75 / 3)


def test_kappa_is_undefined_with_one_class() -> None:
    scores = classification_scores(np.array([[5, 0], [0, 0]]))
    assert math.isnan(scores["kappa"])
    assert scores["accuracy"] == scores["jaccard"] == scores["macro_jaccard"] == 1


def test_chance_has_no_kappa() -> None:
    assert classification_scores(np.array([[10, 30], [20, 60]]))["kappa"] == pytest.approx(0)


def test_no_foreground_has_no_scores() -> None:
    confusion = confusion_matrix(labels(3, 4, 4, seed=0), np.zeros((4, 4), np.int64), 3)
    assert np.array_equal(confusion, np.zeros((3, 3)))
    assert all(math.isnan(score) for score in classification_scores(confusion).values())


@pytest.mark.parametrize(("predicted", "true"), [(0, 1), (4, 1), (-1, 1), (1, 4), (1, -1)])
def test_classes_out_of_range_are_errors(predicted: int, true: int) -> None:
    with pytest.raises(ValueError, match="found 2 pixels with a class"):
        confusion_matrix(np.array([predicted, 1, predicted]), np.array([true, 1, true]), 3)


def test_shapes_that_differ_are_errors() -> None:
    with pytest.raises(ValueError, match=r"\(4,\) and \(2, 2\)"):
        confusion_matrix(np.ones(4, np.int64), np.ones((2, 2), np.int64), 3)
