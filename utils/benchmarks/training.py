"""Time training steps: with data as they come, against the same step fed by one batch that is always there.

Both run through the same trainer, in turn; figures are medians. FLOPs of a step are counted by PyTorch, and compared
with the rate at which this machine multiplies large matrices in the same precision. Prints a Markdown table.
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, in_turn, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import torch

    from src.rsgan.configuration import ExperimentConfig
    from src.rsgan.data.datamodule import ToyDataModule
    from src.rsgan.devices import Devices

CONFIGS, SCENES = ROOT / "src/rsgan/config", ROOT / "src/toygeneration/config"
EXPERIMENTS = (
    "cloud_removal/cgan_toy.yaml",
    "cloud_removal/cgan_upper_bound_toy.yaml",
    "cloud_removal/cgan_frame_recurrent_toy.yaml",
    "sar_to_optical/cycle_gan_toy.yaml",
)
FRAMES_PER_SERIES = 5  # as published
HEAD = ("experiment", "step", "frames/s", "fixed batch", "data overhead", "GFLOP/step", "TFLOP/s", "of peak")


def build_parser() -> Parser:
    parser = benchmark_parser(__doc__, runs=5)
    parser.add_argument("--scale", choices=("demo", "published"), default="demo", help="default: %(default)s")
    parser.add_argument("--device", metavar="IDS", help="GPU: 0 or auto (default: CPU)")
    parser.add_argument("--precision", default="32", help="32, bf16-mixed or 16-mixed (default: %(default)s)")
    parser.add_argument("--cache", default="auto", help="none, ram, device or auto (default: %(default)s)")
    parser.add_argument("--views", type=int, default=24, metavar="N", help="views to train on (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="timed in each run (default: %(default)s)")
    parser.add_argument("--o", type=Path, metavar="DIR", help="folder for the data (default: a temporary one)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    from src.rsgan.devices import Devices
    from src.rsgan.process import quieten

    quieten()
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore", message=".*no `val_dataloader`")  # nothing is validated here
    devices = Devices.parse(arguments.device)
    peak = matrix_rate(devices.own, arguments.precision)
    print(f"Matrix products: {peak / 1e12:.3g} TFLOP/s in precision {arguments.precision} on {name_of(devices.own)}\n")
    with contextlib.ExitStack() as stack:
        folder = arguments.o or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build_data(folder, arguments.scale, arguments.views)
        print_table(HEAD, (measure(file, folder, arguments, devices, peak) for file in EXPERIMENTS))


def build_data(folder: Path, scale: str, views: int) -> None:
    """Make the views, unless they are there; time series that ship with sktime stand in for the published ones."""
    from src.toygeneration.dataset.recipe import Recipe
    from src.toygeneration.dataset.views import build_views
    from utils.processors import cores

    over = SCENES / {"demo": "demo.yaml", "published": "shipped_series.yaml"}[scale]
    for task in dict.fromkeys(Path(file).parent for file in EXPERIMENTS):
        recipe = Recipe.load(SCENES / task, over)
        if build_views(recipe, folder / task, range(1, views + 1), njobs=cores()):
            raise RuntimeError("a view failed")


def configuration(file: str, folder: Path, arguments: argparse.Namespace) -> "ExperimentConfig":
    """Read an experiment and point it to the benchmark's data."""
    from src.rsgan.configuration import ExperimentConfig
    from utils.config import load, merge, validate

    over = [CONFIGS / "demo.yaml"] if arguments.scale == "demo" else []
    changes = {
        "experiment": {"precision": arguments.precision, "frames_per_series": FRAMES_PER_SERIES},
        "dataset": {"root": str(folder / Path(file).parent), "cache": arguments.cache},
    }
    return validate(ExperimentConfig, merge(load(CONFIGS / file, *over), changes), file)


