"""Test an experiment: from a configuration and a checkpoint to scores and pictures."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.baselines import BaselineSettings
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.datasets import Kind
from src.rsgan.data.split import Split
from src.rsgan.data.store import Batch, to_device
from src.rsgan.devices import Devices, quieten
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.drawing import Strip
from src.rsgan.evaluation.judges import compared, open_judges
from src.rsgan.evaluation.knock_outs import Change, list_changes, score_changed
from src.rsgan.evaluation.no_generation import learn_from_sources
from src.rsgan.evaluation.outcome import Outcome, write_results
from src.rsgan.evaluation.pixels import class_map, parcel_map
from src.rsgan.evaluation.scoring import ViewScores, score_sources, score_view
from src.rsgan.evaluation.synthetic import learn_from_generated, score_real
from src.rsgan.run_folder import RunFolder
from src.rsgan.translator import Tested, open_baseline, open_experiment
from utils.cli import progress_bar
from utils.config import named, names, read
from utils.errors import ConfigError, DataError, RunError, UsageError
from utils.scores import NO_GENERATION

logger = logging.getLogger(__name__)
VIEWS_SHOWN, MAPS_SHOWN, STEPS_SHOWN = 2, 4, 6


@dataclass(frozen=True, eq=False)
class _Test:
    """What testing works with."""

    config: ExperimentConfig
    data: ToyDataModule
    tested: Tested
    judges: Sequence[FittedClassifier]  # that of the headline first
    device: torch.device
    knock_outs: bool


def evaluate(
    cfg: Sequence[Path],
    out: Path,
    *,
    devices: Devices,
    chkpt: Path | None = None,
    classifiers: Sequence[Path] = (),
    experiment_name: str | None = None,
    knock_outs: bool = False,
) -> None:
    """Generate every test view's series, score it, and write `<out>/<name>/eval/`.

    Args:
        devices: what to compute on; the first of several GPUs.
        chkpt: checkpoint to test, instead of the configuration's or the run's own `best.ckpt`.
        classifiers: reference classifiers or folders of them, instead of the configuration's.
        knock_outs: whether to score also what is made without each product of the source.
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
    config = read(ExperimentConfig, cfg)
    with named(cfg, ConfigError, DataError):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        if not data.names["test"]:
            raise ConfigError("dataset.split.test: found 0, expected a share of the views to test on, or their numbers")
    name = (_run_of(chkpt) or config.experiment.name) if experiment_name is None else experiment_name
    folder = RunFolder.inside(out, name)
    judges = open_judges(_judge_paths(config, classifiers, cfg), data)
    checkpoint = _checkpoint_path(config, folder, chkpt, cfg)
    with named(cfg, ConfigError, DataError):
        if checkpoint is None:
            tested = open_baseline(config, data)
        else:
            tested = open_experiment(config, data, checkpoint, devices.own)
    outcome = _score(_Test(config, data, tested, judges, devices.own, knock_outs))
    logger.info("%s: %s", folder.evaluation, write_results(folder.evaluation, outcome))


def _run_of(chkpt: Path | None) -> str | None:
    """Name the run that a checkpoint belongs to: its folder."""
    if chkpt is None:
        return None
    folder = Path(os.path.abspath(chkpt)).parent
    return (folder.parent if folder.name == "checkpoints" else folder).name


def _judge_paths(config: ExperimentConfig, classifiers: Sequence[Path], cfg: Sequence[Path]) -> Sequence[Path]:
    asked = config.testing.reference_classifier_path if config.testing else None
    if not classifiers and not asked:
        raise UsageError(
            f"{names(cfg)}: testing.reference_classifier_path: found none; make one with make_reference_classifier.py, "
            "and set it here or pass --classifier"
        )
    return classifiers or [*map(Path, asked)]


def _checkpoint_path(
    config: ExperimentConfig, folder: RunFolder, chkpt: Path | None, cfg: Sequence[Path]
) -> Path | None:
    """Choose the checkpoint to test; None for a baseline."""
    configured = config.testing.chkpt if config.testing else None
    asked = chkpt or (Path(configured) if configured else None)
    if isinstance(config.experiment, BaselineSettings):
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


@torch.no_grad()
def _score(test: _Test) -> Outcome:
    """Generate and score view after view."""
    views, strips, maps = {}, [], []
    njobs = torch.get_num_threads()  # results don't depend on it
    without_images = test.tested.kind == NO_GENERATION
    # Where other programs use the cores, the threads of boosted trees wait for each other longer than one takes.
    learnt = learn_from_sources(test.judges, test.data, njobs=1) if without_images else None
    validation = [] if without_images else test.data.views("val")
    synthetic = learn_from_generated(test.judges, validation, _generate_validation(test), njobs=1)
    with progress_bar("Testing", len(test.data.names["test"])) as advance:
        for number, name in enumerate(test.data.names["test"]):
            series, generated = _generate(test, "test", number, "target", "cloud")
            view = test.data.views("test")[number]
            classes, parcels = class_map(view), parcel_map(view)
            real, opacity = series["target"], series["cloud"][:, 0]
            if learnt is None:
                views[name] = score_view(generated, real, classes, parcels, opacity, test.judges, njobs=njobs)
            else:
                views[name] = score_sources(generated, real, classes, opacity, test.judges, learnt, njobs=njobs)
            for judge, found in score_real(real, classes, test.judges, synthetic, njobs=njobs).items():
                views[name].judged[judge].update(found)
            if number < VIEWS_SHOWN and learnt is None:
                strips.append(_strip(test, name, series, generated))
            if number < MAPS_SHOWN:
                maps.append((f"view {name}", classes, views[name].predicted))
            advance()
    knocked_out = _knock_out(test, views, learnt, njobs=njobs) if test.knock_outs else {}
    experiment = test.config.experiment
    return Outcome(experiment.name, views, strips, maps, experiment.seed, _about(test), knocked_out)


