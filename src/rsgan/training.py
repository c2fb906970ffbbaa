"""Train an experiment: from a configuration file to checkpoints, figures and pictures."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning import callbacks as lightning
from pytorch_lightning.loggers import TensorBoardLogger

from src.rsgan.callbacks.checkpoints import Checkpoints
from src.rsgan.callbacks.epochs import EpochLines, EpochTable
from src.rsgan.callbacks.interruption import Interruption
from src.rsgan.callbacks.pictures import Pictures
from src.rsgan.checkpoint import WholeCheckpointIO, read_checkpoint
from src.rsgan.configuration import ExperimentConfig, named, read_experiment
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.devices import Devices
from src.rsgan.experiments import TrainedSettings
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.run_folder import RunFolder, identify
from utils.errors import ConfigError
from utils.resumable import resumable, unfinished
from utils.seeding import Streams

logger = logging.getLogger(__name__)
HARMLESS = (
    ".*LeafSpec",  # Lightning 2.6 asks PyTorch 2.13 for something that a later PyTorch will not have
    "Checkpoint directory .* exists and is not empty",  # a run that goes on
)


def train(
    cfg: Path,
    out: Path,
    *,
    devices: Devices,
    experiment_name: str | None = None,
    seed: int | None = None,
    whole: bool = False,
) -> None:
    """Train the experiment of a file, or go on where an interrupted run stopped.

    Args:
        cfg: the file.
        out: folder of experiments; this one's is `<out>/<experiment_name>`.
        devices: what to train on.
        experiment_name: instead of the experiment's own name.
        seed: of initialisation, order of batches and dropout, instead of the configuration's.
        whole: let the folder appear when training has ended; until then, work beside it. See `resumable`.

    Raises:
        UsageError: If the file is wrong, doesn't fit the data, or the folder belongs to another run.
        DataError: If the data or a checkpoint cannot be read.
        TrainingInterruptedError: If a signal ended training; a checkpoint is written.
        RunError: If training diverged.
    """
    quieten()
    config = read_experiment(cfg)
    _check_trainable(config, devices, cfg)
    seed = config.experiment.seed if seed is None else seed
    with named(cfg):
        data = open_data(config, seed)
        config.check_data(data.features, data.smallest_batch())
        _check_processes(data, devices)
    identity = identify(config, seed, data.fingerprint)
    with _place(out / (experiment_name or config.experiment.name), identity, whole=whole) as folder:
        checkpoint = folder.claim(config, identity)
        if checkpoint == folder.last and folder.finished(config.experiment.max_epochs):
            logger.info(
                "%s: nothing left to train; raise experiment.max_epochs, or remove the folder to start over",
                folder.root,
            )
            return
        fit(config, data, folder, devices, seed=seed, identity=identity, checkpoint=checkpoint)


@contextlib.contextmanager
def _place(root: Path, identity: dict[str, Any], *, whole: bool) -> Iterator[RunFolder]:
    """The folder to work in: the run's own, or one beside it that the first process opens for all."""
    if not whole:
        yield RunFolder(root)
    elif first_process():
        with resumable(root, identity) as folder:
            yield RunFolder(folder)
    else:
        yield RunFolder(unfinished(root))


