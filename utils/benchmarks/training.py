"""Time training steps: with data as they come, against the same step fed by one batch that is always there.

Both run through the same trainer, in turn; figures are medians. FLOPs of a step are counted by PyTorch, and compared
with the rate at which this machine multiplies large matrices in the same precision. Prints a Markdown table.
"""

import argparse
import contextlib
import logging
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script, Python looks for modules beside the script
    sys.path.insert(0, str(ROOT))

from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    import torch

    from src.rsgan.configuration import ExperimentConfig
    from src.rsgan.data.datamodule import ToyDataModule
    from src.rsgan.devices import Devices

CONFIGS = ROOT / "src/rsgan/config"
EXPERIMENTS = (
    "cloud_removal/cgan_toy.yaml",
    "cloud_removal/cgan_toy_upper_bound.yaml",
    "cloud_removal/cgan_frame_recurrent_toy.yaml",
    "sar_to_optical/cycle_gan_toy.yaml",
)
SHARE_TRAINED = 0.7
PUBLISHED_VIEWS, PUBLISHED_HORIZON = 250, 30


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--scale", choices=("demo", "published"), default="demo", help="default: %(default)s")
    parser.add_argument("--device", metavar="IDS", help="GPU: 0 or auto (default: CPU)")
    parser.add_argument("--precision", default="32", help="32, bf16-mixed or 16-mixed (default: %(default)s)")
    parser.add_argument("--cache", default="auto", help="none, ram, device or auto (default: %(default)s)")
    parser.add_argument("--views", type=int, default=24, metavar="N", help="views to train on (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="timed in each run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="of each kind (default: %(default)s)")
    parser.add_argument("--o", type=Path, metavar="DIR", help="folder for the data (default: a temporary one)")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Measure."""
    from src.rsgan.devices import Devices
    from src.rsgan.training import quieten

    quieten()
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore", message=".*no `val_dataloader`")  # nothing is validated here
    devices = Devices.parse(arguments.device)
    peak = matrix_rate(devices.own, arguments.precision)
    print(f"Matrix products: {peak / 1e12:.3g} TFLOP/s in precision {arguments.precision} on {name_of(devices.own)}\n")
    print(
        "| experiment | step | frames/s | fixed batch | data overhead | GFLOP/step | TFLOP/s | of peak | all epochs |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with contextlib.ExitStack() as stack:
        folder = arguments.o or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build_data(folder, arguments.scale, arguments.views)
        for file in EXPERIMENTS:
            print(measure(file, folder, arguments, devices, peak), flush=True)


def build_data(folder: Path, scale: str, views: int) -> None:
    """Make the views, unless they are there; time series that ship with sktime stand in for the published ones."""
    from src.toygeneration.configuration import GenerationConfig
    from src.toygeneration.task import Task
    from src.toygeneration.views import build_views
    from utils.config import load, validate

    series = {"path": ["sktime:BasicMotions"], "ndim": 3, "nclass": 2}
    for task in ("cloud_removal", "sar_to_optical"):
        source = ROOT / "src/toygeneration/config" / ("demo" if scale == "demo" else "") / task
        generations = {}
        for file in source.rglob("generation_*.yaml"):
            dims = [3, 4, 5] if "sar" in file.stem else [0, 1, 2]
            content = load(file) | {"ts": {**series, "dims": dims}}
            generations[file.stem.removeprefix("generation_")] = validate(GenerationConfig, content, file)
        derivations = Task.load(ROOT / "src/toygeneration/config/demo" / task).derivations
        if scale == "published":
            derivations = published_derivations(source)
        recipe = Task.from_configurations(generations, derivations, source)
        if build_views(recipe, folder / task, range(1, views + 1), njobs=-1):
            raise RuntimeError("a view failed")


def published_derivations(source: Path) -> dict[str, Any]:
    """Read derivations without the generations beside them, whose time series may not be there."""
    from src.toygeneration.configuration import DerivationConfig
    from utils.config import load, validate

    files = source.rglob("derivation_*.yaml")
    return {file.stem.removeprefix("derivation_"): validate(DerivationConfig, load(file), file) for file in files}


def configuration(file: str, folder: Path, arguments: argparse.Namespace) -> "ExperimentConfig":
    """Read an experiment and point it to the benchmark's data."""
    from src.rsgan.configuration import ExperimentConfig
    from utils.config import load, merge, validate

    path = CONFIGS / ("demo" if arguments.scale == "demo" else "") / file
    changes = {
        "experiment": {"precision": arguments.precision, "frames_per_series": 5},
        "dataset": {"root": str(folder / Path(file).parent), "cache": arguments.cache},
    }
    return validate(ExperimentConfig, merge(load(path), changes), path)


