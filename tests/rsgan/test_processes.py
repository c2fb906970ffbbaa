"""Several processes train together, as on several GPUs: here, on the CPU."""

import csv
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import yaml

import run_training
from src.rsgan.callbacks.checkpoints import Checkpoints
from src.rsgan.callbacks.interruption import Interruption
from src.rsgan.devices import Devices
from tests.conftest import ROOT
from tests.rsgan.conftest import CYCLE, RECURRENT, SEQUENCE, same, shrink, weights
from utils.cli import run
from utils.config import load
from utils.environment import PARENT

WORLD, EPOCHS = 2, 2
PROCESSES = multiprocessing.get_context("forkserver")  # whose server imports Lightning once for all
PROCESSES.set_forkserver_preload(["src.rsgan.training", "tests.rsgan.conftest"])


def train(cfg: Path, *, by_lightning: bool = False, interrupted: bool = False) -> tuple[list[int | None], str]:
    """Train beside `cfg`; gives the exit status of each process, and what all show.

    Args:
        by_lightning: whether Lightning starts all processes but the first, as it does for `--device=0,1`.
        interrupted: whether the first process gets a signal in the second epoch.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = {"PYTHONPATH": str(ROOT), "MASTER_PORT": str(server.getsockname()[1])}
    ranks = [place] if by_lightning else [place | {"LOCAL_RANK": str(rank)} for rank in range(WORLD)]
    reader, writer = PROCESSES.Pipe(duplex=False)
    processes = [
        PROCESSES.Process(target=take_part, args=(cfg, environment, writer, interrupted and number == 0))
        for number, environment in enumerate(ranks)
    ]
    for process in processes:
        process.start()
    writer.close()
    with reader, open(reader.fileno(), closefd=False) as stream:
        shown = stream.read()  # until the last of them has ended
    for process in processes:
        process.join()
    return [process.exitcode for process in processes], shown


def take_part(cfg: Path, environment: dict[str, str], shown: Connection, interrupted: bool) -> None:
    with shown:
        os.dup2(shown.fileno(), 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ |= environment | {PARENT: str(os.getppid())}
    sys.argv = [__file__, f"--cfg={cfg}", f"--o={cfg.parent / 'out'}", "--experiment_name=a"]
    if interrupted:
        original = Interruption.on_train_batch_end

        def receive(self: Interruption, trainer: pl.Trainer, *args: Any) -> None:
            if trainer.current_epoch == 1:
                signal.raise_signal(signal.SIGTERM)
            original(self, trainer, *args)

        Interruption.on_train_batch_end = receive
    sys.exit(main())


def main() -> int:
    """Stands in for `run_training.py --device=0,1`; each process leaves its weights behind."""
    Devices.trainer_arguments = together(Devices.trainer_arguments)

    def leave(self: Checkpoints, trainer: pl.Trainer, experiment: torch.nn.Module) -> None:
        target = Path(trainer.default_root_dir).parents[1] / f"rank{trainer.global_rank}.pt"
        torch.save({"state_dict": experiment.state_dict()}, target)

    Checkpoints.on_fit_end = leave
    return run(run_training.build_parser(), run_training.main)


def together(original: Callable[[Devices], dict]) -> Callable[[Devices], dict]:
    """What Lightning is told for several GPUs, with the CPU in their place."""

    def arguments(self: Devices) -> dict:
        gpus = original(Devices((0, 1)))
        gpus.pop("benchmark")
        return gpus | {"accelerator": "cpu", "devices": WORLD}

    return arguments


def write(file: Path, roots: dict[str, Path], folder: Path, epochs: int) -> Path:
    content = shrink(load(file), roots, experiment__max_epochs=epochs, dataset__dataloader__batch_size=3)
    cfg = folder / "config.yaml"
    cfg.write_text(yaml.safe_dump(content))
    return cfg


def check_agreement(folder: Path) -> None:
    """In the end, all processes hold the same weights."""
    ranks = [weights(folder / f"rank{rank}.pt") for rank in range(WORLD)]
    learnt = [{name: value for name, value in rank.items() if "running" not in name} for rank in ranks]
    assert same(*learnt)


@pytest.mark.parametrize("file", [CYCLE, SEQUENCE], ids=lambda file: file.stem)
def test_processes_agree(file: Path, roots: dict[str, Path], tmp_path: Path) -> None:
    statuses, shown = train(write(file, roots, tmp_path, 1))
    assert statuses == [0, 0], shown
    assert shown.count(": views: ") == 1  # one process speaks
    check_agreement(tmp_path)


def test_a_signal_to_one_process_ends_all_and_all_go_on(roots: dict[str, Path], tmp_path: Path) -> None:
    cfg = write(RECURRENT, roots, tmp_path, EPOCHS)
    statuses, shown = train(cfg, by_lightning=True, interrupted=True)
    assert statuses == [128 + signal.SIGTERM], shown
    assert "interrupted by SIGTERM" in shown
    assert not (tmp_path / "rank1.pt").exists()
    statuses, shown = train(cfg)
    assert statuses == [0, 0], shown
    check_agreement(tmp_path)
    with (tmp_path / "out/a/run/metrics.csv").open() as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == [str(number) for number in range(EPOCHS)]


if __name__ == "__main__":
    sys.exit(main())