def first_process() -> bool:
    """Say whether this is the first, or the only one, of the processes that train together."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def open_data(config: ExperimentConfig, seed: int) -> ToyDataModule:
    """Open the data that an experiment trains on.

    Args:
        config: the configuration.
        seed: of the order of batches.

    Returns:
        The data.

    Raises:
        DataError: If views are missing or disagree.
        ConfigError: If there are too few views for the split.
    """
    settings = config.experiment
    return ToyDataModule(
        config.dataset,
        split_seed=settings.seed,
        seed=seed,
        in_time_order=settings.in_time_order,
        frames_per_series=settings.frames_per_series,
    )


def build_experiment(config: ExperimentConfig, seed: int) -> Experiment:
    """Build an experiment with fresh networks.

    Args:
        config: the configuration.
        seed: of the networks' weights and of what is random in training.

    Returns:
        The experiment.
    """
    torch.manual_seed(int(Streams((seed,)).rng("initialisation").integers(2**63)))
    return config.experiment.build(config, seed=seed)


def fit(
    config: ExperimentConfig,
    data: ToyDataModule,
    folder: RunFolder,
    devices: Devices,
    *,
    seed: int,
    identity: dict[str, object],
    checkpoint: Path | None = None,
) -> None:
    """Train into a folder; see `train`.

    Args:
        config: the configuration.
        data: what to train on.
        folder: where everything goes.
        devices: what to train on.
        seed: of everything random but the split.
        identity: of the run, kept in its checkpoints.
        checkpoint: to go on from.
    """
    experiment = build_experiment(config, seed)
    experiment.identity = identity
    data.kinds = experiment.kinds
    data.prepare(devices.own)
    resumed = read_checkpoint(checkpoint)["epoch"] + 1 if checkpoint else 0
    logger.info("%s: %s", folder.root, experiment.describe())
    if checkpoint:
        logger.info("going on from %s (epoch %d)", checkpoint, resumed)
    interruption = Interruption(folder.last)
    best = Checkpoints(folder.checkpoints, **config.model_checkpoint.model_dump())
    trainer = pl.Trainer(
        **devices.trainer_arguments(),
        precision=config.experiment.lightning_precision,
        max_epochs=config.experiment.max_epochs,
        callbacks=[*_callbacks(config, folder), best, interruption],
        logger=[
            TensorBoardLogger(folder.root, name="run", version="", sub_dir="tensorboard", default_hp_metric=False),
            EpochTable(folder.run / "metrics.csv", keep=resumed),
        ],
        plugins=[WholeCheckpointIO()],
        default_root_dir=folder.root,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    trainer.fit(experiment, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    interruption.raise_if_interrupted()
    folder.finish(
        epochs=trainer.current_epoch,
        stopped_early=trainer.current_epoch < config.experiment.max_epochs,
        monitor=best.monitor,
        best=None if best.best_model_score is None else float(best.best_model_score),
    )


def _callbacks(config: ExperimentConfig, folder: RunFolder) -> list[pl.Callback]:
    """What happens beside training, checkpoints excepted."""
    made: list[pl.Callback] = [Pictures(folder.run / "samples")]
    if not sys.stderr.isatty():
        made.append(EpochLines())
    if config.early_stopping:
        watched = config.early_stopping.model_dump(exclude={"name"})
        made.append(lightning.EarlyStopping(**watched, check_on_train_epoch_end=True))
    return made


def _check_processes(data: ToyDataModule, devices: Devices) -> None:
    world = max(1, len(devices.gpus))
    if not data.plan("train", 0, world=world):
        raise ConfigError(
            f"--device: found {world} GPUs for {len(data.plan('train', 0))} batches an epoch, expected no more GPUs "
            "than batches; use fewer, or a smaller dataset.dataloader.batch_size"
        )


def _check_trainable(config: ExperimentConfig, devices: Devices, cfg: Path) -> None:
    if not isinstance(config.experiment, TrainedSettings):
        raise ConfigError(
            f"{cfg}: experiment.name: found {config.experiment.name!r}, a baseline that needs no training; run "
            "run_testing.py with this file"
        )
    if config.experiment.lightning_precision == "16-mixed" and not devices.gpus:
        raise ConfigError(
            f"{cfg}: experiment.precision: found {config.experiment.precision}, which needs a GPU; use 32 or "
            "bf16-mixed, or pass --device"
        )


def quieten() -> None:
    """Keep to what a user should read: one process speaks, and Lightning only when something is wrong."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not first_process():
        logging.disable(logging.WARNING)
    for harmless in HARMLESS:
        warnings.filterwarnings("ignore", message=harmless)
    torch.set_float32_matmul_precision("high")
