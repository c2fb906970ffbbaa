"""A run that was interrupted ends as one that was not, bit for bit."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from src.rsgan.callbacks.interruption import Interruption, TrainingInterruptedError
from tests.rsgan.conftest import CGAN, CYCLE, FLOW, RECURRENT, UPPER_BOUND, same

BY_NAME = {"cgan": CGAN, "upper_bound": UPPER_BOUND, "recurrent": RECURRENT, "cycle": CYCLE, "flow": FLOW}


def state(folder: Path) -> dict[str, Any]:
    """What the last checkpoint says of networks, optimisers and schedules."""
    content = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
    return {key: content[key] for key in ("epoch", "state_dict", "optimizer_states", "lr_schedulers")}


@pytest.mark.parametrize("name", BY_NAME)
def test_more_epochs_equal_an_uninterrupted_run(
    name: str, trained: Callable[..., Path], uninterrupted: Callable[..., Path]
) -> None:
    whole = uninterrupted(BY_NAME[name])
    trained(BY_NAME[name], "parts", experiment__max_epochs=1)
    parts = trained(BY_NAME[name], "parts")
    assert same(state(whole), state(parts))
    for file in ("run/metrics.csv", "run/summary.json"):
        assert (whole / file).read_text() == (parts / file).read_text()
    first = torch.load(whole / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    assert same(first, torch.load(parts / "checkpoints/best.ckpt", weights_only=True)["state_dict"])


def test_a_checkpoint_named_in_the_file_is_gone_on_from(trained: Callable[..., Path]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    whole = trained(CGAN, "whole", model_checkpoint__save_top_k=-1)
    assert (whole / "checkpoints/epoch=0.ckpt").is_file()
    other = trained(
        CGAN,
        "other",
        model_checkpoint__save_top_k=-1,
        experiment__chkpt=str(whole / "checkpoints/epoch=0.ckpt"),
    )
    assert same(state(whole), state(other))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    ("name", "epoch", "batch", "number"),
    [
        ("cgan", 0, -1, signal.SIGTERM),
        ("upper_bound", 1, 1, signal.SIGTERM),
        ("recurrent", 0, 1, signal.SIGINT),
        ("cycle", 1, 1, signal.SIGINT),
        ("flow", 0, 1, signal.SIGTERM),
    ],
)
def test_a_signal_ends_training_after_the_batch(
    name: str,
    epoch: int,
    batch: int,
    number: signal.Signals,
    trained: Callable[..., Path],
    uninterrupted: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an epoch's last batch, the epoch is completed first."""
    whole = uninterrupted(BY_NAME[name])
    original = Interruption.on_train_batch_end

    def interrupted(self: Interruption, trainer: pl.Trainer, *args: Any) -> None:
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if trainer.current_epoch == epoch and (last if batch < 0 else args[-1] == batch):
            signal.raise_signal(number)
        original(self, trainer, *args)

    monkeypatch.setattr(Interruption, "on_train_batch_end", interrupted)
    with pytest.raises(TrainingInterruptedError, match="run the same command again") as error:
        trained(BY_NAME[name], "parts")
    assert error.value.exit_status == 128 + number
    monkeypatch.undo()
    parts = trained(BY_NAME[name], "parts")
    assert same(state(whole), state(parts))
    for file in ("run/metrics.csv", "run/summary.json"):
        assert (whole / file).read_text() == (parts / file).read_text()
