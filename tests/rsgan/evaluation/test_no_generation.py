"""Judges without generation: what they learn from, and that real series in place of sources change nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.classifiers import CLASSIFIERS, FittedClassifier
from src.rsgan.evaluation.no_generation import learn_from_sources
from src.rsgan.evaluation.pixels import PixelSample
from tests.rsgan.conftest import HORIZON, NO_GENERATION, Shrunk
from utils.config import read

Data = Callable[..., ToyDataModule]


@pytest.fixture
def data(cfg: Shrunk) -> Data:
    def make(*sources: str) -> ToyDataModule:
        config = read(ExperimentConfig, cfg(NO_GENERATION[0], dataset__sources=list(sources)))
        return ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)

    return make


def fit(data: ToyDataModule, folder: Path, **settings: object) -> FittedClassifier:
    """A judge of real series, as `make_reference_classifier` makes it."""
    settings = CLASSIFIERS.entries["logistic_regression"](**{"tol": 1e-6, "train_set_size": 300} | settings)
    return settings.fit(PixelSample.to_learn_from(settings, data.views("train")).chunks(1, folder))


def test_sources_that_are_the_target_make_the_same_judge(data: Data, tmp_path: Path) -> None:
    there = data("clean_optical")
    judge = fit(there, tmp_path, n_chunks=3)
    (learnt,) = learn_from_sources([judge], there, njobs=1)
    np.testing.assert_array_equal(learnt.model["parameters"], judge.model["parameters"])


def test_the_same_pixels_as_the_judge_and_all_their_sources(data: Data, tmp_path: Path) -> None:
    there = data("clouded_optical", "sar")
    settings, views = fit(there, tmp_path).settings, there.views("train")
    real, sources = (PixelSample.to_learn_from(settings, views, kind) for kind in ("target", "source"))
    assert len(sources) == len(real) == 300
    for places, others in zip(real.places, sources.places, strict=True):
        np.testing.assert_array_equal(places, others)
    (first, *_), view = sources, views[0]
    for step in range(HORIZON):
        frame = view.read(step, "source")
        np.testing.assert_array_equal(first[0][:, step], frame.reshape(-1, frame.shape[-1])[sources.places[0]])


def test_the_order_of_sources_does_not_matter(data: Data, tmp_path: Path) -> None:
    one, other = data("clouded_optical", "sar"), data("sar", "clouded_optical")
    judge = fit(one, tmp_path)
    weights = [
        learn_from_sources([judge], there, njobs=1)[0].model["parameters"][:-1].reshape(HORIZON, 2, 3)
        for there in (one, other)
    ]
    np.testing.assert_allclose(weights[0], weights[1][:, ::-1], atol=1e-2 * np.abs(weights[0]).max())
