"""Test an experiment: from a configuration and a checkpoint to scores and pictures."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan import identities
from src.rsgan.configuration import ExperimentConfig, named, read_experiment
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.store import Batch, to_device
from src.rsgan.devices import Devices
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.drawing import Strip
from src.rsgan.evaluation.judges import compared, open_judge
from src.rsgan.evaluation.outcome import Outcome, write_results
from src.rsgan.evaluation.pixels import class_map
from src.rsgan.evaluation.scoring import ViewScores, score_view
from src.rsgan.process import quieten
from src.rsgan.run_folder import RunFolder
from src.rsgan.translator import Tested, is_baseline, open_baseline, open_experiment
from utils.config import names
from utils.errors import ConfigError, RunError, UsageError
from utils.progress_bar import progress_bar

logger = logging.getLogger(__name__)
VIEWS_SHOWN, MAPS_SHOWN, STEPS_SHOWN = 2, 4, 6


@dataclass(frozen=True, eq=False)
class _Test:
    """What testing works with."""

    config: ExperimentConfig
    data: ToyDataModule
    tested: Tested
    judge: FittedClassifier
    device: torch.device


def evaluate(
    cfg: Sequence[Path],
    out: Path,
    *,
    devices: Devices,
    chkpt: Path | None = None,
    classifier: Path | None = None,
    experiment_name: str | None = None,
) -> None:
    """Generate every test view's series, score it, and write `<out>/<name>/eval/`.

    Args:
        devices: what to compute on; the first of several GPUs.
        chkpt: checkpoint to test, instead of the configuration's or the run's own `best.ckpt`.
        classifier: reference classifier, instead of the configuration's.
        experiment_name: the name, instead of that of the run which `chkpt` belongs to, or of the experiment.

    Raises:
        ConfigError: If a file is wrong, doesn't fit the data, or has no test split.
        UsageError: If there is no checkpoint or classifier, or one that was made for something else.
        DataError: If data, checkpoint or classifier cannot be read.
        RunError: If what is generated isn't finite.
    """
    quieten()
    torch.set_float32_matmul_precision("highest")  # scores that don't depend on the device
    torch.backends.cudnn.allow_tf32 = False
    config = read_experiment(*cfg)
    with named(*cfg):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        if not data.names["test"]:
            raise ConfigError("dataset.split.test: found 0, expected a share of the views to test on")
    name = (_run_of(chkpt) or config.experiment.name) if experiment_name is None else experiment_name
    folder = RunFolder.inside(out, name)
    judge = open_judge(_judge_path(config, classifier, cfg), data)
    checkpoint = _checkpoint_path(config, folder, chkpt, cfg)
    with named(*cfg):
        if checkpoint is None:
            tested = open_baseline(config, data, identities.of_test(config, data.fingerprint))
        else:
            tested = open_experiment(config, data, checkpoint, devices.own)
    outcome = _score(_Test(config, data, tested, judge, devices.own))
    logger.info("%s: %s", folder.evaluation, write_results(folder.evaluation, outcome))


def _run_of(chkpt: Path | None) -> str | None:
    """Name the run that a checkpoint belongs to: its folder."""
    if chkpt is None:
        return None
    folder = Path(os.path.abspath(chkpt)).parent
    return (folder.parent if folder.name == "checkpoints" else folder).name


def _judge_path(config: ExperimentConfig, classifier: Path | None, cfg: Sequence[Path]) -> Path:
    asked = config.testing.reference_classifier_path if config.testing else None
    if classifier is None and asked is None:
        raise UsageError(
            f"{names(cfg)}: testing.reference_classifier_path: found none; make one with make_reference_classifier.py, "
            "and set it here or pass --classifier"
        )
    return classifier or Path(asked)


def _checkpoint_path(
    config: ExperimentConfig, folder: RunFolder, chkpt: Path | None, cfg: Sequence[Path]
) -> Path | None:
    """Choose the checkpoint to test; None for a baseline."""
    configured = config.testing.chkpt if config.testing else None
    asked = chkpt or (Path(configured) if configured else None)
    if is_baseline(config):
        if asked:
            raise UsageError(f"{asked}: a checkpoint for {config.experiment.name}, which needs none; leave it out")
        return None
    if asked is None and not folder.best.is_file():
        files = " ".join(f"--cfg={file}" for file in cfg)
        raise UsageError(
            f"{folder.best}: no such checkpoint; train it with run_training.py {files} --o={folder.root.parent}, "
            "or pass --chkpt"
        )
    return asked or folder.best


def _score(test: _Test) -> Outcome:
    views, strips, maps = {}, [], []
    with progress_bar("Testing", len(test.data.names["test"])) as advance:
        for name, series, generated, classes, scores in _generate(test):
            views[name] = scores
            if len(strips) < VIEWS_SHOWN:
                strips.append(_strip(test, name, series, generated))
            if len(maps) < MAPS_SHOWN:
                maps.append((f"view {name}", classes, scores.predicted))
            advance()
    return Outcome(test.config.experiment.name, views, strips, maps, test.config.experiment.seed, _about(test))


@torch.no_grad()
def _generate(test: _Test) -> Iterator[tuple[str, Batch, Tensor, NDArray[np.int16], ViewScores]]:
    """Generate and score view after view: name, series, generated frames, true classes, scores."""
    translator = test.tested.translator
    kinds = tuple(dict.fromkeys((*translator.kinds, "target", "cloud")))
    for number, name in enumerate(test.data.names["test"]):
        series = to_device(test.data.series("test", number, kinds), test.device)
        generated = translator.translate(series)
        if not torch.isfinite(generated).all():
            raise RunError(f"view {name}: found generated values that are not finite: training diverged; train again")
        classes = class_map(test.data.views("test")[number])
        truth, opacity = torch.from_numpy(classes).to(test.device), series["cloud"][:, 0]
        # Results don't depend on the number of cores.
        njobs = torch.get_num_threads()
        scores = score_view(generated, series["target"], truth, opacity, test.judge, njobs=njobs)
        yield name, series, generated, classes, scores


def _strip(test: _Test, name: str, series: Batch, generated: Tensor) -> Strip:
    """Choose equally spaced steps of a series to show."""
    steps = test.data.features.steps
    chosen = np.unique(np.linspace(0, len(steps) - 1, STEPS_SHOWN).round().astype(int))

    def shown(frames: Tensor) -> NDArray[np.float32]:
        return (frames[chosen].movedim(1, -1).cpu().numpy() + 1) / 2  # (S, C, H, W) -> (S, H, W, C)

    rows, bands = {}, dict(test.data.features.nbands)
    if "source" in test.tested.translator.kinds:
        sources = test.config.dataset.sources
        parts = series["source"].split([bands[product] for product in sources], dim=1)
        rows = {product: shown(part) for product, part in zip(sources, parts, strict=True)}
    rows |= {"generated": shown(generated), "target": shown(series["target"])}
    error = np.abs(rows["generated"] - rows["target"]).mean(axis=-1)
    return Strip(f"view {name}", [steps[i] for i in chosen], rows, error)


def _about(test: _Test) -> dict[str, Any]:
    """Where scores are from; see `utils.results.About`."""
    config, features, tested = test.config, test.data.features, test.tested
    return {
        "experiment": config.experiment.name,
        "kind": tested.kind,
        "seed": tested.seed,
        "checkpoint": None if tested.checkpoint is None else str(tested.checkpoint),
        "epoch": tested.epoch,
        "split_seed": config.experiment.seed,
        "dataset": config.dataset.name,
        "target": config.dataset.target,
        "data": compared(test.data),
        "views": {split: len(names) for split, names in test.data.names.items()},
        "height": features.height,
        "width": features.width,
        "horizon": features.horizon,
        "classifier": test.judge.settings.name,
        "judge": test.judge.identity.digest,
        "run": tested.run.record(),
    }
