"""Laws of every reference classifier: what it learns, from which chunks, and what it refuses."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from sklearn import ensemble, linear_model
from sktime.transformations import rocket

from src.rsgan.evaluation.archive import load_classifier, save_classifier
from src.rsgan.evaluation.classifiers import CLASSIFIERS, FittedClassifier, ReferenceClassifier
from src.rsgan.evaluation.classifiers.chunks import Chunks
from utils.errors import DataError

NAMES = list(CLASSIFIERS)
HORIZON, NBANDS = 12, 2
SMALL: dict[str, dict[str, Any]] = {
    "random_forest": {"n_trees": 10},
    "hist_gradient_boosting": {"n_trees": 10},
    "minirocket": {"n_kernels": 168},
    "logistic_regression": {},
}
Pixels = tuple[NDArray[np.float32], NDArray[np.int64]]


def configure(name: str, **changes: Any) -> ReferenceClassifier:
    return TypeAdapter(CLASSIFIERS.choice).validate_python({"name": name, **SMALL[name], **changes})


def pixels(count: int = 600, labels: tuple[int, ...] = (1, 2, 3), noise: float = 0.1, seed: int = 0) -> Pixels:
    """Series around one curve for each class, which all seeds share."""
    curves = np.random.default_rng(7).uniform(-1, 1, (len(labels), HORIZON, NBANDS))
    rng = np.random.default_rng(seed)
    index = rng.integers(len(labels), size=count)
    series = curves[index] + noise * rng.standard_normal((count, HORIZON, NBANDS))
    return series.astype(np.float32), np.array(labels)[index]


def cut(data: Pixels, *places: int) -> Chunks:
    """The same pixels in chunks that end at some places."""
    return lambda: zip(*(np.split(array, sorted(places)) for array in data), strict=True)


def fit(name: str, data: Pixels, *places: int, njobs: int = 1, **changes: Any) -> FittedClassifier:
    return configure(name, **changes).fit(cut(data, *places), njobs=njobs)


def written(fitted: FittedClassifier, path: Path) -> bytes:
    save_classifier(fitted, path)
    return path.read_bytes()


# -- what it learns


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("labels", [(1, 2), (3, 7, 11)])
def test_separable_classes_are_told_apart_and_keep_their_labels(name: str, labels: tuple[int, ...]) -> None:
    fitted = fit(name, pixels(labels=labels))
    series, truth = pixels(labels=labels, seed=1)
    found = fitted.predict(series)
    assert (found == truth).mean() > 0.98
    assert set(found) == set(labels) == set(fitted.classes)
    assert (fitted.horizon, fitted.nbands) == (HORIZON, NBANDS)


def test_minirocket_hears_rhythm_whatever_its_phase() -> None:
    """Waves of random phase: each step and band has the same distribution in all classes."""

    def waves(seed: int, count: int = 600) -> Pixels:
        rng = np.random.default_rng(seed)
        labels = rng.integers(1, 3, size=count)
        angle = np.arange(30) * np.where(labels == 1, 0.5, 1.1)[:, None] + rng.uniform(0, 2 * np.pi, (count, 1))
        return np.sin(angle)[..., None].astype(np.float32), labels

    accuracy = {}
    for name in ("minirocket", "logistic_regression"):
        series, truth = waves(1)
        accuracy[name] = (fit(name, waves(0)).predict(series) == truth).mean()
    assert accuracy["minirocket"] > 0.98
    assert accuracy["logistic_regression"] < 0.7


@pytest.mark.parametrize("nclasses", [2, 3])
@pytest.mark.parametrize("c", [0.1, 10.0])
def test_logistic_regression_is_scikit_learns(nclasses: int, c: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sample far smaller than the data, so that it is the passes over all chunks that find the minimum."""
    monkeypatch.setattr(CLASSIFIERS.entries["logistic_regression"], "max_series", 150)
    series, labels = pixels(3000, labels=tuple(range(1, nclasses + 1)), noise=1.2)
    order = np.argsort(labels, kind="stable")  # the last chunk alone would know one class only
    data = series[order], labels[order]
    mine = fit("logistic_regression", data, 700, 1500, 2600, l2_weight=c, tol=1e-9).model["parameters"]
    theirs = linear_model.LogisticRegression(C=c, tol=1e-9, solver="newton-cholesky", max_iter=500)
    theirs.fit(data[0].reshape(len(series), -1).astype(np.float64), data[1])

    def gauge(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Adding the same to all classes changes no probability."""
        return parameters if nclasses == 2 else parameters - parameters.mean(axis=1, keepdims=True)

    np.testing.assert_allclose(gauge(mine[:-1]), gauge(theirs.coef_.T), atol=2e-4)
    np.testing.assert_allclose(gauge(mine[-1:]), gauge(theirs.intercept_[None]), atol=2e-4)


def test_logistic_regression_goes_on_where_separable_classes_have_small_derivatives() -> None:
    """At the minimum, so that two tolerances agree on it; the derivative alone would end a third of the way before."""
    data = pixels(400, noise=0.05)
    coarse, fine = (fit("logistic_regression", data, tol=tol).model["parameters"] for tol in (1e-3, 1e-8))
    assert np.linalg.norm(coarse - fine) < 0.05 * np.linalg.norm(fine)


def test_logistic_regression_says_when_it_has_not_converged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fitted = fit("logistic_regression", pixels(300, noise=0.5), tol=1e-300)
    assert "has not converged to tol 1e-300" in caplog.text
    series, labels = pixels(seed=1)
    assert (fitted.predict(series) == labels).mean() > 0.9


@pytest.mark.parametrize("labels", [(1, 2), (1, 2, 3)])
@pytest.mark.parametrize("name", ["random_forest", "hist_gradient_boosting", "minirocket"])
def test_what_is_kept_decides_as_the_library_does(
    name: str, labels: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trees and weights are taken out of scikit-learn's estimators, which must make no difference."""
    made: list[Any] = []
    for module, kind in (
        (ensemble, "RandomForestClassifier"),
        (ensemble, "HistGradientBoostingClassifier"),
        (linear_model, "RidgeClassifier"),
        (rocket, "MiniRocketMultivariate"),
    ):
        original = getattr(module, kind)
        monkeypatch.setattr(module, kind, lambda *a, original=original, **k: made.append(original(*a, **k)) or made[-1])
    fitted = fit(name, pixels(noise=1.0, labels=labels))
    series, _ = pixels(2000, noise=1.0, labels=labels, seed=1)
    if name == "minirocket":
        transform, ridge = made[:2]
        expected = ridge.predict(transform.transform(series.transpose(0, 2, 1)).to_numpy())
    else:
        expected = made[0].predict(series.reshape(len(series), -1))
    np.testing.assert_array_equal(fitted.predict(series), fitted.classes[expected])
    assert len(set(expected)) == len(labels)


# -- from which chunks


@settings(max_examples=15)
@given(places=st.lists(st.integers(0, 400), max_size=8))
def test_logistic_regression_is_the_same_however_its_data_are_cut(places: list[int]) -> None:
    data = pixels(400, noise=0.6)
    parameters = fit("logistic_regression", data, *places).model["parameters"]
    np.testing.assert_array_equal(parameters, fit("logistic_regression", data).model["parameters"])


@pytest.mark.parametrize("name", NAMES)
def test_chunks_make_no_difference_and_every_one_counts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sorted by class, each chunk holds what the others lack."""
    monkeypatch.setattr(CLASSIFIERS.entries[name], "max_series", 300)
    series, labels = pixels(900)
    order = np.argsort(labels, kind="stable")
    data = series[order], labels[order]
    whole, chunks = fit(name, data, n_chunks=4), fit(name, data, 200, 200, 650, n_chunks=4)
    assert written(chunks, tmp_path / "chunks.npz") == written(whole, tmp_path / "whole.npz")
    assert (chunks.predict(series) == labels).mean() > 0.98


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_file(name: str, tmp_path: Path) -> None:
    first, again = (written(fit(name, pixels(noise=1.0), seed=3), tmp_path / "classifier.npz") for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", ["random_forest", "minirocket"])
def test_another_seed_another_classifier(name: str) -> None:
    series, _ = pixels(noise=2.0, seed=1)
    first, other = (fit(name, pixels(noise=2.0), seed=seed).predict(series) for seed in (0, 1))
    assert (first != other).any()


@pytest.mark.parametrize("name", NAMES)
def test_predictions_depend_neither_on_batches_nor_on_cores(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = fit(name, pixels(noise=0.6))
    series, _ = pixels(noise=0.6, seed=1)
    whole = fitted.predict(series)
    monkeypatch.setattr("src.rsgan.evaluation.classifiers.BATCH", 250)
    np.testing.assert_array_equal(fitted.predict(series), whole)
    assert fitted.predict(series[:0]).shape == (0,)
    np.testing.assert_array_equal(fitted.predict(series, njobs=2), whole)
    np.testing.assert_array_equal(fit(name, pixels(noise=0.6), njobs=2).predict(series), whole)


@pytest.mark.parametrize("name", NAMES)
def test_no_global_generator_is_touched(name: str) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    fit(name, pixels(100))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# -- files


@pytest.mark.parametrize("name", NAMES)
def test_a_file_gives_back_the_same_classifier(name: str, tmp_path: Path) -> None:
    fitted = fit(name, pixels(labels=(2, 5, 9), noise=0.6), train_set_size=600, l2_weight=3)
    save_classifier(fitted, tmp_path / "deep" / "classifier.npz")
    loaded = load_classifier(tmp_path / "deep" / "classifier.npz")
    series, _ = pixels(noise=0.6, seed=1)
    np.testing.assert_array_equal(loaded.predict(series), fitted.predict(series))
    np.testing.assert_array_equal(loaded.classes, (2, 5, 9))
    assert loaded.settings == fitted.settings == configure(name, train_set_size=600, l2_weight=3)
    assert (loaded.horizon, loaded.nbands) == (HORIZON, NBANDS)
    assert {"numpy", "scikit-learn", "sktime", "python"} <= set(loaded.versions)
    assert sorted(file.name for file in (tmp_path / "deep").iterdir()) == ["classifier.npz"]


# -- what it refuses


@pytest.fixture(scope="module")
def classifier() -> FittedClassifier:
    return fit("logistic_regression", pixels())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda series: series[:, 1:], "found pixel series of 11 steps and 2 bands, expected 12 steps and 2 bands"),
        (lambda series: series[..., :1], "found pixel series of 12 steps and 1 bands, expected 12 steps and 2 bands"),
        (lambda series: series.reshape(len(series), -1), r"found an array of shape \(600, 24\), expected pixel series"),
        (lambda series: np.where(series > 1, np.nan, series), "missing or infinite values"),
        (lambda series: np.where(series > 1, np.inf, series), "missing or infinite values"),
    ],
)
def test_series_it_was_not_made_for_are_refused(
    classifier: FittedClassifier, change: Callable[[NDArray], NDArray], message: str
) -> None:
    series, labels = pixels()
    with pytest.raises(DataError, match=message):
        classifier.predict(change(series))
    with pytest.raises(DataError, match="expected"):
        configure("logistic_regression").fit(lambda: iter([(series[:5], labels[:5]), (change(series), labels)]))


def test_labels_that_cannot_be_learnt_are_refused() -> None:
    series, labels = pixels()
    for wrong, message in (
        (labels[:-1], "found labels of shape"),
        (labels.astype(float), "type float64 for 600 pixel series, expected one whole number for each"),
        (np.ones_like(labels), "found 600 pixel series of 1 classes, expected 2 classes or more"),
    ):
        with pytest.raises(DataError, match=message):
            configure("logistic_regression").fit(lambda wrong=wrong: iter([(series, wrong)]))
    with pytest.raises(DataError, match="found 0 pixel series of 0 classes"):
        configure("logistic_regression").fit(lambda: iter([]))


def test_minirocket_refuses_series_shorter_than_its_kernels() -> None:
    series, labels = pixels()
    with pytest.raises(DataError, match="found pixel series of 8 steps, expected 9 or more for 'minirocket'"):
        fit("minirocket", (series[:, :8], labels))


# -- configuration


def test_the_published_section_is_logistic_regression(caplog: pytest.LogCaptureFixture) -> None:
    published = {"l2_weight": 10, "tol": 1e-4, "n_chunks": 1, "train_set_size": 600_000, "seed": 42}
    choice = TypeAdapter(CLASSIFIERS.choice)
    for section in (published, {**published, "name": None}):
        chosen = choice.validate_python(section)
        assert chosen.name == "logistic_regression"
        assert {**published, "name": chosen.name} == chosen.model_dump()
    assert choice.validate_python({}).l2_weight == 10
    assert not caplog.records


def test_one_switches_by_the_name_alone() -> None:
    """Keys of other classifiers are accepted."""
    choice = TypeAdapter(CLASSIFIERS.choice)
    for name in NAMES:
        chosen = choice.validate_python({"name": name, "n_trees": 10, "n_kernels": 84, "l2_weight": 10, "tol": 1e-3})
        assert (chosen.name, chosen.tol) == (name, 1e-3)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        choice.validate_python({"l3_weight": 1})
    with pytest.raises(ValidationError, match="did you mean 'minirocket'"):
        choice.validate_python({"name": "mini_rocket"})
