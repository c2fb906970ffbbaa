"""Knock-outs: one product is changed and nothing else, and what is made of it is scored as ever."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import make_reference_classifier
import run_testing
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.classifiers import CLASSIFIERS
from src.rsgan.evaluation.knock_outs import list_changes, score_changed
from src.rsgan.evaluation.pixels import classify
from src.rsgan.evaluation.scoring import score_view
from tests.rsgan.conftest import CGAN, CONFIGS, HORIZON, Shrunk
from tests.rsgan.test_evaluating import call
from utils import score_table
from utils.config import read
from utils.results import read_scores

SPLIT = {"train": "1-4", "val": "5", "test": "6-8"}
SAR = slice(3, 6)  # of the source: clouded optical, then SAR


def data_of(file: Path, cfg: Shrunk) -> ToyDataModule:
    config = read(ExperimentConfig, cfg(file, dataset__split=SPLIT))
    return ToyDataModule(config.dataset, split_seed=0, seed=0)


def test_one_product_is_that_of_the_next_view_or_tells_nothing(cfg: Shrunk) -> None:
    data = data_of(CGAN, cfg)
    changes = list_changes(data, ["clouded_optical", "sar"])
    assert list(changes) == ["sar of another view", "no sar"]
    sources = [data.series("test", number, ("source",))["source"] for number in range(3)]
    training = [data.series("train", number, ("source",))["source"] for number in range(4)]
    mean = np.mean([series[:, SAR].numpy() for series in training], axis=(0, 1, 3, 4), dtype=np.float64)
    for number, source in enumerate(sources):
        before = source.clone()
        other, none = (change(number, source) for change in changes.values())
        assert torch.equal(source, before)
        for changed in (other, none):
            assert torch.equal(changed[:, :3], source[:, :3])
        assert torch.equal(other[:, SAR], sources[(number + 1) % 3][:, SAR])
        np.testing.assert_allclose(
            none[:, SAR].numpy(), np.broadcast_to(mean.reshape(3, 1, 1), other[:, SAR].shape), 1e-5
        )


def test_only_products_that_a_method_looks_at_and_a_view_that_is_another(cfg: Shrunk) -> None:
    data = data_of(CGAN, cfg)
    assert list_changes(data, ["clouded_optical"]) == list_changes(data, ["clean_optical"]) == {}
    alone = read(ExperimentConfig, cfg(CGAN, dataset__split=SPLIT | {"test": "6"}))
    assert list(list_changes(ToyDataModule(alone.dataset, split_seed=0, seed=0), ["sar"])) == ["no sar"]


def test_scores_are_those_of_testing() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, (12, 14))
    generated, real = (torch.from_numpy(rng.random((HORIZON, 3, 12, 14), np.float32)) for _ in range(2))
    labels = np.arange(60) % 2 + 1
    series = rng.random((60, HORIZON, 3), np.float32) + labels[:, None, None].astype(np.float32) / 9
    judge = CLASSIFIERS.entries["logistic_regression"]().fit(lambda: iter([(series, labels)]))
    clear, on_real = torch.zeros(HORIZON, 12, 14), classify(real, classes, [judge], njobs=1)
    expected = score_view(generated, real, classes, classes, clear, [judge], on_real).figures
    found = score_changed(generated, real, classes, judge, njobs=1)
    assert found == {key: pytest.approx(expected[key]) for key in ("rmse", "jaccard_generated")}
    without_images = score_changed(generated, None, classes, judge, njobs=1)
    assert math.isnan(without_images["rmse"])
    assert without_images["jaccard_generated"] == found["jaccard_generated"]


def test_one_command_says_what_a_score_rests_on(
    cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The regression rests on SAR alone: without it, all pixels are as one. A rule that fills gaps never sees it."""
    judges = tmp_path / "judges"
    for name, rests_on in (("sar_to_optical/linear_regression", True), ("cloud_removal/closest_clear_value", False)):
        small = cfg(CONFIGS / f"{name}.yaml", dataset__split=SPLIT)
        assert call(make_reference_classifier, f"--cfg={small}", f"--o={judges}", "--njobs=1") == 0
        found = []
        for more in ([], ["--knock_outs"]):
            arguments = [f"--cfg={small}", f"--o={tmp_path / 'out'}", f"--classifier={judges}", *more]
            assert call(run_testing, *arguments) == 0
            path = tmp_path / "out" / Path(name).name / "eval/test_scores.json"
            found.append(json.loads(path.read_text()))
        knock_outs = found[1].pop("knock_outs", {})
        assert found[0] == found[1]
        assert list(knock_outs) == (["sar of another view", "no sar"] if rests_on else [])
        if rests_on:
            scores = read_scores(path)
            assert scores.knock_outs["sar of another view"].rmse.mean > scores.reflectance["rmse"].mean
            capsys.readouterr()
            assert call(score_table, path) == 0
            shown = capsys.readouterr().out
            assert f" | no sar | {scores.knock_outs['no sar'].rmse.mean:.3f} | " in shown
            assert f" | nothing | {scores.reflectance['rmse'].mean:.3f} | " in shown
