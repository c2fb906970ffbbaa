"""Several processes train together, as on several GPUs: here, on the CPU."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

import run_training
from src.rsgan.devices import Devices
from tests.conftest import ROOT, python
from tests.rsgan.conftest import CGAN, CYCLE, RECURRENT, same, shrink, weights
from utils.cli import run
from utils.config import load

WORLD = 2


def start(cfg: Path, out: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = python(__file__, f"--cfg={cfg}", f"--o={out}", "--experiment_name=a")
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("file", "parts"), [(RECURRENT, (1, 2)), (CYCLE, (2,))])
def test_processes_agree_and_go_on(file: Path, parts: tuple[int, ...], roots: dict[str, Path], tmp_path: Path) -> None:
    cfg = tmp_path / "config.yaml"
    for epochs in parts:
        content = shrink(load(file), roots, experiment__max_epochs=epochs, dataset__dataloader__batch_size=3)
        cfg.write_text(yaml.safe_dump(content))
        with start(cfg, tmp_path / "out") as process:
            _, shown = process.communicate(timeout=120)
        assert process.returncode == 0, shown
        assert shown.count(" parameters") >= 1
    with (tmp_path / "out/a/run/metrics.csv").open() as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["0", "1"]
    ranks = [weights(tmp_path / f"rank{rank}.pt") for rank in range(WORLD)]
    learnt = [{name: value for name, value in rank.items() if "running" not in name} for rank in ranks]
    assert same(*learnt)


def test_a_signal_to_one_process_ends_all(roots: dict[str, Path], tmp_path: Path) -> None:
    cfg = tmp_path / "config.yaml"
    cfg.write_text(yaml.safe_dump(shrink(load(CGAN), roots, experiment__max_epochs=500)))
    with start(cfg, tmp_path / "out") as process:
        while not (tmp_path / "out/a/run/samples/epoch=1.png").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, shown = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "interrupted by SIGTERM" in shown
    assert (tmp_path / "out/a/checkpoints/last.ckpt").is_file()


def together(original: Callable[[Devices], dict]) -> Callable[[Devices], dict]:
    """What Lightning is told for several GPUs, with the CPU in their place."""

    def arguments(self: Devices) -> dict:
        gpus = original(Devices((0, 1)))
        gpus.pop("benchmark")
        return gpus | {"accelerator": "cpu", "devices": WORLD}

    return arguments


def main() -> int:
    """Stands in for `run_training.py --device=0,1`; each process leaves its weights behind."""
    Devices.trainer_arguments = together(Devices.trainer_arguments)
    from src.rsgan.callbacks.checkpoints import Checkpoints

    def leave(self: Checkpoints, trainer: object, experiment: torch.nn.Module) -> None:
        target = Path(self.dirpath).parents[2] / f"rank{trainer.global_rank}.pt"
        torch.save({"state_dict": experiment.state_dict()}, target)

    Checkpoints.on_fit_end = leave
    return run(run_training.build_parser(), run_training.main)


if __name__ == "__main__":
    sys.exit(main())
