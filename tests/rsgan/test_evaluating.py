"""`make_reference_classifier.py` and `run_testing.py` as users run them: what they leave, and every mistake."""

import errno
import json
import math
import pickle
import shutil
import types
from collections.abc import Callable
from dataclasses import replace
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
from src.rsgan import testing
from src.rsgan.baselines import Rule
from src.rsgan.checkpoint import IDENTITY
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.store import Batch
from src.rsgan.data.views import View
from src.rsgan.evaluation import archive
from src.rsgan.evaluation.archive import load_classifier, save_classifier
from src.rsgan.evaluation.classifiers import CLASSIFIERS
from src.rsgan.evaluation.pixels import PixelSample
from src.rsgan.experiments import Generated, Translator
from src.rsgan.translator import open_experiment
from src.toygeneration.dataset.views import build_views
from src.toygeneration.export import ProductDataset
from tests.conftest import CLOUDS, MOVING_CLOUDS, ROOT, change, contents
from tests.rsgan import conftest
from tests.rsgan.conftest import (
    BASELINES,
    CGAN,
    CONFIGS,
    CYCLE,
    FLOW,
    HORIZON,
    NO_GENERATION,
    RECURRENT,
    UPPER_BOUND,
    VIEWS,
    Payload,
    Shrunk,
    call,
    failure,
    options,
    shrink,
)
from utils import score_table
from utils.comparison import compare
from utils.config import load, read
from utils.results import ConfusionRow, ViewRow, find_scores, read_classifier_scores, read_scores
from utils.scores import BY_CLOUD_COVER, RESULTS, SAMPLES, TABLES
from utils.tables import read_rows

Trained = Callable[[Path], Path]


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


# -- what is left


@pytest.mark.parametrize(
    "file", [CGAN, UPPER_BOUND, RECURRENT, CYCLE, FLOW, *BASELINES], ids=lambda f: str(f.relative_to(ROOT))
)
def test_every_experiment_is_scored(file: Path, tested: Trained) -> None:
    folder = tested(file) / "eval"
    scores = read_scores(folder / "test_scores.json")
    content = json.loads((folder / "test_scores.json").read_text())
    assert list(content)[:8] == [score.key for score in TABLES["original"]]
    about, images = scores.about, file not in NO_GENERATION
    for score in TABLES["original"]:
        assert isinstance(content[score.key], float if images or "jaccard" in score.key else types.NoneType)
    (view,) = read_rows(folder / "views.csv", ViewRow)
    if images:
        assert view.value("rmse") == scores.reflectance["rmse"].mean > 0
    assert (about.experiment, about.views.test) == (folder.parent.name, 1)
    rule = {"oracle": "upper bound", "no_generation": "no generation"}.get(about.experiment, "baseline")
    assert about.kind == (rule if file in BASELINES else "upper bound" if file == UPPER_BOUND else "network")
    assert (about.seed is None) == (file in BASELINES)
    clouds = about.dataset == "toy_cloud_removal"
    missing = {name for name, there in ((BY_CLOUD_COVER, clouds), (SAMPLES, images)) if not there}
    assert {path.name for path in folder.iterdir()} == {*RESULTS} - missing
    assert clouds == any("cloud" in key or "clear" in key for key in scores.reflectance)
    for kind in ("real", "generated"):
        rows = read_rows(folder / f"confusion_{kind}.csv", ConfusionRow)
        matrix = np.array([row.predicted for row in rows])
        hits = np.trace(matrix)
        assert view.value(f"jaccard_{kind}") == pytest.approx(hits / (2 * np.sum(matrix) - hits))
    for picture in folder.glob("*.png"):
        levels = np.asarray(Image.open(picture).convert("L"))
        assert min(levels.shape) > 200
        assert levels.std() > 5


