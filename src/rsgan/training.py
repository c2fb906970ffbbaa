"""Train an experiment: from a configuration file to checkpoints, figures and pictures."""

import contextlib
import logging
import sys
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning import callbacks as lightning
from pytorch_lightning.loggers import TensorBoardLogger

from src.rsgan import identities
from src.rsgan.building import sized
from src.rsgan.callbacks.checkpoints import Checkpoints, WholeCheckpointIO
from src.rsgan.callbacks.epochs import Epochs
from src.rsgan.callbacks.interruption import Interruption
from src.rsgan.callbacks.samples import Samples
from src.rsgan.checkpoint import REMEDY, WEIGHTS, check_identity, check_progress, check_weights, read_checkpoint
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.loader import reading
from src.rsgan.devices import Devices, first_process, quieten
from src.rsgan.experiments.experiment import TrainedSettings
from src.rsgan.learner import Learner
from src.rsgan.run_folder import RunFolder, Summary
from utils.config import Paths, named, names, read
from utils.errors import ConfigError, DataError, ProjectError
from utils.files import alone
from utils.identity import Identity
from utils.memory import ran_out

logger = logging.getLogger(__name__)


def train(
    cfg: Paths,
    out: Path,
    *,
    devices: Devices,
    experiment_name: str | None = None,
    seed: int | None = None,
    overwrite: bool = False,
) -> None:
    """Train an experiment in `<out>/<experiment_name>`, or go on where an interrupted run stopped.

    Args:
        experiment_name: instead of the experiment's own name.
        seed: of initialisation, order of batches and dropout, instead of the configuration's.
        overwrite: whether other work in the folder is replaced.

    Raises:
        UsageError: If a file is wrong, doesn't fit the data, or the folder belongs to another run.
        DataError: If the data or a checkpoint cannot be read.
        TrainingInterruptedError: If a signal ended training; a checkpoint is written.
        RunError: If training diverged.
    """
    quieten()
    config = read(ExperimentConfig, cfg)
    _check_trainable(config, devices, cfg)
    folder = RunFolder.inside(out, config.experiment.name if experiment_name is None else experiment_name)
    seed = config.experiment.seed if seed is None else seed
    with named(cfg, ConfigError, DataError):
        data = open_data(config, seed)
        config = sized(config, data.features, data.smallest_batch())
        _check_processes(data, devices)
    identity = identities.of_run(config, seed, data.fingerprint)
    chkpt = Path(config.experiment.chkpt) if config.experiment.chkpt else None
    if chkpt:
        check_identity(chkpt, identity)
    with alone(folder.run) if first_process() else contextlib.nullcontext():
        if first_process():
            folder.sweep()
            checkpoint = folder.begin(identity, chkpt, max_epochs=config.experiment.max_epochs, overwrite=overwrite)
        else:
            checkpoint = chkpt or (folder.last if folder.last.exists() else None)
        if checkpoint == folder.last and folder.finished(config.experiment.max_epochs):
            logger.info("%s: nothing left to train; raise experiment.max_epochs to go on", folder.root)
            return
        fit(config, data, folder, devices, identity, checkpoint)


def open_data(config: ExperimentConfig, seed: int) -> ToyDataModule:
    """Open the data that an experiment trains on; the seed draws the order of batches."""
    settings = config.experiment
    return ToyDataModule(
        config.dataset,
        split_seed=settings.seed,
        seed=seed,
        batching=settings.batching(config.dataset),
        kinds=settings.builds.kinds,
    )


def fit(
    config: ExperimentConfig,
    data: ToyDataModule,
    folder: RunFolder,
    devices: Devices,
    identity: Identity,
    checkpoint: Path | None,
) -> None:
    """Train into a folder, perhaps going on from a checkpoint; see `train`."""
    learner = Learner(config, identity)
    interruption = Interruption(folder.last)
    best = Checkpoints(folder.checkpoints, **config.model_checkpoint.model_dump())
    interactive = sys.stderr.isatty()
    epochs = Epochs(folder.run / "metrics.csv", None if interactive else best.monitor)
    stopping = []
    if config.early_stopping:
        watched = config.early_stopping.model_dump(exclude={"name"})
        stopping = [lightning.EarlyStopping(**watched, check_on_train_epoch_end=True)]
    trainer = pl.Trainer(
        **devices.trainer_arguments(),
        precision=config.experiment.lightning_precision,
        max_epochs=config.experiment.max_epochs,
        callbacks=[Samples(folder.run / "samples", data), epochs, *stopping, best, interruption],
        logger=TensorBoardLogger(folder.root, "run", version="", sub_dir="tensorboard", default_hp_metric=False),
        plugins=[WholeCheckpointIO()],
        default_root_dir=folder.root,
        enable_progress_bar=interactive,
        enable_model_summary=False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    if checkpoint:
        content = read_checkpoint(checkpoint)
        check_weights(content[WEIGHTS], learner.weights(), checkpoint)
        logger.info("going on from %s (epoch %d)", checkpoint, check_progress(content, checkpoint))
    data.prepare(devices.own)
    loaders = [data.loader(split, rank=trainer.global_rank, world=trainer.world_size) for split in ("train", "val")]
    sizes = [f"{name} {network.parameters / 1e6:.2f} M parameters" for name, network in config.model.items()]
    logger.info("%s: %s", folder.root, ", ".join(sizes))
    try:
        with reading():
            trainer.fit(learner, *loaders, ckpt_path=checkpoint, weights_only=True)
    except Exception as error:
        if checkpoint is None or interruption.began or isinstance(error, ProjectError | OSError) or ran_out(error):
            raise
        raise DataError(f"{checkpoint}: cannot be gone on from ({error}); {REMEDY}") from error
    finally:
        data.close()
    interruption.raise_if_interrupted()
    stopped_early = trainer.current_epoch < config.experiment.max_epochs
    folder.finish(
        Summary(epochs=trainer.current_epoch, stopped_early=stopped_early, monitor=best.monitor, best=best.best_score)
    )


def _check_processes(data: ToyDataModule, devices: Devices) -> None:
    world = max(1, len(devices.gpus))
    if not data.plan("train", 0, world=world):
        raise ConfigError(
            f"--device: found {world} GPUs for {len(data.plan('train', 0))} batches an epoch, expected no more GPUs "
            "than batches; use fewer, or a smaller dataset.dataloader.batch_size"
        )


def _check_trainable(config: ExperimentConfig, devices: Devices, cfg: Paths) -> None:
    if not isinstance(config.experiment, TrainedSettings):
        raise ConfigError(
            f"{names(cfg)}: experiment.name: found {config.experiment.name!r}, a baseline that needs no training; run "
            "run_testing.py with this file"
        )
    if config.experiment.lightning_precision == "16-mixed" and not devices.gpus:
        raise ConfigError(
            f"{names(cfg)}: experiment.precision: found {config.experiment.precision}, which needs a GPU; use 32 or "
            "bf16-mixed, or pass --device"
        )
