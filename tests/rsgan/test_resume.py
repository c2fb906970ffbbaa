"""A run that was interrupted ends as one that was not, bit for bit."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from src.rsgan.callbacks.interruption import Interruption, TrainingInterruptedError
from src.rsgan.devices import Devices
from src.rsgan.training import train
from tests.conftest import ROOT, python
from tests.rsgan.conftest import CGAN, CYCLE, RECURRENT, UPPER_BOUND, Shrunk, same
from utils.resumable import unfinished

BY_NAME = {"cgan": CGAN, "upper_bound": UPPER_BOUND, "recurrent": RECURRENT, "cycle": CYCLE}


def state(folder: Path) -> dict[str, Any]:
    """What the last checkpoint says of networks, optimisers and schedules."""
    content = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
    return {key: content[key] for key in ("epoch", "state_dict", "optimizer_states", "lr_schedulers")}


@pytest.mark.parametrize("name", BY_NAME)
def test_more_epochs_equal_an_uninterrupted_run(
    name: str, trained: Callable[..., Path], uninterrupted: Callable[..., Path]
) -> None:
    whole = uninterrupted(BY_NAME[name], experiment__max_epochs=3)
    trained(BY_NAME[name], "parts", experiment__max_epochs=1)
    parts = trained(BY_NAME[name], "parts", experiment__max_epochs=3)
    assert same(state(whole), state(parts))
    for file in ("run/metrics.csv", "run/summary.json"):
        assert (whole / file).read_text() == (parts / file).read_text()
    first = torch.load(whole / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    assert same(first, torch.load(parts / "checkpoints/best.ckpt", weights_only=True)["state_dict"])


def test_a_checkpoint_named_in_the_file_is_gone_on_from(trained: Callable[..., Path]) -> None:
    whole = trained(CGAN, "whole", experiment__max_epochs=3, model_checkpoint__save_top_k=-1)
    assert (whole / "checkpoints/epoch=0.ckpt").is_file()
    other = trained(
        CGAN,
        "other",
        experiment__max_epochs=3,
        model_checkpoint__save_top_k=-1,
        experiment__chkpt=str(whole / "checkpoints/epoch=0.ckpt"),
    )
    assert same(state(whole), state(other))


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("batch", [0, 1, -1])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_after_the_batch(
    name: str,
    batch: int,
    number: signal.Signals,
    trained: Callable[..., Path],
    uninterrupted: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an epoch's last batch, the epoch is completed first."""
    whole = uninterrupted(BY_NAME[name], experiment__max_epochs=3)
    original = Interruption.on_train_batch_end

    def interrupted(self: Interruption, trainer: pl.Trainer, *args: Any) -> None:
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if trainer.current_epoch == 1 and (last if batch < 0 else args[-1] == batch):
            signal.raise_signal(number)
        original(self, trainer, *args)

    monkeypatch.setattr(Interruption, "on_train_batch_end", interrupted)
    with pytest.raises(TrainingInterruptedError, match="run the same command again") as error:
        trained(BY_NAME[name], "parts", experiment__max_epochs=3)
    assert error.value.exit_status == 128 + number
    monkeypatch.undo()
    parts = trained(BY_NAME[name], "parts", experiment__max_epochs=3)
    assert same(state(whole), state(parts))
    for file in ("run/metrics.csv", "run/summary.json"):
        assert (whole / file).read_text() == (parts / file).read_text()


def test_signals_are_given_back(trained: Callable[..., Path]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    trained(CGAN, experiment__max_epochs=1)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_killed_run_whose_results_appear_whole_goes_on(
    uninterrupted: Callable[..., Path], cfg: Shrunk, tmp_path: Path
) -> None:
    """As the pipeline trains: nothing stands under the run's name before it has ended."""
    reference = uninterrupted(CGAN, experiment__max_epochs=4)
    out = tmp_path / "whole"
    command = python("run_training.py", f"--cfg={cfg(experiment__max_epochs=4)}", f"--o={out}", "--experiment_name=a")
    hidden = unfinished(out / "a") / "checkpoints/last.ckpt"
    with subprocess.Popen([*command, "--whole"], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not hidden.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert not (out / "a").exists()
    (out / "a/eval").mkdir(parents=True)  # of an earlier run: not training's to remove
    train(cfg(experiment__max_epochs=4), out, devices=Devices(), experiment_name="a", whole=True)
    assert same(state(reference), state(out / "a"))
    assert sorted(entry.name for entry in (out / "a").iterdir()) == ["checkpoints", "eval", "run"]
    assert [entry.name for entry in out.iterdir()] == ["a"]
