"""`run_training.py` as users run it: what it leaves, and every mistake."""

import copy
import csv
import io
import pickle
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import run_training
from src.rsgan.checkpoint import IDENTITY, read_checkpoint
from tests.conftest import ROOT, python
from tests.rsgan.conftest import CGAN, CYCLE, EPOCHS, FILES, RECURRENT, SIDE, Payload, Shrunk, same, weights
from utils.cli import run
from utils.config import load
from utils.errors import DataError


def train(cfg: Path, out: Path, *more: str) -> int:
    return run(run_training.build_parser(), run_training.main, [f"--cfg={cfg}", f"--o={out}", *more])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_trains_writes_and_goes_on(file: Path, cfg: Shrunk, tmp_path: Path) -> None:
    few = {"experiment__frames_per_series": 2, "dataset__dataloader__batch_size": 6}  # two batches, or one series
    assert train(cfg(file, **few, experiment__max_epochs=1), tmp_path / "out") == 0
    folder = tmp_path / "out" / load(file)["experiment"]["name"]
    first = weights(folder / "checkpoints/last.ckpt")
    assert train(cfg(file, **few, experiment__max_epochs=2), tmp_path / "out") == 0
    assert not same(first, weights(folder / "checkpoints/last.ckpt"))
    assert {path.name for path in folder.iterdir()} == {"run", "checkpoints"}
    names = {path.name for path in (folder / "checkpoints").iterdir()}
    assert {"best.ckpt", "last.ckpt"} < names
    assert len(names) == 3
    with (folder / "run/metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(float(row["Metric/val_mae"]) > 0 and float(row["val_loss"]) > 0 for row in rows)
    assert {path.name for path in (folder / "run/samples").iterdir()} == {"epoch=0.png", "epoch=1.png"}


def test_what_tensorboard_shows(cfg: Shrunk, tmp_path: Path) -> None:
    assert train(cfg(RECURRENT), tmp_path / "out", "--experiment_name=mine") == 0
    events = EventAccumulator(str(tmp_path / "out/mine/run/tensorboard"), size_guidance={"images": 0}).Reload()
    tags = events.Tags()
    assert {"Loss/train_generator", "Loss/val_discriminator", "Metric/train_precision"} <= set(tags["scalars"])
    expected = {
        "Source - Optical",
        "Source - SAR",
        "Generated - Optical",
        "Target - Optical",
        "Previous batch output - Optical",
    }
    assert {tag.split(" (fake RGB)")[0] for tag in tags["images"]} == expected
    for tag in tags["images"]:
        shown = events.Images(tag)
        assert [event.step for event in shown] == list(range(EPOCHS))
        assert Image.open(io.BytesIO(shown[0].encoded_image_string)).size == (SIDE, SIDE)


def test_checkpoints_are_chosen_by_validation(cfg: Shrunk, tmp_path: Path) -> None:
    """The kept ones are those of the best epochs; the very best has a name of its own."""
    more = {"experiment__max_epochs": 6, "model_checkpoint__save_top_k": 2, "optimizer__generator__lr": 0.05}
    assert train(cfg(**more), tmp_path / "out", "--experiment_name=a") == 0
    folder = tmp_path / "out/a"
    with (folder / "run/metrics.csv").open() as stream:
        maes = [float(row["Metric/val_mae"]) for row in csv.DictReader(stream)]
    order = sorted(range(6), key=lambda epoch: maes[epoch])
    kept = {path.name for path in (folder / "checkpoints").glob("epoch=*")}
    assert kept == {f"epoch={epoch}.ckpt" for epoch in order[:2]}
    best = read_checkpoint(folder / "checkpoints/best.ckpt")
    assert best["epoch"] == order[0]
    assert (folder / "checkpoints/best.ckpt").samefile(folder / f"checkpoints/epoch={order[0]}.ckpt")


def test_checkpoints_every_few_epochs_and_at_the_end(cfg: Shrunk, tmp_path: Path) -> None:
    more = {"experiment__max_epochs": 5, "model_checkpoint__every_n_epochs": 2, "model_checkpoint__save_top_k": -1}
    assert train(cfg(**more), tmp_path / "out", "--experiment_name=a") == 0
    folder = tmp_path / "out/a/checkpoints"
    assert {path.name for path in folder.iterdir()} == {"epoch=1.ckpt", "epoch=3.ckpt", "best.ckpt", "last.ckpt"}
    assert read_checkpoint(folder / "last.ckpt")["epoch"] >= 4
    longer = train(cfg(**more | {"experiment__max_epochs": 7}), tmp_path / "out", "--experiment_name=a")
    assert longer == 0
    whole = train(cfg(**more | {"experiment__max_epochs": 7}), tmp_path / "out", "--experiment_name=b")
    assert whole == 0
    last = [weights(tmp_path / f"out/{name}/checkpoints/last.ckpt") for name in "ab"]
    assert same(*last)


def test_training_stops_early(cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = {"monitor": "Metric/val_mae", "patience": 1, "mode": "max"}  # it falls, so it never improves
    file = cfg(experiment__max_epochs=50, early_stopping=watch)
    assert train(file, tmp_path / "out", "--experiment_name=a") == 0
    summary = yaml.safe_load((tmp_path / "out/a/run/summary.json").read_text())
    assert summary["stopped_early"]
    assert summary["epochs"] < 10
    before = (tmp_path / "out/a/run/metrics.csv").read_text()
    assert train(file, tmp_path / "out", "--experiment_name=a") == 0
    assert "nothing left to train" in capsys.readouterr().err
    assert (tmp_path / "out/a/run/metrics.csv").read_text() == before


@pytest.mark.parametrize("precision", ["bf16-mixed", 32])
@pytest.mark.parametrize("file", [CGAN, RECURRENT, CYCLE])
def test_precisions(precision: object, file: Path, cfg: Shrunk, tmp_path: Path) -> None:
    assert train(cfg(file, experiment__precision=precision), tmp_path / "out") == 0
    last = next((tmp_path / "out").glob("*/checkpoints/last.ckpt"))
    floats = [value for value in weights(last).values() if value.is_floating_point()]
    assert {value.dtype for value in floats} <= {torch.float32, torch.float64}


def test_seeds_of_the_command_line(cfg: Shrunk, tmp_path: Path) -> None:
    """0 counts; the split stays."""
    for name, options in {"file": (), "again": ("--seed=73",), "zero": ("--seed=0",)}.items():
        assert train(cfg(experiment__max_epochs=1), tmp_path / "out", f"--experiment_name={name}", *options) == 0
    made = {name: weights(tmp_path / f"out/{name}/checkpoints/last.ckpt") for name in ("file", "again", "zero")}
    assert same(made["file"], made["again"])
    assert not same(made["file"], made["zero"])
    held = [yaml.safe_load((tmp_path / f"out/{name}/run/config.yaml").read_text()) for name in ("file", "zero")]
    assert [entry["seed"] for entry in held] == [73, 0]
    assert held[0]["data"] == held[1]["data"]


def failure(cfg: Path, out: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    capsys.readouterr()
    status = train(cfg, out, *more)
    lines = [line for line in capsys.readouterr().err.splitlines() if ": error: " in line]
    assert len(lines) == 1
    return status, lines[0]


def test_another_run_is_never_overwritten(cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, out = "--experiment_name=a", tmp_path / "out"
    assert train(cfg(experiment__max_epochs=1), out, name) == 0
    before = (out / "a/run/config.yaml").read_text()
    for file, options, message in (
        (cfg(optimizer__generator__lr=0.5), (), "optimizer.generator.lr: found 0.0002, expected 0.5"),
        (cfg(), ("--seed=5",), "seed: found 73, expected 5"),
        (cfg(dataset__split={"train": 0.5, "val": 0.25, "test": 0.25}), (), "data: found"),
        (cfg(CYCLE), (), "experiment.name"),
    ):
        content = yaml.safe_load(file.read_text())
        file.write_text(yaml.safe_dump(content))
        status, shown = failure(file, out, capsys, name, *options)
        assert status == 2
        assert "holds the run of another configuration" in shown
        assert message in shown or "and " in shown
        assert (out / "a/run/config.yaml").read_text() == before
    (out / "b").mkdir()
    (out / "b/thesis.txt").write_text("x")
    status, shown = failure(cfg(), out, capsys, "--experiment_name=b")
    assert status == 2
    assert "found something that is not a run of this project" in shown


def test_a_folder_that_was_moved_goes_on(cfg: Shrunk, tmp_path: Path) -> None:
    assert train(cfg(experiment__max_epochs=1), tmp_path / "out", "--experiment_name=a") == 0
    shutil.move(tmp_path / "out/a", tmp_path / "out/b")
    assert train(cfg(), tmp_path / "out", "--experiment_name=b") == 0
    assert train(cfg(), tmp_path / "out", "--experiment_name=c") == 0
    for name in ("last", "best"):
        assert same(*(weights(tmp_path / f"out/{run}/checkpoints/{name}.ckpt") for run in "bc"))


def test_a_checkpoint_never_runs_code(tmp_path: Path, cfg: Shrunk, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "executed"
    torch.save({IDENTITY: {}, "state_dict": Payload(target)}, tmp_path / "bad.ckpt")
    (tmp_path / "plain.ckpt").write_bytes(pickle.dumps(Payload(target)))
    for name in ("bad", "plain"):
        file = cfg(experiment__chkpt=str(tmp_path / f"{name}.ckpt"))
        status, shown = failure(file, tmp_path / "out", capsys)
        assert status == 2
        assert f"{name}.ckpt: " in shown
        assert not target.exists()


def test_checkpoints_that_cannot_be_gone_on_from(
    tmp_path: Path, cfg: Shrunk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(cfg(experiment__max_epochs=1), tmp_path / "out", "--experiment_name=a") == 0
    good = tmp_path / "out/a/checkpoints/last.ckpt"
    (tmp_path / "short.ckpt").write_bytes(good.read_bytes()[:5000])
    torch.save({"weights": torch.zeros(1)}, tmp_path / "foreign.ckpt")
    for path, message in (
        (tmp_path / "none.ckpt", "no such checkpoint"),
        (tmp_path, "no such checkpoint"),
        (tmp_path / "short.ckpt", "truncated or not a checkpoint"),
        (tmp_path / "foreign.ckpt", "not a checkpoint of an experiment of this project"),
    ):
        status, shown = failure(cfg(experiment__chkpt=str(path)), tmp_path / "out", capsys, "--experiment_name=b")
        assert status == 2
        assert message in shown
    other = cfg(experiment__chkpt=str(good), experiment__l1_regularization_weight=1)
    status, shown = failure(other, tmp_path / "out", capsys, "--experiment_name=b")
    assert status == 2
    assert "belongs to another run (experiment.l1_regularization_weight: found 100.0, expected 1.0)" in shown


def test_mistakes_of_the_command_line(tmp_path: Path, cfg: Shrunk, capsys: pytest.CaptureFixture[str]) -> None:
    missing = "no GPU that PyTorch can use" if not torch.cuda.is_available() else "this machine has GPUs"
    for option, message in (("--device=99", missing), ("--device=gpu", "expected GPU numbers such as 0 or 0,1")):
        status, shown = failure(cfg(), tmp_path / "out", capsys, option)
        assert status == 2
        assert message in shown
    file = cfg(experiment__precision="16-mixed")
    status, shown = failure(file, tmp_path / "out", capsys)
    assert status == 2
    assert "experiment.precision: found 16-mixed, which needs a GPU" in shown
    status, shown = failure(cfg(dataset__root=str(tmp_path / "nothing")), tmp_path / "out", capsys)
    assert status == 2
    assert "config.yaml: dataset.root: " in shown
    assert not (tmp_path / "out").exists()


def test_a_mistake_in_the_data_is_found_before_training(
    tmp_path: Path, cfg: Shrunk, capsys: pytest.CaptureFixture[str]
) -> None:
    status, shown = failure(cfg(model__generator__input_size=[6, 32, 32]), tmp_path / "out", capsys)
    assert status == 2
    assert "model.generator.input_size: found [6, 32, 32], expected [6, 16, 16]" in shown
    assert not (tmp_path / "out").exists()


def test_more_gpus_than_batches(cfg: Shrunk, tmp_path: Path) -> None:
    from src.rsgan.devices import Devices
    from src.rsgan.training import train as train_on
    from utils.errors import ConfigError

    with pytest.raises(ConfigError, match="found 9 GPUs for 8 batches an epoch"):
        train_on(cfg(), tmp_path / "out", devices=Devices(tuple(range(9))))


def start(cfg: Path, out: Path) -> subprocess.Popen[str]:
    command = python("run_training.py", f"--cfg={cfg}", f"--o={out}", "--experiment_name=a")
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_stopped_goes_on(
    number: signal.Signals, cfg: Shrunk, uninterrupted: Callable[..., Path], tmp_path: Path
) -> None:
    more = {"experiment__max_epochs": 8, "dataset__dataloader__batch_size": 2}
    with start(cfg(RECURRENT, **more), tmp_path / "out") as process:
        wait_for(tmp_path / "out/a/run/samples/epoch=1.png", process)
        process.send_signal(number)
        _, shown = process.communicate()
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number
        assert f"error: interrupted by {number.name}" in shown
        assert "Traceback" not in shown
    assert train(cfg(RECURRENT, **more), tmp_path / "out", "--experiment_name=a") == 0
    folders = tmp_path / "out/a", uninterrupted(RECURRENT, **more)
    assert same(*(weights(folder / "checkpoints/last.ckpt") for folder in folders))
    leftovers = list((tmp_path / "out/a").rglob("*partial*"))
    assert number == signal.SIGKILL or leftovers == []


def test_a_truncated_checkpoint_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from src.rsgan.checkpoint import WholeCheckpointIO

    path = tmp_path / "last.ckpt"
    checkpoint = {IDENTITY: {}, "epoch": 3, "tensor": torch.ones(3)}
    WholeCheckpointIO().save_checkpoint(copy.copy(checkpoint), path)

    def fails(content: object, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        WholeCheckpointIO().save_checkpoint(checkpoint, path)
    assert same(read_checkpoint(path), checkpoint)
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.ckpt"]
    with pytest.raises(DataError, match="no such checkpoint"):
        read_checkpoint(tmp_path / "none.ckpt")
