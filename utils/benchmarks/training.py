"""Time training steps: with data as they come, against the same step fed by one batch that is always there.

Both run through the same trainer, in turn; figures are medians. FLOPs of a step are counted by PyTorch, and compared
with the rate at which this machine multiplies large matrices in the same precision; kept is what a step holds in memory
for its gradients. Prints a Markdown table.
"""

import argparse
import itertools
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.benchmarks.timing import benchmark_parser, in_turn, print_table  # noqa: E402
from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import torch

    from src.rsgan.configuration import ExperimentConfig
    from src.rsgan.data.store import Batch
    from src.rsgan.devices import Devices

CONFIGS, SCENES = ROOT / "src/rsgan/config", ROOT / "src/toygeneration/config"
OF_FRAMES = (
    "cloud_removal/cgan_toy.yaml",
    "cloud_removal/cgan_upper_bound_toy.yaml",
    "cloud_removal/cgan_frame_recurrent_toy.yaml",
    "sar_to_optical/cycle_gan_toy.yaml",
)
EXPERIMENTS = (*OF_FRAMES, "cloud_removal/sequence_toy.yaml", "cloud_removal/flow_toy.yaml")
WARM_UP = 5  # steps that aren't counted
HEAD = ("experiment", "step", "frames/s", "fixed batch", "data overhead", "GFLOP/step", "TFLOP/s", "of peak", "kept")


def build_parser() -> Parser:
    parser = benchmark_parser(__doc__, runs=5, writes=True)
    parser.add_argument("--scale", choices=("demo", "published"), default="demo", help="default: %(default)s")
    parser.add_argument("--device", metavar="IDS", help="GPU: 0 or auto (default: CPU)")
    parser.add_argument("--precision", default="32", help="32, bf16-mixed or 16-mixed (default: %(default)s)")
    parser.add_argument("--cache", default="auto", help="none, ram, device or auto (default: %(default)s)")
    parser.add_argument("--views", type=int, default=40, metavar="N", help="views to train on (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="timed in each run (default: %(default)s)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    import torch

    from src.rsgan.devices import Devices, quieten

    quieten()
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore", message=".*no `val_dataloader`")  # nothing is validated here
    devices = Devices.parse(arguments.device)
    peak = matrix_rate(devices.own, arguments.precision)
    name = torch.cuda.get_device_name(devices.own) if devices.gpus else f"{torch.get_num_threads()} CPU threads"
    print(f"Matrix products: {peak / 1e12:.3g} TFLOP/s in precision {arguments.precision} on {name}\n")
    with tempfile.TemporaryDirectory(dir=arguments.o) as folder:
        build_data(Path(folder), arguments.scale, arguments.views)
        print_table(HEAD, (measure(file, Path(folder), arguments, devices, peak) for file in EXPERIMENTS))


def build_data(folder: Path, scale: str, views: int) -> None:
    """Make the views; time series that ship with sktime stand in for the published ones."""
    from src.toygeneration.dataset.recipe import Recipe
    from src.toygeneration.dataset.views import build_views
    from utils.environment import cores

    over = SCENES / {"demo": "demo.yaml", "published": "shipped_series.yaml"}[scale]
    for task in dict.fromkeys(Path(file).parent for file in EXPERIMENTS):
        recipe = Recipe.load(SCENES / task, over)
        if build_views(recipe, folder / task, range(1, views + 1), njobs=cores()):
            raise RuntimeError("a view failed")


def measure(file: str, folder: Path, arguments: argparse.Namespace, devices: "Devices", peak: float) -> list[str]:
    from torch.utils.data import DataLoader
    from torch.utils.flop_counter import FlopCounterMode

    from src.rsgan.building import sized
    from src.rsgan.configuration import ExperimentConfig
    from src.rsgan.data.store import to_device
    from src.rsgan.training import open_data
    from utils.config import load, merge, validate

    over = [CONFIGS / "demo.yaml"] if arguments.scale == "demo" else []
    content = load([CONFIGS / file, *over])
    as_published = {"frames_per_series": 5} if file in OF_FRAMES else {}
    changes = {
        "experiment": {"precision": arguments.precision, **as_published},
        "dataset": {"root": str(folder / Path(file).parent), "cache": arguments.cache},
    }
    config = validate(ExperimentConfig, merge(content, changes), file)
    data = open_data(config, 0)
    config = sized(config, data.features, data.smallest_batch())
    data.prepare(devices.own)
    loader = data.loader("train")
    batch = to_device(next(iter(loader)), devices.own)
    fixed = DataLoader([batch] * (WARM_UP + arguments.steps), batch_size=None)
    feeds = {"data": loader, "fixed": fixed}
    fits = {name: partial(train, config, feed, devices, WARM_UP, arguments.steps) for name, feed in feeds.items()}
    timed = in_turn(arguments.runs, fits)
    with FlopCounterMode(display=False) as counter:
        train(config, fixed, devices, 0, 1)
    step, alone = median(timed["data"]), median(timed["fixed"])
    samples = mean(part.samples for part in data.plan("train", 0))
    frames = samples if file in OF_FRAMES else samples * data.features.horizon
    flops = counter.get_total_flops() / len(batch["target"]) * samples
    return [
        config.experiment.name,
        f"{step * 1e3:.1f} ms",
        f"{frames / step:.0f}",
        f"{alone * 1e3:.1f} ms",
        f"{step / alone - 1:+.1%}",
        f"{flops / 1e9:.1f}",
        f"{flops / step / 1e12:.3g}",
        f"{flops / step / peak:.0%}",
        f"{kept(config, batch) / 1e6:.0f} MB",
    ]


def train(
    config: "ExperimentConfig", batches: "Iterable[Batch]", devices: "Devices", warm_up: int, steps: int
) -> float:
    """Train, and say how long a step took after the first few: the device is waited for before and after those."""
    import pytorch_lightning as pl
    import torch

    from src.rsgan.learner import Learner
    from utils.identity import Identity

    ended, count = [], itertools.count(1)

    def look_at_the_clock(*_: object) -> None:
        if next(count) in (warm_up, warm_up + steps):
            torch.get_device_module(devices.own).synchronize()
            ended.append(time.perf_counter())

    trainer = pl.Trainer(
        **devices.trainer_arguments(),
        precision=config.experiment.lightning_precision,
        max_epochs=-1,
        max_steps=(warm_up + steps) * len(config.optimizer),  # Lightning counts those of optimisers
        callbacks=pl.callbacks.LambdaCallback(on_train_batch_end=look_at_the_clock),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    trainer.fit(Learner(config, Identity({}, seed=0)), batches)
    return (ended[-1] - ended[0]) / steps


def kept(config: "ExperimentConfig", batch: "Batch") -> int:
    """Count the bytes that the losses of a batch keep for their gradients, in single precision."""
    import torch

    from src.rsgan.building import build_experiment

    storages: dict[int, int] = {}

    def see(tensor: "torch.Tensor") -> "torch.Tensor":
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    experiment = build_experiment(config, 0).to(batch["target"].device)
    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        experiment.step(batch)
    return sum(storages.values())


def matrix_rate(device: "torch.device", precision: str) -> float:
    import torch
    from torch.utils.benchmark import Timer

    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision, torch.float32)
    side = 8192 if device.type == "cuda" else 2048
    factors = dict(zip("ab", torch.randn(2, side, side, device=device, dtype=dtype), strict=True))
    timer = Timer("a @ b", globals=factors, num_threads=torch.get_num_threads())
    return 2 * side**3 / min(timer.blocked_autorange(min_run_time=2).times)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
