"""What is tested: an experiment's networks with the weights of a checkpoint, a baseline, or somebody's predictions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from src.rsgan import identities
from src.rsgan.baselines import Rule
from src.rsgan.building import build_experiment, sized
from src.rsgan.checkpoint import IDENTITY, WEIGHTS, check_weights, read_checkpoint
from src.rsgan.configuration import CommonConfig, ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.split import Split
from src.rsgan.data.store import Batch
from src.rsgan.evaluation.metrics.images import single
from src.rsgan.experiments import Generated, Translator
from src.rsgan.experiments.experiment import Experiment
from src.rsgan.predictions import Expected, Submission, dense, find_any, find_predictions, fingerprint, read_prediction
from utils.config import join
from utils.errors import DataError, RunError, UsageError
from utils.identity import Identity, digest
from utils.scores import BOUND, NETWORK, SUBMISSION, Kind

logger = logging.getLogger(__name__)
# What a checkpoint and the configuration that tests it must agree on, or test views were trained on.
SHARED = ("experiment.name", "experiment.seed", "dataset", "model")
FREE = ("dataset.root", "dataset.cache", "dataset.dataloader", "dataset.crop")


@dataclass(frozen=True, eq=False)
class Tested:
    """A translator and where it is from.

    Attributes:
        name: of the experiment.
        kind: what sort of method it is.
        told: what it is told of a view, see `utils.results.Told`; None where nobody knows.
        run: what makes it what it is, apart from the seed.
        splits: of whose views it makes images.
        seed: of its training; None for a baseline, as for the others.
        epoch: after which epoch its weights were kept, from 1.
    """

    translator: Translator
    name: str
    kind: Kind
    told: Mapping[str, Any] | None
    run: Identity
    splits: tuple[Split, ...] = ("val", "test")
    seed: int | None = None
    checkpoint: Path | None = None
    epoch: int | None = None


def generate(translator: Translator, series: Batch) -> Generated:
    """Generate one series, dense and on the CPU, where it is scored.

    Raises:
        RunError: If it isn't finite.
    """
    made = translator.translate(series)
    parts = vars(made) if isinstance(made, Generated) else {"frames": made}
    made = Generated(**{name: None if part is None else dense(single(part)) for name, part in parts.items()})
    if not all(torch.isfinite(part).all() for part in vars(made).values() if part is not None):
        view = series["view"]
        raise RunError(f"view {view}: found generated values that are not finite: training diverged; train again")
    return made


def open_baseline(config: ExperimentConfig, data: ToyDataModule) -> Tested:
    """Build a baseline, which may learn from the training views; a `ConfigError` where it doesn't suit the data."""
    told = {"none": (), "estimated": ("opacity",), "exact": ("opacity", "shadow")}
    kinds = ("source", "target", *told[config.dataset.opacity])
    training = (data.series("train", number, kinds) for number in range(len(data.names["train"])))
    experiment = config.experiment
    baseline = experiment.build(config.dataset, data.features.nbands, training)
    run = identities.of_test(config, data.fingerprint)
    return Tested(baseline, experiment.name, experiment.kind, experiment.told(config.dataset, config.model), run)


def open_experiment(config: ExperimentConfig, data: ToyDataModule, path: Path, device: torch.device) -> Tested:
    """Build an experiment with the weights of a checkpoint.

    Raises:
        ConfigError: If networks don't fit the data.
        UsageError: If the checkpoint is another experiment's.
        DataError: If it cannot be read.
    """
    config, checkpoint = sized(config, data.features), read_checkpoint(path)
    experiment = load_experiment(config, checkpoint, path).to(device)
    run = Identity.restore(checkpoint[IDENTITY])
    if run.data != data.fingerprint:
        logger.warning("warning: %s was trained on other views than those of %s", path, config.dataset.root)
    kind = NETWORK if "source" in experiment.kinds else BOUND  # what doesn't look at the source is given the target
    told = config.experiment.told(config.dataset, config.model)
    about = {"seed": run.seed, "checkpoint": path, "epoch": checkpoint["epoch"] + 1}
    return Tested(experiment, config.experiment.name, kind, told, replace(run, seed=None), **about)


def load_experiment(
    config: ExperimentConfig, checkpoint: Mapping[str, Any], path: Path, *, apart_from: Sequence[str] = FREE
) -> Experiment:
    """Build a `sized` experiment, not to be trained, with the weights of a checkpoint that was read from a file.

    Raises:
        UsageError: If it is another experiment's, by more than may differ.
        DataError: If networks cannot take its weights.
    """
    run = Identity.restore(checkpoint[IDENTITY])
    found = run.differences(Identity(config.model_dump(mode="json")), only=SHARED, apart_from=apart_from)
    if found:
        raise UsageError(f"{path}: a checkpoint of another experiment ({found}); train one or pass another --chkpt")
    experiment = build_experiment(config, 0)
    weights = {name: value for name, value in checkpoint[WEIGHTS].items() if name.split(".")[0] in config.model}
    check_weights(weights, experiment.state_dict(), path)
    experiment.load_state_dict(weights)
    return experiment.eval()


def open_predictions(submission: Submission, name: str, config: CommonConfig, data: ToyDataModule) -> Tested:
    """Read predictions of all test views and, if there are any, of all validation views, to see whether they are sound.

    Raises:
        DataError: With all problems of the files, or if views have none.
    """
    folder, expected = submission.folder, Expected.of(data.features, config.dataset.target)
    files = find_predictions(folder, "test", data.names["test"])
    splits: tuple[Split, ...] = ("test",)
    if find_any(folder, data.names["val"]):
        splits, files = ("val", "test"), files | find_predictions(folder, "validation", data.names["val"])
    found, problems = {}, []
    for view, file in files.items():
        try:
            found[view] = fingerprint(read_prediction(file, expected, submission.scale))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(join(problems))
    sources = {"sensors": [*config.dataset.sources], "opacity": config.dataset.opacity}
    told = None if submission.sees is None else sources | {"sees": submission.sees}
    rule = Rule(lambda series: read_prediction(files[series["view"]], expected, submission.scale))
    run = identities.of_predictions(digest(found), data.fingerprint)
    return Tested(rule, name, SUBMISSION, told, run, splits)
