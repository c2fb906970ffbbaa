"""The table of several experiments and seeds."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from utils import score_table
from utils.cli import run


def write(folder: Path, experiment: str, seed: int | None, ratio: float, **about: Any) -> Path:
    """A score file in which every score is `ratio`."""
    reflectance = {key: {"mean": ratio, "low": ratio, "high": ratio, "count": 3} for key in score_table.REFLECTANCE}
    reflectance["correlation"]["mean"] = None
    content = dict.fromkeys(score_table.ORIGINAL, ratio) | {"test_psnr": "inf", "reflectance": reflectance}
    content["about"] = {
        "experiment": experiment,
        "seed": seed,
        "dataset": "toy_cloud_removal",
        "data": "abc",
        "views": {"train": 175, "val": 37, "test": 38},
        "height": 256,
        "width": 256,
        "horizon": 30,
        "classifier": "logistic_regression",
        **about,
    }
    path = folder / f"{experiment}_{seed}" / "eval" / score_table.FILE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return path


def call(*arguments: object) -> int:
    return run(score_table.build_parser(), score_table.main, [str(argument) for argument in arguments])


def test_means_and_intervals_over_seeds(tmp_path: Path) -> None:
    values = [0.5, 0.6, 0.9]
    for seed, value in enumerate(values):
        write(tmp_path, "cgan_toy_cloud_removal", seed, value)
    write(tmp_path, "cloudy_copy", None, 0.8)
    assert call(tmp_path, f"--o={tmp_path / 'table'}") == 0
    with (tmp_path / "table/scores.csv").open() as stream:
        best, gan = csv.DictReader(stream)
    assert (best["experiment"], best["seeds"], best["test_mae_±"]) == ("cloudy_copy", "1", "")
    assert float(gan["rmse"]) == pytest.approx(2 / 3)
    low, high = stats.t.interval(0.95, 2, loc=2 / 3, scale=stats.sem(values))
    assert float(gan["rmse_±"]) == pytest.approx((high - low) / 2)
    assert gan["correlation"] == ""
    assert gan["test_psnr"] == "inf"


def test_published_figures_stand_beside_data_of_the_published_size_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = write(tmp_path / "full", "cgan_toy_cloud_removal", 1, 0.5)
    small = write(tmp_path / "small", "cgan_toy_cloud_removal", 1, 0.5, height=64, width=64)
    for path, published in ((full, True), (small, False)):
        assert call(path) == 0
        shown = capsys.readouterr().out
        assert ("| *published* | *5* | *0.246* |" in shown) == published
        assert "Reflectance protocol" in shown
        assert "| cgan_toy_cloud_removal | 1 | 0.500 |" in shown


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write(tmp_path / "one", "cgan_toy_cloud_removal", 1, 0.5)
    other = write(tmp_path / "other", "cloudy_copy", None, 0.5, data="xyz")
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "worse.json").write_text("[")
    for arguments, message in (
        ([tmp_path / "none"], "found no test_scores.json"),
        ([one, one], "cgan_toy_cloud_removal: found two files of seed 1; leave one out"),
        ([one, other], "toy_cloud_removal: found scores of 2 different sets of views"),
        ([tmp_path / "bad.json"], "key 'test_mae' is missing"),
        ([tmp_path / "worse.json"], "not a score file ("),
    ):
        assert call(*arguments) == 2
        assert message in capsys.readouterr().err
