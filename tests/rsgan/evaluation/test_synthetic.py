"""Train on synthetic, test on real: real series in place of generated ones are as good as real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.judges import open_judges
from src.rsgan.evaluation.pixels import class_map
from src.rsgan.evaluation.reference import make_reference_classifier
from src.rsgan.evaluation.synthetic import learn_from_generated, score_real
from tests.rsgan.conftest import CGAN, Shrunk
from utils.config import read

JUDGES = [{"name": "logistic_regression", "train_set_size": 60}, {"name": "hist_gradient_boosting", "n_trees": 3}]
Ratio = Callable[[Callable[[torch.Tensor], torch.Tensor]], dict[str, dict[str, float]]]


@pytest.fixture
def scored(cfg: Shrunk, tmp_path: Path) -> Ratio:
    """A function that changes real series of validation views, and scores on them what classifiers learn from that."""
    small = cfg(CGAN, reference_classifier=JUDGES)
    make_reference_classifier([small], tmp_path / "judges")
    for file in (tmp_path / "judges").glob("*/test.npz"):
        file.unlink()  # of test views, where validation views are scored
    config = read(ExperimentConfig, small)
    data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
    judges = open_judges([tmp_path / "judges"], data)
    assert len(judges) == len(JUDGES)

    def score(change: Callable[[torch.Tensor], torch.Tensor]) -> dict[str, dict[str, float]]:
        views = data.views("val")
        series = (change(data.series("val", number, ("target",))["target"]) for number in range(len(views)))
        learnt = learn_from_generated(judges, views, series, njobs=1)
        real = data.series("val", 0, ("target",))["target"]
        return score_real(0, real, class_map(views[0]), judges, learnt, njobs=1)

    return score


def test_real_series_teach_what_real_series_teach(scored: Ratio) -> None:
    for found in scored(lambda real: real).values():
        assert found["tstr"] == found["trtr"] > 0.5


def test_noise_teaches_nothing(scored: Ratio) -> None:
    generator = torch.Generator().manual_seed(0)
    for found in scored(lambda real: torch.rand(real.shape, generator=generator) * 2 - 1).values():
        assert found["tstr"] < found["trtr"] - 0.1


def test_without_the_same_on_real_series_there_is_no_score() -> None:
    assert learn_from_generated([], [], iter(()), njobs=1) == {}
    assert score_real(0, torch.zeros(2, 1, 3, 3), np.ones((3, 3), np.int16), [], {}, njobs=1) == {}
