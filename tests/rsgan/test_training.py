"""`run_training.py` as users run it: what it leaves, and every mistake."""

import csv
import functools
import io
import json
import os
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
from src.rsgan.checkpoint import read_checkpoint
from src.rsgan.devices import Devices
from src.rsgan.training import train as train_on
from tests.conftest import ROOT, python
from tests.rsgan.conftest import CGAN, CYCLE, EPOCHS, FILES, RECURRENT, SEQUENCE, SIDE, Shrunk, same, weights
from utils.cli import run
from utils.config import load
from utils.errors import ConfigError, DataError, RunError, UsageError
from utils.files import alone

# The first file of each experiment: others differ in what is tested with the data or with the experiment.
EACH = [*{load(file)["experiment"]["name"]: file for file in reversed(FILES)}.values()]


def train(cfg: Path, out: Path, *more: str) -> int:
    return run(run_training.build_parser(), run_training.main, [f"--cfg={cfg}", f"--o={out}", *more])


@pytest.mark.parametrize("file", EACH, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_experiment_trains_and_writes(file: Path, cfg: Shrunk, tmp_path: Path) -> None:
    few = {"dataset__dataloader__batch_size": 6}
    if "crop" not in load(file)["dataset"]:
        few["experiment__frames_per_series"] = 2
    assert train(cfg(file, **few), tmp_path / "out") == 0
    folder = tmp_path / "out" / load(file)["experiment"]["name"]
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


@pytest.mark.parametrize(("every", "kept"), [(2, {1, 3, 4}), (9, {4})])
def test_checkpoints_every_few_epochs_and_at_the_end(every: int, kept: set[int], cfg: Shrunk, tmp_path: Path) -> None:
    keep = {"model_checkpoint__every_n_epochs": every, "model_checkpoint__save_top_k": -1}
    assert train(cfg(**keep, experiment__max_epochs=5), tmp_path / "out", "--experiment_name=a") == 0
    folder = tmp_path / "out/a/checkpoints"
    expected = {"best.ckpt", "last.ckpt", *(f"epoch={epoch}.ckpt" for epoch in kept)}
    assert {path.name for path in folder.iterdir()} == expected
    assert read_checkpoint(folder / "last.ckpt")["epoch"] == 4


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


@pytest.mark.parametrize("file", [RECURRENT, CYCLE, SEQUENCE])
def test_half_precision_trains_weights_in_full(file: Path, cfg: Shrunk, tmp_path: Path) -> None:
    assert train(cfg(file, experiment__precision="bf16-mixed", experiment__max_epochs=1), tmp_path / "out") == 0
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
    held = [json.loads((tmp_path / f"out/{name}/run/identity.json").read_text()) for name in ("file", "zero")]
    assert [entry["seed"] for entry in held] == [73, 0]
    assert held[0]["data"] == held[1]["data"]


def failure(cfg: Path, out: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    capsys.readouterr()
    status = train(cfg, out, *more)
    lines = [line for line in capsys.readouterr().err.splitlines() if ": error: " in line]
    assert len(lines) == 1
    return status, lines[0]


def test_a_folder_that_was_moved_goes_on(cfg: Shrunk, tmp_path: Path) -> None:
    assert train(cfg(experiment__max_epochs=1), tmp_path / "out", "--experiment_name=a") == 0
    shutil.move(tmp_path / "out/a", tmp_path / "out/b")
    assert train(cfg(), tmp_path / "out", "--experiment_name=b") == 0
    assert train(cfg(), tmp_path / "out", "--experiment_name=c") == 0
    for name in ("last", "best"):
        assert same(*(weights(tmp_path / f"out/{run}/checkpoints/{name}.ckpt") for run in "bc"))


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
    with pytest.raises(ConfigError, match="found 9 GPUs for 8 batches an epoch"):
        train_on(cfg(), tmp_path / "out", devices=Devices(tuple(range(9))))


def start(cfg: Path, out: Path) -> subprocess.Popen[str]:
    command = python("run_training.py", f"--cfg={cfg}", f"--o={out}", "--experiment_name=a")
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def test_processes_that_are_stopped_go_on(cfg: Shrunk, uninterrupted: Callable[..., Path], tmp_path: Path) -> None:
    """The signal goes to the whole group, as a terminal or a batch system sends it: to readers of batches, too."""
    more = {"experiment__max_epochs": 12, "dataset__dataloader__batch_size": 2}
    file = cfg(RECURRENT, **more, dataset__dataloader__num_workers=1)
    for epoch, number in ((1, signal.SIGKILL), (3, signal.SIGINT)):
        with start(file, tmp_path / "out") as process:
            wait_for(tmp_path / f"out/a/run/samples/epoch={epoch}.png", process)
            with pytest.raises(UsageError, match="another process works there"), alone(tmp_path / "out/a/run"):
                pass
            os.killpg(process.pid, number)
            _, shown = process.communicate(timeout=900)
        if number == signal.SIGKILL:
            assert process.returncode == -number
            (tmp_path / "out/a/checkpoints/.last.partial-0123abcd.ckpt").write_text("left by a process that was killed")
    assert process.returncode == 128 + signal.SIGINT
    assert "error: interrupted by SIGINT" in shown
    assert "Traceback" not in shown
    assert train(cfg(RECURRENT, **more), tmp_path / "out", "--experiment_name=a") == 0
    folders = tmp_path / "out/a", uninterrupted(RECURRENT, **more)
    assert same(*(weights(folder / "checkpoints/last.ckpt") for folder in folders))
    assert list((tmp_path / "out/a").rglob("*partial*")) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("epoch,step\nx,1\n", "metrics.csv: row 1: epoch: found 'x'"),
        ("step\n1\n", "metrics.csv: row 1: missing key 'epoch'"),
        ("epoch,step\n0,1,2,3\n", "more cells: found"),
        ("[" * 9999, "summary.json"),
        ('{"epochs": "2"}', "summary.json: 4 problems: (1) epochs: "),
        ("", "summary.json"),
    ],
)
def test_damaged_files_of_a_run_are_named(
    content: str,
    message: str,
    uninterrupted: Callable[..., Path],
    cfg: Shrunk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(uninterrupted(CGAN), tmp_path / "out/a")
    name = "summary.json" if "summary" in message else "metrics.csv"
    (tmp_path / "out/a/run" / name).write_text(content)
    status, shown = failure(cfg(experiment__max_epochs=3), tmp_path / "out", capsys, "--experiment_name=a")
    assert status == 2
    assert f"/run/{name}: " in shown
    assert message in shown


def test_a_run_that_diverged_at_once_is_in_nobodys_way(cfg: Shrunk, tmp_path: Path) -> None:
    again = functools.partial(train_on, out=tmp_path, devices=Devices(), experiment_name="a")
    with pytest.raises(RunError, match="training diverged"):
        again(cfg(optimizer__generator__lr=1e30))
    again(cfg(experiment__max_epochs=1))
    assert json.loads((tmp_path / "a/run/summary.json").read_text())["epochs"] == 1


def test_a_damaged_last_checkpoint_is_named_or_overwritten(
    uninterrupted: Callable[..., Path], cfg: Shrunk, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(uninterrupted(CGAN), tmp_path / "out/a"))
    (folder / "checkpoints/last.ckpt").write_bytes(b"PK")
    again = functools.partial(train_on, cfg(), tmp_path / "out", devices=Devices(), experiment_name="a")
    with pytest.raises(DataError, match=r"last\.ckpt: truncated"):
        again()
    again(overwrite=True)
    assert same(weights(folder / "checkpoints/last.ckpt"), weights(uninterrupted(CGAN) / "checkpoints/last.ckpt"))


def test_readers_that_fail_end_the_run(cfg: Shrunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for batches, and where the system kills one."""
    file = cfg(dataset__dataloader__num_workers=1)

    def no_room(tensor: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("unable to allocate shared memory(shm) for file: No space left on device (28)")

    def killed(tensor: torch.Tensor) -> torch.Tensor:
        os.kill(os.getpid(), signal.SIGKILL)

    for number, failing in enumerate((no_room, killed)):
        monkeypatch.setattr(torch.Tensor, "share_memory_", failing)
        with pytest.raises(RunError, match="use fewer dataset.dataloader.num_workers, or 0, or a larger /dev/shm"):
            train_on(file, tmp_path / f"out{number}", devices=Devices())


def test_any_figure_may_be_watched(cfg: Shrunk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines show it."""
    assert train(cfg(experiment__max_epochs=1, model_checkpoint__monitor="val_loss"), tmp_path / "out") == 0
    assert "epoch 1 of 1: val_loss " in capsys.readouterr().err