def measure(file: str, folder: Path, arguments: argparse.Namespace, devices: "Devices", peak: float) -> str:
    """Measure one experiment, and put it into a row."""
    from src.rsgan.training import build_experiment, open_data

    config = configuration(file, folder, arguments)
    data = open_data(config, 0)
    data.kinds = build_experiment(config, 0).kinds
    data.prepare(devices.own)
    timed: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(arguments.runs):
        for fixed in (False, True):
            timed[fixed].append(seconds_per_step(config, data, devices, arguments.steps, fixed=fixed))
    step, alone = (statistics.median(timed[fixed]) for fixed in (False, True))
    frames = statistics.mean(len(batch.index) for batch in data.plan("train", 0))
    flops = flops_per_frame(config, devices) * frames
    epochs, steps = config.experiment.max_epochs, PUBLISHED_VIEWS * SHARE_TRAINED * 5 / frames
    return (
        f"| {config.experiment.name} | {step * 1e3:.1f} ms | {frames / step:.0f} | {alone * 1e3:.1f} ms "
        f"| {step / alone - 1:+.1%} | {flops / 1e9:.1f} | {flops / step / 1e12:.3g} | {flops / step / peak:.0%} "
        f"| {steps * epochs * step / 60:.1f} min for {epochs} |"
    )


def seconds_per_step(
    config: "ExperimentConfig", data: "ToyDataModule", devices: "Devices", steps: int, *, fixed: bool
) -> float:
    """Train for some steps, the first few of which aren't counted.

    Args:
        config: the experiment.
        data: what it trains on.
        devices: where.
        steps: that are counted.
        fixed: whether one batch is given again and again, already on the device.

    Returns:
        Seconds.
    """
    import pytorch_lightning as pl

    from src.rsgan.training import build_experiment

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
    experiment = build_experiment(config, 0)
    if fixed:
        batch = batch_on(devices.own, config, data)
        trainer.fit(experiment, Repeated([batch] * (warm_up + steps)))
    else:
        trainer.fit(experiment, datamodule=data)
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


def batch_on(device: "torch.device", config: "ExperimentConfig", data: "ToyDataModule", size: int | None = None) -> Any:  # noqa: ANN401
    """Read one training batch and put it on the device."""
    from src.rsgan.data.plans import Batch
    from src.rsgan.data.store import Store, to_device

    plan = data.plan("train", 0)[0]
    sample = Store(data.views("train"), data.kinds)[Batch(plan.index[:size], plan.first)]
    return to_device(sample, device)


def flops_per_frame(config: "ExperimentConfig", devices: "Devices") -> float:
    """Count the FLOPs of a training step on two frames, forwards and backwards."""
    from torch.utils.flop_counter import FlopCounterMode

    from src.rsgan.training import build_experiment, open_data

    data = open_data(config, 0)
    experiment = build_experiment(config, 0)
    data.kinds = experiment.kinds
    batch = batch_on(devices.own, config, data, size=2)
    with FlopCounterMode(display=False) as counter:
        make_trainer(config, devices, 1).fit(experiment, Repeated([batch]))
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
    """Name the device."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
