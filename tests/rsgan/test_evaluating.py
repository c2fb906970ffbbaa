"""`make_reference_classifier.py` and `run_testing.py` as users run them: what they leave, and every mistake."""

import csv
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import make_reference_classifier
import run_testing
import run_training
from src.rsgan.checkpoint import IDENTITY
from src.rsgan.configuration import read_experiment
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.store import Sample
from src.rsgan.evaluation.classifiers import CLASSIFIERS, load_classifier
from src.rsgan.evaluation.pixels import PixelSample
from src.rsgan.testing import open_translator
from tests.conftest import ROOT, contents
from tests.rsgan.conftest import BASELINES, CGAN, CYCLE, HORIZON, RECURRENT, UPPER_BOUND, Payload, Shrunk, shrink
from utils.cli import run
from utils.config import load

RESULTS = {
    "test_scores.json",
    "views.csv",
    "by_cloud_cover.csv",
    "metrics.json",
    "by_class.csv",
    *(f"confusion_{kind}.{suffix}" for kind in ("real", "generated") for suffix in ("csv", "png")),
    "samples.png",
    "classification.png",
}
PUBLISHED = [
    *(f"test_{name}" for name in ("mae", "mse", "psnr", "ssim", "sam")),
    *(f"test_jaccard_{name}" for name in ("generated_samples", "real_samples", "ratio")),
]
Trained = Callable[[Path], Path]