def test_judges_that_learn_from_the_target_itself_are_the_judges_of_real_images(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path]
) -> None:
    small = cfg(NO_GENERATION[0], dataset__sources=["clean_optical"])
    assert call(run_testing, *options(small, tmp_path / "out", classifiers)) == 0
    folder = tmp_path / "out/no_generation/eval"
    found = read_scores(folder / "test_scores.json").reflectance
    assert found["jaccard_generated"] == found["jaccard_real"]
    assert (found["jaccard_ratio"].low, found["jaccard_ratio"].high) == (1, 1)
    assert (folder / "confusion_generated.csv").read_bytes() == (folder / "confusion_real.csv").read_bytes()


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
    files = {"classifier.npz", "validation.npz", "test.npz", "scores.json", "confusion_matrix.png"}
    assert {path.name for path in folder.iterdir()} == files
    scores = json.loads((folder / "scores.json").read_text())
    config = read(ExperimentConfig, cfg(CGAN))
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
    assert read_classifier_scores(tmp_path / "few/scores.json").validation.jaccard < 0.8
    assert "on real validation images: below 0.8" in capsys.readouterr().err


# -- how series are generated


def translator_of(cfg: Path, folder: Path) -> tuple[Translator, ToyDataModule]:
    config = read(ExperimentConfig, cfg)
    data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
    found = open_experiment(config, data, folder / "checkpoints/best.ckpt", torch.device("cpu"))
    return found.translator, data


@torch.no_grad()
@pytest.mark.parametrize("file", [CGAN, CYCLE])
def test_frames_do_not_depend_on_those_beside_them(file: Path, uninterrupted: Trained, cfg: Shrunk) -> None:
    translator, data = translator_of(cfg(file), uninterrupted(file))
    series = data.series("test", 0, ("source", "target"))
    whole = translator.translate(series)
    for size in (1, 4):
        parts = [
            translator.translate(
                Batch(first=True, **{kind: series[kind][i : i + size] for kind in ("source", "target")})
            )
            for i in range(0, HORIZON, size)
        ]
        torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_recurrent_experiment_goes_on_from_its_own_outputs(uninterrupted: Trained, cfg: Shrunk) -> None:
    translator, data = translator_of(cfg(RECURRENT), uninterrupted(RECURRENT))
    series = data.series("test", 0, ("source", "target"))
    previous = torch.zeros_like(series["target"][:1])
    for step, made in enumerate(translator.translate(series)):
        previous = translator.generator(torch.cat([series["source"][step : step + 1], previous], dim=1))
        torch.testing.assert_close(previous[0], made)


# -- mistakes


