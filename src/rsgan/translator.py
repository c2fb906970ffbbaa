"""What is tested: an experiment's networks with the weights of a checkpoint, or a baseline."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from src.rsgan import identities
from src.rsgan.building import build_experiment, sized
from src.rsgan.checkpoint import IDENTITY, WEIGHTS, check_weights, read_checkpoint
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.experiments import Translator
from utils.errors import UsageError
from utils.identity import Identity
from utils.scores import BOUND, NETWORK, Kind

logger = logging.getLogger(__name__)
# What a checkpoint and the configuration that tests it must agree on, or test views were trained on.
SHARED = ("experiment.name", "experiment.seed", "dataset", "model")
FREE = ("dataset.root", "dataset.cache", "dataset.dataloader", "dataset.crop")


@dataclass(frozen=True, eq=False)
class Tested:
    """A translator and where it is from.

    Attributes:
        kind: what sort of method it is.
        run: what makes it what it is, apart from the seed.
        seed: of its training; None for a baseline, as for the others.
        epoch: after which epoch its weights were kept, from 1.
    """

    translator: Translator
    kind: Kind
    run: Identity
    seed: int | None = None
    checkpoint: Path | None = None
    epoch: int | None = None


def open_baseline(config: ExperimentConfig, data: ToyDataModule) -> Tested:
    """Build a baseline, which may learn from the training views; a `ConfigError` where it doesn't suit the data."""
    told = () if config.dataset.opacity == "none" else ("opacity",)
    kinds = ("source", "target", *told)
    training = (data.series("train", number, kinds) for number in range(len(data.names["train"])))
    baseline = config.experiment.build(config.dataset, data.features.nbands, training)
    return Tested(baseline, config.experiment.kind, identities.of_test(config, data.fingerprint))


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
    weights = {name: value for name, value in checkpoint[WEIGHTS].items() if name.split(".")[0] in config.model}
    check_weights(weights, experiment.state_dict(), path)
    experiment.load_state_dict(weights)
    kind = NETWORK if "source" in experiment.kinds else BOUND  # what doesn't look at the source is given the target
    translator, run, seed = experiment.to(device).eval(), replace(run, seed=None), run.seed
    return Tested(translator, kind, run, seed, path, epoch=checkpoint["epoch"] + 1)