def call(script: Any, *arguments: object) -> int:
    return run(script.build_parser(), script.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def classifiers(roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A reference classifier of each data set."""
    folder = tmp_path_factory.mktemp("classifiers")
    for file in (CGAN, CYCLE):
        content = shrink(load(file), roots)
        cfg = folder / "config.yaml"
        cfg.write_text(yaml.safe_dump(content))
        out = folder / content["dataset"]["name"]
        assert call(make_reference_classifier, f"--cfg={cfg}", f"--o={out}", "--njobs=1") == 0
    return {name: folder / name for name in roots}


def options(cfg: Path, out: Path, classifiers: dict[str, Path], *more: object) -> list[object]:
    name = yaml.safe_load(cfg.read_text())["dataset"]["name"]
    return [f"--cfg={cfg}", f"--o={out}", f"--classifier={classifiers[name]}", *more]


@pytest.fixture
def tested(cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], uninterrupted: Callable[..., Path]) -> Trained:
    """A function that tests a file's experiment, trained where that is needed, and returns its folder."""

    def make(file: Path) -> Path:
        folder = tmp_path / "out" / load(file)["experiment"]["name"]
        if file not in BASELINES:
            shutil.copytree(uninterrupted(file), folder)
        assert call(run_testing, *options(cfg(file), tmp_path / "out", classifiers)) == 0
        return folder

    return make


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


# -- what is left


@pytest.mark.parametrize(
    "file", [CGAN, UPPER_BOUND, RECURRENT, CYCLE, *BASELINES], ids=lambda f: str(f.relative_to(ROOT))
)
def test_every_experiment_is_scored(file: Path, tested: Trained) -> None:
    folder = tested(file) / "eval"
    assert {path.name for path in folder.iterdir()} == RESULTS
    scores = json.loads((folder / "test_scores.json").read_text())
    assert list(scores)[:8] == PUBLISHED
    assert all(isinstance(scores[key], float) for key in PUBLISHED)
    views = rows(folder / "views.csv")
    assert len(views) == scores["about"]["views"]["test"] == 1
    assert float(views[0]["rmse"]) == scores["reflectance"]["rmse"]["mean"] > 0
    assert scores["about"]["experiment"] == folder.parent.name
    assert (scores["about"]["seed"] is None) == (file in BASELINES)
    for kind in ("real", "generated"):
        matrix = [[int(row[f"predicted {i}"]) for i in (1, 2)] for row in rows(folder / f"confusion_{kind}.csv")]
        hits = np.trace(matrix)
        assert float(views[0][f"jaccard_{kind}"]) == pytest.approx(hits / (2 * np.sum(matrix) - hits))
    for picture in folder.glob("*.png"):
        levels = np.asarray(Image.open(picture).convert("L"))
        assert min(levels.shape) > 200
        assert levels.std() > 5


def test_testing_again_gives_the_same_bytes(tested: Trained, cfg: Shrunk, classifiers: dict, tmp_path: Path) -> None:
    folder = tested(CGAN) / "eval"
    before = contents(folder)
    assert call(run_testing, *options(cfg(CGAN), tmp_path / "out", classifiers)) == 0
    assert contents(folder) == before


def test_the_classifier_is_the_same_for_every_experiment_and_every_number_of_chunks(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path]
) -> None:
    expected = load_classifier(classifiers["toy_cloud_removal"] / "classifier.npz").model["parameters"]
    for name, file, chunks in (("a", RECURRENT, 1), ("b", CGAN, 3), ("c.npz", BASELINES[0], 1)):
        small = cfg(file, reference_classifier__n_chunks=chunks)
        assert call(make_reference_classifier, f"--cfg={small}", f"--o={tmp_path / name}", "--njobs=1") == 0
        path = tmp_path / name if name.endswith(".npz") else tmp_path / name / "classifier.npz"
        np.testing.assert_array_equal(load_classifier(path).model["parameters"], expected)
    assert {"c.npz", "scores.json", "confusion_matrix.png"} < {path.name for path in tmp_path.iterdir()}


def test_scores_of_the_classifier(classifiers: dict[str, Path], cfg: Shrunk) -> None:
    folder = classifiers["toy_cloud_removal"]
    assert {path.name for path in folder.iterdir()} == {"classifier.npz", "scores.json", "confusion_matrix.png"}
    scores = json.loads((folder / "scores.json").read_text())
    config = read_experiment(cfg(CGAN))
    data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
    sample = PixelSample.draw(data.views("val"), None, rng=np.random.default_rng(0))
    fitted = load_classifier(folder / "classifier.npz")
    right = [fitted.predict(series) == labels for series, labels in sample]
    assert scores["validation"]["accuracy"] == pytest.approx(np.concatenate(right).mean())
    assert scores["validation"]["pixel_series"] == len(sample)
    assert set(scores["validation"]["jaccard_by_class"]) == {"1", "2"}


def test_a_classifier_that_is_no_good_is_called_so(
    cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Few pixel series of one view in memory tell nothing of another."""
    small = cfg(CGAN, reference_classifier__train_set_size=4)
    assert call(make_reference_classifier, f"--cfg={small}", f"--o={tmp_path / 'few'}") == 0
    scores = json.loads((tmp_path / "few/scores.json").read_text())
    assert scores["validation"]["jaccard"] < 0.8
    assert "on real validation images: below 0.8" in capsys.readouterr().err


# -- how series are generated


def translator_of(cfg: Path, folder: Path) -> tuple[Any, ToyDataModule]:
    config = read_experiment(cfg)
    data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
    found, _ = open_translator(config, data, folder / "checkpoints/best.ckpt", torch.device("cpu"))
    return found, data


@torch.no_grad()
@pytest.mark.parametrize("file", [CGAN, CYCLE])
def test_frames_do_not_depend_on_those_beside_them(file: Path, tested: Trained, cfg: Shrunk) -> None:
    translator, data = translator_of(cfg(file), tested(file))
    series = data.series("test", 0, ("source", "target"))
    whole = translator.translate(series)
    for size in (1, 4):
        parts = [
            translator.translate(
                Sample(first=True, **{kind: series[kind][i : i + size] for kind in ("source", "target")})
            )
            for i in range(0, HORIZON, size)
        ]
        torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_recurrent_experiment_goes_on_from_its_own_outputs(tested: Trained, cfg: Shrunk) -> None:
    translator, data = translator_of(cfg(RECURRENT), tested(RECURRENT))
    series = data.series("test", 0, ("source", "target"))
    previous = torch.zeros_like(series["target"][:1])
    for step, made in enumerate(translator.translate(series)):
        previous = translator.generator(torch.cat([series["source"][step : step + 1], previous], dim=1))
        torch.testing.assert_close(previous[0], made)


# -- mistakes


def failure(capsys: pytest.CaptureFixture[str], script: Any, *arguments: object) -> str:
    capsys.readouterr()
    assert call(script, *arguments) == 2
    shown = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert len(shown) == 1
    return shown[0]


def test_nothing_to_test(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = options(cfg(CGAN), out, classifiers)
    assert "no such checkpoint; train it with run_training.py" in failure(capsys, run_testing, *arguments)
    shown = failure(capsys, run_testing, *arguments, "--chkpt=none.ckpt")
    assert "none.ckpt: no such checkpoint file" in shown
    shown = failure(capsys, run_testing, *arguments[:2], "--classifier=none")
    assert "none: no such classifier file" in shown
    file = cfg(CGAN, testing__reference_classifier_path=None)
    shown = failure(capsys, run_testing, f"--cfg={file}", f"--o={out}")
    assert "testing.reference_classifier_path: found none; make one with make_reference_classifier.py" in shown
    file = cfg(CGAN, dataset__split={"train": 0.8, "val": 0.2, "test": 0.0})
    shown = failure(capsys, run_testing, *options(file, out, classifiers))
    assert "dataset.split.test: found 0, expected a share of the views to test on" in shown
    assert not out.exists()


def test_checkpoints_of_something_else(
    cfg: Shrunk, tested: Trained, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tested(CGAN) / "checkpoints/best.ckpt"
    for file, changes, message in (
        (UPPER_BOUND, {}, "experiment.name: found cgan_toy_cloud_removal, expected cgan_toy_cloud_removal_upper_bound"),
        (CGAN, {"experiment__seed": 1}, "experiment.seed: found 73, expected 1"),
        (
            CGAN,
            {"dataset__split": {"train": 0.5, "val": 0.25, "test": 0.25}},
            "dataset.split.test: found 0.15, expected 0.25",
        ),
    ):
        arguments = options(cfg(file, **changes), tmp_path / "other", classifiers, f"--chkpt={checkpoint}")
        shown = failure(capsys, run_testing, *arguments)
        assert "a checkpoint of another experiment" in shown
        assert message in shown
    arguments = options(cfg(BASELINES[0]), tmp_path / "other", classifiers, f"--chkpt={checkpoint}")
    assert "which needs none; leave it out" in failure(capsys, run_testing, *arguments)


def test_no_file_runs_code(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "executed"
    torch.save({IDENTITY: {}, "state_dict": Payload(target)}, tmp_path / "bad.ckpt")
    (tmp_path / "bad.npz").write_bytes(pickle.dumps(Payload(target)))
    arguments = options(cfg(CGAN), tmp_path / "out", classifiers)
    shown = failure(capsys, run_testing, *arguments, f"--chkpt={tmp_path / 'bad.ckpt'}")
    assert "holds more than tensors and plain values" in shown
    shown = failure(capsys, run_testing, *arguments[:2], f"--classifier={tmp_path / 'bad.npz'}")
    assert "expected a classifier file" in shown
    assert not target.exists()


@pytest.mark.parametrize(
    ("horizon", "bands", "labels", "message"),
    [
        (HORIZON + 1, 3, 2, "time steps: found 7, expected 6"),
        (HORIZON, 2, 2, "bands: found 2, expected 3"),
        (HORIZON, 3, 3, "classes: found [1, 2, 3], expected [1, 2]"),
    ],
)
def test_classifiers_for_other_data(
    horizon: int, bands: int, labels: int, message: str, cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = np.arange(30) % labels + 1
    series = np.random.default_rng(0).random((30, horizon, bands), np.float32)
    fitted = CLASSIFIERS.entries["logistic_regression"]().fit(lambda: iter([(series, classes)]))
    fitted.save(tmp_path / "other.npz")
    arguments = [f"--cfg={cfg(BASELINES[0])}", f"--o={tmp_path / 'out'}", f"--classifier={tmp_path / 'other.npz'}"]
    assert message in failure(capsys, run_testing, *arguments)


def test_views_that_the_classifier_may_have_seen(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    small = cfg(BASELINES[0], experiment__seed=4)
    assert call(run_testing, *options(small, tmp_path / "out", classifiers)) == 0
    assert "warning: " in capsys.readouterr().err


def test_what_is_no_evaluation_is_never_replaced(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = BASELINES[0]
    mine = tmp_path / "out" / load(file)["experiment"]["name"] / "eval/mine.txt"
    mine.parent.mkdir(parents=True)
    mine.touch()
    shown = failure(capsys, run_testing, *options(cfg(file), tmp_path / "out", classifiers))
    assert "found something that is not an evaluation" in shown
    assert mine.exists()


def test_baselines_cannot_be_trained(cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = failure(capsys, run_training, f"--cfg={cfg(BASELINES[0])}", f"--o={tmp_path / 'out'}")
    assert "a baseline that needs no training; run run_testing.py with this file" in shown
