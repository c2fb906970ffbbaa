"""`run_testing.py` with predictions on disk: ours score as they did when they were made, and anybody's are scored."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray
import yaml

import run_testing
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.views import to_reflectance
from tests.conftest import contents
from tests.rsgan.conftest import (
    BASELINES,
    CGAN,
    CONFIGS,
    FLOW,
    HORIZON,
    NO_GENERATION,
    SEQUENCE,
    SIDE,
    Shrunk,
    call,
    failure,
    options,
)
from utils import score_table
from utils.comparison import compare
from utils.config import load, read
from utils.results import read_scores
from utils.scores import SCORES

SPLIT = {"train": "1-5", "val": "6", "test": "7-8"}
RULES = [CONFIGS / f"cloud_removal/{rule}.yaml" for rule in ("cloudy_copy", "closest_clear_value")]


def data_of(cfg: Path) -> ToyDataModule:
    config = read(ExperimentConfig, cfg)
    return ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)


def truth(cfg: Path, folder: Path, *splits: str) -> Path:
    """A folder of predictions that are right."""
    data = data_of(cfg)
    folder.mkdir()
    for split in splits:
        for number, name in enumerate(data.names[split]):
            frames = data.series(split, number, ("target",))["target"].movedim(1, -1)
            np.savez(folder / f"{name}.npz", generated=to_reflectance(frames.numpy()))
    return folder


@pytest.mark.parametrize("file", [CGAN, FLOW, SEQUENCE, *RULES], ids=lambda file: file.stem)
def test_what_was_saved_is_scored_as_it_was_when_it_was_made(
    file: Path, cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], uninterrupted: Callable[..., Path]
) -> None:
    """All bytes of all tables and pictures, also of what is learnt from the validation views."""
    changes = {"experiment__variance_weight": 1} if file == SEQUENCE else {}
    small, name, saved = cfg(file, **changes), load(file)["experiment"]["name"], tmp_path / "saved"
    more = () if file in BASELINES else (f"--chkpt={uninterrupted(file, **changes) / 'checkpoints/best.ckpt'}",)
    arguments = options(small, tmp_path / "made", classifiers, f"--experiment_name={name}")
    assert call(run_testing, *arguments, *more, f"--save-predictions={saved}") == 0
    data = data_of(small)
    assert {path.name for path in saved.iterdir()} == {f"{view}.nc" for s in ("val", "test") for view in data.names[s]}
    arguments = options(small, tmp_path / "read", classifiers, f"--experiment_name={name}")
    assert call(run_testing, *arguments, f"--predictions={saved}") == 0
    made, found = (contents(tmp_path / place / name / "eval") for place in ("made", "read"))
    before, after = (json.loads(files.pop(SCORES)) for files in (made, found))
    assert {key: before[key] for key in before if key != "about"} == {
        key: after[key] for key in after if key != "about"
    }
    made.pop("samples.png"), found.pop("samples.png")  # which show what a method looks at
    assert made == found
    about = read_scores(tmp_path / "read" / name / "eval" / SCORES).about
    assert (about.kind, about.told, about.seed, about.checkpoint) == ("submission", None, None, None)


def test_anybodys_predictions_stand_beside_other_methods(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """All that is asked of a configuration is what experiments on a data set have in common."""
    small = cfg(CGAN, dataset__split=SPLIT)
    perfect = truth(small, tmp_path / "predictions", "test")
    common = tmp_path / "common.yaml"
    content = yaml.safe_load(small.read_text())
    content["experiment"] = {"seed": content["experiment"]["seed"]}
    common.write_text(yaml.safe_dump({key: content[key] for key in ("experiment", "dataset", "reference_classifier")}))
    out = tmp_path / "out"
    for file, name, more in ((small, "mine", []), (common, "told", ["--sees=series"])):
        arguments = options(file, out, classifiers, f"--experiment_name={name}", f"--predictions={perfect}", *more)
        assert call(run_testing, *arguments) == 0
    rule = cfg(CONFIGS / "cloud_removal/cloudy_copy.yaml", dataset__split=SPLIT)
    assert call(run_testing, *options(rule, out, classifiers)) == 0
    (comparison,) = compare(sorted(out.rglob(SCORES)))
    methods = {method.label: method for method in comparison.methods}
    mine, told, copy = (methods[name] for name in ("mine", "told", "cloudy_copy"))
    assert (mine.told, told.told) == ("–", "clouded_optical + sar, one series")
    scores = mine.results[0].scores
    assert scores.reflectance["rmse"].mean < 1e-7
    assert scores.reflectance["jaccard_ratio"].mean == 1
    assert scores.reflectance == told.results[0].scores.reflectance
    assert "tstr" not in scores.judges["logistic_regression"]  # without predictions of validation views
    assert "tstr" in copy.results[0].scores.judges["logistic_regression"]
    capsys.readouterr()
    assert call(score_table, out) == 0
    assert "| mine | 1 |" in capsys.readouterr().out


def test_the_list_says_what_is_expected(
    cfg: Shrunk, classifiers: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = cfg(CGAN, dataset__split=SPLIT)
    assert call(run_testing, f"--cfg={small}", "--predictions-list") == 0
    found = yaml.safe_load(capsys.readouterr().out)
    assert found["views"] == {"train": ["1", "2", "3", "4", "5"], "val": ["6"], "test": ["7", "8"]}
    assert found["steps"] == [*range(HORIZON)]
    assert f"({HORIZON}, {SIDE}, {SIDE}, 3)" in found["generated"]
    assert found["sources"] == {"clouded_optical": "3 bands", "sar": "3 bands"}
    assert "--o: missing" in failure(capsys, run_testing, f"--cfg={small}")


def test_mistakes_with_predictions(
    cfg: Shrunk,
    tmp_path: Path,
    classifiers: dict[str, Path],
    uninterrupted: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    small, out = cfg(CGAN, dataset__split=SPLIT | {"val": "5-6", "train": "1-4"}), tmp_path / "out"
    folder = truth(small, tmp_path / "predictions", "test")
    given = options(small, out, classifiers, f"--predictions={folder}")
    named = [*given, "--experiment_name=mine"]
    for arguments, message in (
        (given, "--experiment_name: missing; name the method that --predictions are of"),
        ([*named, "--knock_outs"], "--knock_outs: found it beside --predictions"),
        ([*named, "--chkpt=x.ckpt"], "--chkpt: found it beside --predictions"),
        ([*named, f"--save-predictions={tmp_path / 'x'}"], "--save-predictions: found it beside --predictions"),
        ([*given[:3], "--scale=255"], "found one of them without --predictions"),
    ):
        assert message in failure(capsys, run_testing, *arguments)
    shutil.copytree(uninterrupted(CGAN), out / "run")
    assert "the folder of a run that was trained there" in failure(capsys, run_testing, *given, "--experiment_name=run")
    shutil.copy(folder / "7.npz", folder / "5.npz")
    assert "found no predictions of 1 of 2 validation views (6)" in failure(capsys, run_testing, *named)
    for name in ("7", "8"):
        np.savez(folder / f"{name}.npz", generated=np.zeros((1, 2, 3, 4), np.float32))
    (folder / "5.npz").unlink()
    assert "2 problems: (1) " in failure(capsys, run_testing, *named)
    (folder / "8.npz").unlink()
    assert "found no predictions of 1 of 2 test views (8)" in failure(capsys, run_testing, *named)
    assert not (out / "mine").exists()


def test_predictions_are_saved_whole_or_not_at_all(
    cfg: Shrunk,
    tmp_path: Path,
    classifiers: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    saved = f"--save-predictions={tmp_path / 'saved'}"
    nothing = cfg(NO_GENERATION[0])
    arguments = options(nothing, tmp_path / "out", classifiers)
    assert "generates nothing; leave it out" in failure(capsys, run_testing, *arguments, saved)
    arguments = options(cfg(BASELINES[0]), tmp_path / "out", classifiers, saved)
    monkeypatch.setattr(xarray.Dataset, "to_netcdf", fail)
    assert call(run_testing, *arguments) == 1
    assert not [*tmp_path.glob("*saved*")]
    monkeypatch.undo()
    assert call(run_testing, *arguments) == 0
    assert "exists, and is never replaced" in failure(capsys, run_testing, *arguments)


def fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")