def _knock_out(
    test: _Test, views: Mapping[str, ViewScores], learnt: Sequence[FittedClassifier] | None, *, njobs: int
) -> dict[str, list[dict[str, float]]]:
    """Score what becomes of each test view without each product of the source, by the headline judge."""
    looks_at = test.config.experiment.sensors(test.config.dataset)
    changes = list_changes(test.data, looks_at)
    judge, *_ = learnt or test.judges
    found: dict[str, list[dict[str, float]]] = {name: [] for name in changes}
    with progress_bar("Knock-outs", len(changes) * len(views)) as advance:
        for (name, change), (number, scores) in product(changes.items(), enumerate(views.values())):
            series, generated = _generate(test, "test", number, "target", change=change)
            real, classes = None if learnt else series["target"], class_map(test.data.views("test")[number])
            row = score_changed(generated, real, classes, judge, njobs=njobs)
            found[name].append(row | {"jaccard_real": scores.figures["jaccard_real"]})
            advance()
    return found


def _generate(
    test: _Test, split: Split, number: int, *beside: Kind, change: Change | None = None
) -> tuple[Batch, Tensor]:
    """Read the series of a view with what is wanted beside it, and translate it; from another source, if changed."""
    kinds = tuple(dict.fromkeys((*test.tested.translator.kinds, *beside)))
    series = to_device(test.data.series(split, number, kinds), test.device)
    if change is not None:
        series["source"] = change(number, series["source"])
    generated = test.tested.translator.translate(series)
    if not torch.isfinite(generated).all():
        name = test.data.names[split][number]
        raise RunError(f"view {name}: found generated values that are not finite: training diverged; train again")
    return series, generated


def _generate_validation(test: _Test) -> Iterator[Tensor]:
    count = len(test.data.names["val"])
    with progress_bar("Validation", count) as advance:
        for number in range(count):
            yield _generate(test, "val", number)[1]
            advance()


def _strip(test: _Test, name: str, series: Batch, generated: Tensor) -> Strip:
    """Choose equally spaced steps of a series to show."""
    steps = test.data.features.steps
    chosen = np.unique(np.linspace(0, len(steps) - 1, STEPS_SHOWN).round().astype(int))

    def shown(frames: Tensor) -> NDArray[np.float32]:
        return (frames[chosen].movedim(1, -1).cpu().numpy() + 1) / 2  # (S, C, H, W) -> (S, H, W, C)

    rows, bands = {}, test.data.features.nbands
    if "source" in test.tested.translator.kinds:
        dataset = test.config.dataset
        sizes = {product: bands[product] for product in dataset.sources}
        if dataset.opacity != "none":
            sizes[f"opacity ({dataset.opacity})"] = 1
        parts = series["source"].split(list(sizes.values()), dim=1)
        rows = {name: shown(part) for name, part in zip(sizes, parts, strict=True)}
    rows |= {"generated": shown(generated), "target": shown(series["target"])}
    error = np.abs(rows["generated"] - rows["target"]).mean(axis=-1)
    return Strip(f"view {name}", [steps[i] for i in chosen], rows, error)


def _about(test: _Test) -> dict[str, Any]:
    """Where scores are from; see `utils.results.About`."""
    config, features, tested = test.config, test.data.features, test.tested
    headline, *_ = test.judges
    return {
        "experiment": config.experiment.name,
        "kind": tested.kind,
        "seed": tested.seed,
        "checkpoint": None if tested.checkpoint is None else str(tested.checkpoint),
        "epoch": tested.epoch,
        "split_seed": config.experiment.seed,
        "dataset": config.dataset.name,
        "target": config.dataset.target,
        "told": config.experiment.told(config.dataset),
        "data": compared(test.data),
        "test_series": test.data.test_series,
        "views": {split: len(names) for split, names in test.data.names.items()},
        "height": features.height,
        "width": features.width,
        "horizon": features.horizon,
        "classifier": headline.settings.name,
        "judge": headline.identity.digest,
        "judges": [
            {
                "name": judge.settings.name,
                "digest": judge.identity.digest,
                "validation_jaccard": judge.validation_jaccard,
            }
            for judge in test.judges
        ],
        "run": tested.run.record(),
    }
