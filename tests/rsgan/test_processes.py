"""Several processes train together, as on several GPUs: here, on the CPU."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import yaml

import run_training
from src.rsgan.checkpoint import read_checkpoint
from src.rsgan.devices import Devices
from tests.conftest import ROOT, python
from tests.rsgan.conftest import CYCLE, RECURRENT, same, shrink, weights
from utils.cli import run
from utils.config import load

WORLD = 2


def start(cfg: Path, out: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = python(__file__, f"--cfg={cfg}", f"--o={out}", "--experiment_name=a")
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finish(cfg: Path, out: Path) -> None:
    """Train to the end; in the end, all processes hold the same weights."""
    with start(cfg, out) as process:
        _, shown = process.communicate(timeout=900)
    assert process.returncode == 0, shown
    assert shown.count(" parameters") >= 1
    ranks = [weights(out.parent / f"rank{rank}.pt") for rank in range(WORLD)]
    learnt = [{name: value for name, value in rank.items() if "running" not in name} for rank in ranks]
    assert same(*learnt)


def write(file: Path, roots: dict[str, Path], cfg: Path, epochs: int) -> Path:
    content = shrink(load(file), roots, experiment__max_epochs=epochs, dataset__dataloader__batch_size=3)
    cfg.write_text(yaml.safe_dump(content))
    return cfg


def test_processes_agree(roots: dict[str, Path], tmp_path: Path) -> None:
    finish(write(CYCLE, roots, tmp_path / "config.yaml", 1), tmp_path / "out")


def test_a_signal_to_one_process_ends_all_and_all_go_on(roots: dict[str, Path], tmp_path: Path) -> None:
    cfg = write(RECURRENT, roots, tmp_path / "config.yaml", 500)
    with start(cfg, tmp_path / "out") as process:
        while not (tmp_path / "out/a/run/samples/epoch=1.png").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, shown = process.communicate(timeout=900)
    assert process.returncode == 128 + signal.SIGTERM
    assert "interrupted by SIGTERM" in shown
    epoch = read_checkpoint(tmp_path / "out/a/checkpoints/last.ckpt")["epoch"]
    finish(write(RECURRENT, roots, cfg, epoch + 2), tmp_path / "out")
    with (tmp_path / "out/a/run/metrics.csv").open() as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == [str(number) for number in range(epoch + 2)]


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
        target = Path(trainer.default_root_dir).parents[1] / f"rank{trainer.global_rank}.pt"
        torch.save({"state_dict": experiment.state_dict()}, target)

    Checkpoints.on_fit_end = leave
    return run(run_training.build_parser(), run_training.main)


if __name__ == "__main__":
    sys.exit(main())
