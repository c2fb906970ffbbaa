"""Which judge is that of the headline, and where judges are looked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.archive import save_classifier
from src.rsgan.evaluation.classifiers import CLASSIFIERS
from src.rsgan.evaluation.judges import open_judges
from tests.rsgan.conftest import CGAN, HORIZON, Shrunk
from utils.config import read

NAMES = ("hist_gradient_boosting", "logistic_regression")


@pytest.fixture
def data(cfg: Shrunk) -> ToyDataModule:
    config = read(ExperimentConfig, cfg(CGAN))
    return ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)


def make(folder: Path, name: str, jaccard: float | None) -> Path:
    series, labels = np.random.default_rng(0).random((30, HORIZON, 3), np.float32), np.arange(30) % 2 + 1
    fitted = CLASSIFIERS.entries[name]().fit(lambda: iter([(series, labels)]))
    path = folder / name / "classifier.npz"
    save_classifier(replace(fitted, validation_jaccard=jaccard), path)
    return path


@pytest.mark.parametrize(
    ("jaccards", "headline"),
    [
        ((0.8, 0.9), NAMES[1]),
        ((0.9, 0.8), NAMES[0]),
        ((0.8, 0.8), NAMES[0]),
        ((None, 0.1), NAMES[1]),
        ((0.0, None), NAMES[0]),
    ],
)
def test_the_headline_is_of_the_best_on_validation_views_and_of_equals_the_first_by_name(
    jaccards: tuple[float | None, float | None], headline: str, data: ToyDataModule, tmp_path: Path
) -> None:
    files = [make(tmp_path, *pair) for pair in zip(NAMES, jaccards, strict=True)]
    for paths in ([tmp_path], files, files[::-1], [file.parent for file in files]):
        judges = [judge.settings.name for judge in open_judges(paths, data)]
        assert judges == [headline, *(name for name in NAMES if name != headline)]