def measure(file: str, folder: Path, arguments: argparse.Namespace, devices: "Devices", peak: float) -> list[str]:
    from src.rsgan.building import sized
    from src.rsgan.training import open_data

    config = configuration(file, folder, arguments)
    data = open_data(config, 0)
    config = sized(config, data.features, data.smallest_batch())
    data.prepare(devices.own)
    train = partial(seconds_per_step, config, data, devices, arguments.steps)
    timed = in_turn(arguments.runs, {"data": partial(train, fixed=False), "fixed": partial(train, fixed=True)})
    step, alone = median(timed["data"]), median(timed["fixed"])
    frames = mean(len(batch.index) for batch in data.plan("train", 0))
    flops = flops_per_frame(config, devices) * frames
    return [
        config.experiment.name,
        f"{step * 1e3:.1f} ms",
        f"{frames / step:.0f}",
        f"{alone * 1e3:.1f} ms",
        f"{step / alone - 1:+.1%}",
        f"{flops / 1e9:.1f}",
        f"{flops / step / 1e12:.3g}",
        f"{flops / step / peak:.0%}",
    ]


def seconds_per_step(
    config: "ExperimentConfig", data: "ToyDataModule", devices: "Devices", steps: int, *, fixed: bool
) -> float:
    """Train for some steps, the first few of which aren't counted, if `fixed` on one batch that is on the device."""
    import pytorch_lightning as pl

    from src.rsgan.learner import Learner
    from utils.identity import Identity

    class Clock(pl.Callback):
        """Notes when each step began; the device is waited for at the beginning and the end only."""

        def __init__(self) -> None:
            self.began, self.ended, self.steps = 0.0, 0.0, 0

        def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:  # noqa: ANN401 - Lightning's
            self.steps += 1
            if self.steps in (warm_up, warm_up + steps):
                wait(devices.own)
                self.began, self.ended = self.ended, time.perf_counter()

    warm_up, clock = max(3, steps // 4), Clock()
    trainer = make_trainer(config, devices, warm_up + steps, clock)
    learner = Learner(config, Identity({}, seed=0))
    if fixed:
        batch = batch_on(devices.own, data)
        trainer.fit(learner, Repeated([batch] * (warm_up + steps)))
    else:
        trainer.fit(learner, data.loader("train"))
    return (clock.ended - clock.began) / steps


class Repeated(list):
    """Batches that the trainer takes for a loader."""

    sampler = batch_sampler = None


def make_trainer(config: "ExperimentConfig", devices: "Devices", steps: int, *callbacks: Any) -> Any:  # noqa: ANN401
    """Set up a trainer that trains for some steps, and does nothing else."""
    import pytorch_lightning as pl

    return pl.Trainer(
        **devices.trainer_arguments(),
        precision=config.experiment.lightning_precision,
        max_epochs=-1,
        max_steps=steps * len(config.optimizer),  # Lightning counts those of optimisers
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def batch_on(device: "torch.device", data: "ToyDataModule", size: int | None = None) -> Any:  # noqa: ANN401
    """Read one training batch and put it on the device."""
    from src.rsgan.data.plans import BatchIndex
    from src.rsgan.data.store import Store, to_device

    plan = data.plan("train", 0)[0]
    sample = Store(data.views("train"), data.kinds)[BatchIndex(plan.index[:size], plan.first)]
    return to_device(sample, device)


def flops_per_frame(config: "ExperimentConfig", devices: "Devices") -> float:
    """Count the FLOPs of a training step on two frames, forwards and backwards."""
    from torch.utils.flop_counter import FlopCounterMode

    from src.rsgan.learner import Learner
    from src.rsgan.training import open_data
    from utils.identity import Identity

    data = open_data(config, 0)
    learner = Learner(config, Identity({}, seed=0))
    batch = batch_on(devices.own, data, size=2)
    with FlopCounterMode(display=False) as counter:
        make_trainer(config, devices, 1).fit(learner, Repeated([batch]))
    return counter.get_total_flops() / 2


def matrix_rate(device: "torch.device", precision: str) -> float:
    """Measure the best rate of a large matrix product, in FLOP/s."""
    import torch

    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision, torch.float32)
    side = 8192 if device.type == "cuda" else 2048
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    times = []
    for _ in range(20):
        wait(device)
        began = time.perf_counter()
        one @ other
        wait(device)
        times.append(time.perf_counter() - began)
    return 2 * side**3 / min(times)


def wait(device: "torch.device") -> None:
    """Let the device finish what it was given."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def name_of(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
