"""What is tested: an experiment's networks with the weights of a checkpoint, or a baseline."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from src.rsgan.baselines import BaselineSettings
from src.rsgan.building import build_experiment, sized
from src.rsgan.checkpoint import IDENTITY, check_weights, read_checkpoint
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.datasets import Kind
from src.rsgan.data.store import Batch
from utils.errors import UsageError
from utils.identity import Identity

logger = logging.getLogger(__name__)
# What a checkpoint and the configuration that tests it must agree on, or test views were trained on.
SHARED = ("experiment.name", "experiment.seed", "dataset", "model")
FREE = ("dataset.root", "dataset.cache", "dataset.dataloader")


class Translator(Protocol):
    """Makes generated series of source series, which must hold `kinds`."""

    kinds: Sequence[Kind]

    def translate(self, series: Batch) -> Tensor:
        """Generate the frames of a series `(T, C, H, W)`, in network scale."""


@dataclass(frozen=True, eq=False)
class Tested:
    """A translator and where it is from.

    Attributes:
        run: what makes it what it is, apart from the seed.
        seed: of its training; None for a baseline, as for the others.
        epoch: after which epoch its weights were kept, from 1.
    """

    translator: Translator
    run: Identity
    seed: int | None = None
    checkpoint: Path | None = None
    epoch: int | None = None

    @property
    def kind(self) -> str:
        """What sort of method it is; one that doesn't look at the source is given the target."""
        if self.checkpoint is None:
            return "baseline"
        return "network" if "source" in self.translator.kinds else "upper bound"


def is_baseline(config: ExperimentConfig) -> bool:
    return isinstance(config.experiment, BaselineSettings)


def open_baseline(config: ExperimentConfig, data: ToyDataModule, run: Identity) -> Tested:
    """Build a baseline, and show it the training views one after the other if it learns from them."""
    baseline = config.experiment.build(config.dataset, dict(data.features.nbands))
    if baseline.learns_from:
        numbers = range(len(data.names["train"]))
        baseline.learn(data.series("train", number, baseline.learns_from) for number in numbers)
    return Tested(baseline, run)


def open_experiment(config: ExperimentConfig, data: ToyDataModule, path: Path, device: torch.device) -> Tested:
    """Build an experiment with the weights of a checkpoint.

    Raises:
        ConfigError: If networks don't fit the data.
        UsageError: If the checkpoint is another experiment's.
        DataError: If it cannot be read.
    """
    config = sized(config, data.features)
    checkpoint = read_checkpoint(path)
    run = Identity.restore(checkpoint[IDENTITY])
    found = run.differences(Identity(config.model_dump(mode="json")), only=SHARED, apart_from=FREE)
    if found:
        raise UsageError(f"{path}: a checkpoint of another experiment ({found}); train one or pass another --chkpt")
    if run.data != data.fingerprint:
        logger.warning("warning: %s was trained on other views than those of %s", path, config.dataset.root)
    experiment = build_experiment(config, 0)
    weights = {name: value for name, value in checkpoint["state_dict"].items() if name.split(".")[0] in config.model}
    check_weights(weights, experiment.state_dict(), path)
    experiment.load_state_dict(weights)
    return Tested(experiment.to(device).eval(), replace(run, seed=None), run.seed, path, epoch=checkpoint["epoch"] + 1)