def test_nothing_to_test(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = options(cfg(CGAN), out, classifiers)
    assert "no such checkpoint; train it with run_training.py" in failure(capsys, run_testing, *arguments)
    shown = failure(capsys, run_testing, *arguments, "--chkpt=none.ckpt")
    assert "none.ckpt: no such file, expected a checkpoint" in shown
    shown = failure(capsys, run_testing, *arguments[:2], "--classifier=none")
    assert "none: no such file, expected a classifier file" in shown
    file = cfg(CGAN, testing__reference_classifier_path=None)
    shown = failure(capsys, run_testing, f"--cfg={file}", f"--o={out}")
    assert "testing.reference_classifier_path: found none; make one with make_reference_classifier.py" in shown
    file = cfg(CGAN, dataset__split={"train": 0.8, "val": 0.2, "test": 0.0})
    shown = failure(capsys, run_testing, *options(file, out, classifiers))
    assert "dataset.split.test: found 0, expected a share of the views to test on" in shown
    assert not out.exists()


def test_checkpoints_of_something_else(
    cfg: Shrunk,
    uninterrupted: Trained,
    tmp_path: Path,
    classifiers: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = uninterrupted(CGAN) / "checkpoints/best.ckpt"
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


def test_a_network_is_told_what_its_file_says(
    cfg: Shrunk,
    tmp_path: Path,
    classifiers: dict[str, Path],
    uninterrupted: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = uninterrupted(CGAN, dataset__opacity="estimated") / "checkpoints/best.ckpt"
    told = cfg(CGAN, dataset__opacity="estimated")
    assert call(run_testing, *options(told, tmp_path / "out", classifiers, f"--chkpt={checkpoint}")) == 0
    assert read_scores(tmp_path / "out/run/eval/test_scores.json").about.told.opacity == "estimated"
    arguments = options(cfg(CGAN), tmp_path / "out", classifiers, f"--chkpt={checkpoint}")
    assert "dataset.opacity: found estimated, expected None" in failure(capsys, run_testing, *arguments)


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
    save_classifier(fitted, tmp_path / "other.npz")
    arguments = [f"--cfg={cfg(BASELINES[0])}", f"--o={tmp_path / 'out'}", f"--classifier={tmp_path / 'other.npz'}"]
    assert message in failure(capsys, run_testing, *arguments)


def test_a_warning_where_the_classifier_may_have_seen_test_views_and_nowhere_else(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Sources are none of its business: the same images are asked for with radar and without."""
    kept = {}
    for name, changes, warned in (
        ("with radar", {}, False),
        ("without", {"dataset__sources": ["clouded_optical"], "dataset__name": "toy_cloud_removal"}, False),
        ("another split", {"experiment__seed": 4}, True),
    ):
        small = cfg(BASELINES[0], **changes)
        arguments = options(small, tmp_path / "out", classifiers, f"--experiment_name={name}")
        assert call(run_testing, *arguments) == 0
        assert ("may have seen test views" in capsys.readouterr().err) == warned
        kept[name] = read_scores(tmp_path / "out" / name / "eval/test_scores.json").about
    assert kept["with radar"].comparison == kept["without"].comparison != kept["another split"].comparison
    assert kept["with radar"].run != kept["without"].run


def test_only_files_that_testing_wrote_are_replaced(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = BASELINES[0]
    folder = tmp_path / "out" / load(file)["experiment"]["name"] / "eval"
    (folder / "reference_classifier").mkdir(parents=True)
    (folder / "reference_classifier/classifier.pickle").touch()
    (folder / "mine.txt").touch()
    arguments = options(cfg(file), tmp_path / "out", classifiers)
    assert call(run_testing, *arguments) == 0
    assert {path.name for path in folder.iterdir()} == {*RESULTS, "mine.txt", "reference_classifier"}
    before = contents(folder)
    (folder / "by_class.csv").write_text("stale")
    monkeypatch.setattr("src.rsgan.evaluation.outcome.draw_class_maps", fail)
    assert call(run_testing, *arguments) == 1
    assert contents(folder) == before | {"by_class.csv": b"stale"}
    monkeypatch.undo()
    assert call(run_testing, *arguments) == 0
    assert contents(folder) == before


def fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_results_are_named_after_the_run_that_a_checkpoint_belongs_to(
    cfg: Shrunk, tmp_path: Path, classifiers: dict[str, Path], uninterrupted: Callable[..., Path]
) -> None:
    trained = uninterrupted(CGAN)
    for place in ("seed_17/checkpoints", "seed_37"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(trained / "checkpoints/best.ckpt", tmp_path / place / "x.ckpt")
        arguments = options(cfg(CGAN), tmp_path / "out", classifiers, f"--chkpt={tmp_path / place / 'x.ckpt'}")
        assert call(run_testing, *arguments) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"seed_17", "seed_37"}
    assert call(run_testing, *arguments, "--experiment_name=mine") == 0
    one, other = (read_scores(tmp_path / "out" / name / "eval/test_scores.json") for name in ("seed_37", "mine"))
    assert one == other
    assert call(run_testing, *arguments, "--experiment_name=../mine") == 2


def test_frames_too_small_and_series_too_short_have_no_score_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the Gaussian window nor a correlation over time fits into one frame of 8 x 8 pixels."""
    root = tmp_path / "toy"
    monkeypatch.setattr(conftest, "SIDE", 8)
    size = {"width": 8, "height": 8}
    monkeypatch.setattr(conftest, "SCENE", change(conftest.SCENE, product__size=size, product__horizon=1))
    tiny = conftest.small_task("clean_optical", clouded_optical=conftest.derive("clean_optical", corruption=CLOUDS))
    assert build_views(tiny, root, range(1, VIEWS + 1), njobs=1) == {}
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(shrink(load(BASELINES[0]), {"toy_cloud_removal": root})))
    out, judge = tmp_path / "out", tmp_path / "judge"
    assert call(make_reference_classifier, f"--cfg={file}", f"--o={judge}", "--njobs=1") == 0
    assert call(run_testing, f"--cfg={file}", f"--o={out}", f"--classifier={judge}") == 0
    (path,) = find_scores(out)
    scores = read_scores(path)
    undefined = {name for name, interval in scores.reflectance.items() if interval.count == 0}
    assert {"ssim", "correlation", "difference_mae"} <= undefined
    assert not undefined & {"mae", "rmse", "sam", "psnr", "jaccard_generated", "jaccard_ratio"}
    assert math.isfinite(scores.original["ssim"].mean)
    capsys.readouterr()
    assert call(score_table, path) == 0
    assert "| – |" in capsys.readouterr().out


def test_weather_and_lost_steps_go_through_training_and_testing(tmp_path: Path) -> None:
    """Each sensor has lost steps of its own; shadowed pixels have scores."""
    root, out, judge = tmp_path / "toy", tmp_path / "out", tmp_path / "judge"
    clouded = conftest.derive("clean_optical", corruption=MOVING_CLOUDS, lost={"share": 0.4})
    sar = conftest.derive("latent_sar", lost={"share": 0.4}, misregistration={"deviation": 0.5})
    task = conftest.small_task("clean_optical", clouded_optical=clouded, sar=sar)
    assert build_views(task, root, range(1, VIEWS + 1), njobs=1) == {}
    assert len({tuple(ProductDataset(view / "sar").steps) for view in root.glob("[0-9]*")}) > 1
    rule = conftest.CONFIGS / "cloud_removal/linear_interpolation.yaml"
    for file in (rule, conftest.SEQUENCE):
        cfg = tmp_path / file.name
        cfg.write_text(yaml.safe_dump(shrink(load(file), {"toy_cloud_removal": root})))
        if file == rule:
            assert call(make_reference_classifier, f"--cfg={cfg}", f"--o={judge}", "--njobs=1") == 0
        else:
            assert call(run_training, f"--cfg={cfg}", f"--o={out}") == 0
        assert call(run_testing, f"--cfg={cfg}", f"--o={out}", f"--classifier={judge}") == 0
    for path in find_scores(out):
        found = read_scores(path).reflectance
        assert 0 < found["rmse_shadowed"].mean < 1
        assert found["rmse_shadowed"].count > 0


def test_a_class_that_no_training_view_holds_is_found_when_the_classifier_is_made(
    cfg: Shrunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = read(ExperimentConfig, cfg(CGAN))
    names = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0).names
    original = View.read
    for split, remedy in (("test", "take more training views, or another experiment.seed"), ("val", "take more")):
        (name, *_) = names[split]

        def failing(self: View, number: int, kind: str, name: str = name) -> Any:
            found = original(self, number, kind)
            return np.where(found == 2, 7, found) if kind == "annotation" and self.name == name else found

        monkeypatch.setattr(View, "read", failing)
        shown = failure(capsys, make_reference_classifier, f"--cfg={cfg(CGAN)}", f"--o={tmp_path / 'judge'}")
        assert f"class 7 of {split} view {name}: found in no pixel series of a training view" in shown
        assert remedy in shown
        assert not (tmp_path / "judge").exists()


def test_a_classifier_and_its_scores_are_of_one_making(
    cfg: Shrunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = tmp_path / "judge"
    arguments = [f"--cfg={cfg(CGAN)}", f"--o={judge}", "--njobs=1"]
    assert call(make_reference_classifier, *arguments) == 0
    before = contents(judge)
    other = [f"--cfg={cfg(CGAN, reference_classifier__seed=5)}", *arguments[1:]]
    for step in ("write_json", "draw_confusion", "save_classifier"):
        monkeypatch.setattr(f"src.rsgan.evaluation.reference.{step}", fail)
        assert call(make_reference_classifier, *other) == 1
        assert contents(judge) == before
        monkeypatch.undo()
    assert call(make_reference_classifier, *other) == 0
    assert read_classifier_scores(judge / "scores.json").about.identity.configuration["classifier"]["seed"] == 5


def test_baselines_cannot_be_trained(cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = failure(capsys, run_training, f"--cfg={cfg(BASELINES[0])}", f"--o={tmp_path / 'out'}")
    assert "a baseline that needs no training; run run_testing.py with this file" in shown


# -- several judges

JUDGES = [{"name": "logistic_regression"}, {"name": "hist_gradient_boosting", "n_trees": 3}]


@pytest.fixture(scope="session")
def judges(roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two reference classifiers, made by one command."""
    folder = tmp_path_factory.mktemp("judges")
    cfg = folder / "config.yaml"
    cfg.write_text(yaml.safe_dump(shrink(load(CGAN), roots, reference_classifier=JUDGES)))
    assert call(make_reference_classifier, f"--cfg={cfg}", f"--o={folder}", "--njobs=1") == 0
    return folder


def test_each_of_several_judges_is_the_one_that_it_would_be_alone(cfg: Shrunk, tmp_path: Path, judges: Path) -> None:
    small, found = cfg(BASELINES[0]), {}
    for name in (".", *(settings["name"] for settings in JUDGES)):
        arguments = [f"--cfg={small}", f"--o={tmp_path}", f"--experiment_name={name}/run"]
        assert call(run_testing, *arguments, f"--classifier={judges / name}") == 0
        found[name] = read_scores(tmp_path / name / "run/eval/test_scores.json")
    together = found.pop(".")
    assert {judge.name for judge in together.about.judges} == set(found)
    for name, alone in found.items():
        assert together.judges[name] == alone.judges[name]
        for key in ("jaccard_generated", "jaccard_real", "jaccard_ratio"):
            assert alone.judges[name][key] == alone.reflectance[key]
        assert alone.about.comparison != together.about.comparison
    headline, other = together.about.judges
    assert headline.validation_jaccard >= other.validation_jaccard
    assert (headline.name, headline.digest) == (together.about.classifier, together.about.judge)
    assert together.reflectance == found[headline.name].reflectance
    (view,) = read_rows(tmp_path / "run/eval/views.csv", ViewRow)
    for name, alone in found.items():
        assert view.value(f"jaccard_generated_{name}") == alone.reflectance["jaccard_generated"].mean


def test_a_judge_alone_says_nothing_of_learning_from_generated_series(
    cfg: Shrunk, tmp_path: Path, judges: Path
) -> None:
    """Its file may have come without the other."""
    shutil.copy(judges / "logistic_regression/classifier.npz", tmp_path)
    assert call(run_testing, f"--cfg={cfg(BASELINES[0])}", f"--o={tmp_path}", f"--classifier={tmp_path}") == 0
    (path,) = find_scores(tmp_path)
    assert set(read_scores(path).judges["logistic_regression"]) == {
        f"jaccard_{n}" for n in ("real", "generated", "ratio")
    }


def test_what_judges_make_of_real_series_is_kept_and_changes_nothing(
    cfg: Shrunk, tmp_path: Path, judges: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only maps of the same data count, which the classifier's identity tells."""
    shutil.copytree(judges, tmp_path / "without")
    for file in (tmp_path / "without").rglob("test.npz"):
        file.unlink()
    for name, folder in (("with", judges), ("without", tmp_path / "without")):
        arguments = [f"--o={tmp_path / 'out'}", f"--experiment_name={name}", f"--classifier={folder}"]
        assert call(run_testing, f"--cfg={cfg(BASELINES[0])}", *arguments) == 0
    assert contents(tmp_path / "out/with") == contents(tmp_path / "out/without")

    one = "logistic_regression"
    shutil.copy(judges / "hist_gradient_boosting/test.npz", tmp_path / "without" / one)
    arguments = [f"--o={tmp_path / 'out'}", f"--classifier={tmp_path / 'without'}"]
    shown = failure(capsys, run_testing, f"--cfg={cfg(BASELINES[0])}", *arguments)
    assert f"{one}/test.npz: not made with" in shown

    content, maps = archive.read(judges / one / "test.npz")
    for wrong in (maps["own"][:, 1:], maps["own"] + 1):
        archive.write(tmp_path / "without" / one / "test.npz", content, maps | {"own": wrong})
        shown = failure(capsys, run_testing, f"--cfg={cfg(BASELINES[0])}", *arguments)
        assert f"{one}/test.npz: not a complete classifier file" in shown
    others = cfg(BASELINES[0], dataset__split={"train": 0.5, "val": 0.2, "test": 0.3})
    assert call(run_testing, f"--cfg={others}", *arguments) == 0


def test_judges_that_cannot_judge_together(
    cfg: Shrunk, tmp_path: Path, judges: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = cfg(BASELINES[0])
    one = judges / "logistic_regression"
    arguments = [f"--cfg={small}", f"--o={tmp_path}", f"--classifier={judges}"]
    shutil.copytree(one, tmp_path / "copy")
    shown = failure(capsys, run_testing, *arguments, f"--classifier={tmp_path / 'copy'}")
    assert "found two judges logistic_regression, expected different ones; leave one out" in shown
    shutil.copy(judges / "hist_gradient_boosting/validation.npz", tmp_path / "copy")
    shown = failure(capsys, run_testing, *arguments[:2], f"--classifier={tmp_path / 'copy'}")
    assert "copy/validation.npz: not made with" in shown
    small = cfg(CGAN, reference_classifier=JUDGES)
    shutil.copytree(judges, tmp_path / "judges")
    (tmp_path / "judges/hist_gradient_boosting").rename(tmp_path / "judges/old")
    shown = failure(capsys, make_reference_classifier, f"--cfg={small}", f"--o={tmp_path / 'judges'}")
    assert "old/classifier.npz: found another classifier, expected only logistic_regression, hist_gradient" in shown
    shown = failure(capsys, make_reference_classifier, f"--cfg={small}", f"--o={tmp_path / 'judge.npz'}")
    assert "judge.npz: found the name of a file, expected a folder" in shown


@pytest.mark.parametrize("nsamples", [0, 3])
def test_methods_that_say_how_uncertain_they_are_are_held_to_it(
    nsamples: int, cfg: Shrunk, tmp_path: Path, judges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = testing.open_baseline

    def uncertain(*arguments: Any) -> testing.Tested:
        tested = original(*arguments)
        rule = tested.translator
        return replace(tested, translator=Rule(lambda series: spread(rule.translate(series)), rule.kinds))

    def spread(frames: torch.Tensor) -> Generated:
        noise = torch.randn((nsamples, *frames.shape), generator=torch.Generator().manual_seed(0))
        return Generated(frames, samples=frames + noise) if nsamples else Generated(frames, std=torch.ones_like(frames))

    found, small = {}, cfg(CONFIGS / "cloud_removal/closest_clear_value.yaml")
    for name in ("certain", "uncertain"):
        arguments = [f"--o={tmp_path}", f"--experiment_name={name}", f"--classifier={judges}"]
        assert call(run_testing, f"--cfg={small}", *arguments) == 0
        found[name] = read_scores(tmp_path / name / "eval/test_scores.json")
        monkeypatch.setattr(testing, "open_baseline", uncertain)
    assert found["uncertain"].reflectance == found["certain"].reflectance
    assert found["certain"].uncertainty == {}
    assert set(found["uncertain"].uncertainty) == {score.name for score in TABLES["uncertainty"]}
    assert math.isnan(found["uncertain"].uncertainty["coverage_95"].mean) == bool(nsamples)
    shapes = [np.asarray(Image.open(tmp_path / name / "eval/samples.png")).shape for name in found]
    assert shapes[0][0] < shapes[1][0]
    comparison = compare([tmp_path / "uncertain/eval/test_scores.json"])
    assert "How uncertain" in score_table.markdown(comparison)
