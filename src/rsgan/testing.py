"""Test an experiment: from a configuration and a checkpoint to scores and pictures."""

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.baselines import BaselineSettings
from src.rsgan.configuration import CommonConfig, ExperimentConfig, read_common
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.datasets import Kind
from src.rsgan.data.split import Split
from src.rsgan.data.store import Batch, to_device
from src.rsgan.data.views import to_reflectance
from src.rsgan.devices import Devices, compute_exactly, quieten
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.drawing import Strip
from src.rsgan.evaluation.judges import compared, open_judges
from src.rsgan.evaluation.knock_outs import list_changes, score_changed
from src.rsgan.evaluation.metrics.images import single
from src.rsgan.evaluation.metrics.uncertainty import Prediction, uncertainty_of
from src.rsgan.evaluation.no_generation import learn_from_sources
from src.rsgan.evaluation.outcome import Outcome, write_results
from src.rsgan.evaluation.pixels import classify_real
from src.rsgan.evaluation.scoring import score_sources, score_view
from src.rsgan.evaluation.synthetic import learn_from_generated, score_real
from src.rsgan.experiments import Generated
from src.rsgan.predictions import Submission, new_predictions
from src.rsgan.run_folder import RunFolder
from src.rsgan.translator import Tested, generate, open_baseline, open_experiment, open_predictions
from utils.cli import progress_bar
from utils.config import named, names, read
from utils.errors import ConfigError, DataError, UsageError
from utils.number_lists import equally_spaced
from utils.scores import NO_GENERATION

logger = logging.getLogger(__name__)
VIEWS_SHOWN, MAPS_SHOWN, STEPS_SHOWN = 2, 4, 6


@dataclass(frozen=True, eq=False)
class _Test:
    """What testing works with."""

    config: CommonConfig
    data: ToyDataModule
    tested: Tested
    judges: Sequence[FittedClassifier]  # that of the headline first
    device: torch.device
    knock_outs: bool
    save: Callable[[str, Generated], None]  # what was generated of a view with a name


def evaluate(
    cfg: Sequence[Path],
    out: Path,
    *,
    devices: Devices,
    chkpt: Path | None = None,
    classifiers: Sequence[Path] = (),
    experiment_name: str | None = None,
    knock_outs: bool = False,
    submission: Submission | None = None,
    save_predictions: Path | None = None,
) -> None:
    """Generate every test view's series, score it, and write `<out>/<name>/eval/`.

    Args:
        devices: what to compute on; the first of several GPUs.
        chkpt: checkpoint to test, instead of the configuration's or the run's own `best.ckpt`.
        classifiers: reference classifiers or folders of them, instead of the configuration's.
        knock_outs: whether to score also what is made without each product of the source.
        experiment_name: the name, instead of that of the run which `chkpt` belongs to, or of the experiment.
        submission: what is scored in place of what an experiment generates: networks aren't built then.
        save_predictions: new folder for what is generated.

    Raises:
        ConfigError: If a file is wrong, doesn't fit the data, or has no test split.
        UsageError: If there is no checkpoint or classifier, or one that was made for something else.
        DataError: If data, checkpoint, classifier or predictions cannot be read.
        RunError: If what is generated isn't finite.
    """
    quieten()
    compute_exactly()
    config = read_common(cfg) if submission else read(ExperimentConfig, cfg)
    with named(cfg, ConfigError, DataError):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        if not data.names["test"]:
            raise ConfigError("dataset.split.test: found 0, expected a share of the views to test on, or their numbers")
    if submission:
        folder = _submission_folder(out, experiment_name, chkpt=chkpt, knock_outs=knock_outs, save=save_predictions)
        judges = open_judges(_judge_paths(config, classifiers, cfg), data)
        tested = open_predictions(submission, folder.root.name, config, data)
    else:
        name = (_run_of(chkpt) or config.experiment.name) if experiment_name is None else experiment_name
        folder = RunFolder.inside(out, name)
        judges = open_judges(_judge_paths(config, classifiers, cfg), data)
        checkpoint = _checkpoint_path(config, folder, chkpt, cfg)
        with named(cfg, ConfigError, DataError):
            if checkpoint is None:
                tested = open_baseline(config, data)
            else:
                tested = open_experiment(config, data, checkpoint, devices.own)
    with _saving(save_predictions, tested, data) as save:
        outcome = _score(_Test(config, data, tested, judges, devices.own, knock_outs, save))
        logger.info("%s: %s", folder.evaluation, write_results(folder.evaluation, outcome))


def _submission_folder(out: Path, name: str | None, **others: object) -> RunFolder:
    """Find where the scores of predictions go; what else was asked for cannot be had of them."""
    asked = [option for option, value in others.items() if value]
    if asked:
        option = {"save": "save-predictions"}.get(asked[0], asked[0])
        raise UsageError(f"--{option}: found it beside --predictions, of which nothing is generated; leave one out")
    if name is None:
        raise UsageError("--experiment_name: missing; name the method that --predictions are of")
    folder = RunFolder.inside(out, name)
    if folder.run.exists() or folder.checkpoints.exists():
        raise UsageError(
            f"--experiment_name: found {name!r}, the folder of a run that was trained there; choose another"
        )
    return folder


def _saving(
    folder: Path | None, tested: Tested, data: ToyDataModule
) -> contextlib.AbstractContextManager[Callable[[str, Generated], None]]:
    """Give what saves predictions in a folder, or does nothing where none is asked for."""
    if folder is None:
        return contextlib.nullcontext(lambda view, made: None)
    if tested.kind == NO_GENERATION:
        raise UsageError(f"--save-predictions: found {tested.name}, which generates nothing; leave it out")
    about = {"experiment": tested.name, "kind": tested.kind, "seed": tested.seed, "run": tested.run.record()}
    return new_predictions(folder, data.features.steps, {"provenance": json.dumps(about)})


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
    validation = test.data.views("val") if "val" in test.tested.splits and not without_images else []
    synthetic = learn_from_generated(test.judges, validation, _generate_validation(test), njobs=1)
    changes = list_changes(test.data, test.tested.told["sensors"]) if test.knock_outs else {}
    knocked_out: dict[str, list[dict[str, float]]] = {change: [] for change in changes}
    with progress_bar("Testing", len(test.data.names["test"])) as advance:
        for number, name in enumerate(test.data.names["test"]):
            series = _read(test, "test", number, "target", "cloud", "shadow")
            made = generate(test.tested.translator, series)
            test.save(name, made)
            real, opacity = single(series["target"]), series["cloud"][:, 0]
            parcels, classes = np.moveaxis(test.data.views("test")[number].read(0, "annotation"), -1, 0)
            on_real = classify_real(number, real, classes, test.judges, njobs=njobs)
            if learnt is None:
                uncertain = uncertainty_of(made)
                shown = made.frames, real, classes, parcels, opacity
                shadow = series["shadow"][:, 0]
                scores = score_view(*shown, test.judges, on_real, shadow=shadow, uncertain=uncertain, njobs=njobs)
                if number < VIEWS_SHOWN:
                    strips.append(_strip(test, name, series, made.frames, uncertain))
            else:
                scores = score_sources(made.frames, classes, opacity, test.judges, learnt, on_real, njobs=njobs)
            for judge, found in score_real(number, real, classes, test.judges, synthetic, njobs=njobs).items():
                scores.judged[judge].update(found)
            for what, change in changes.items():
                changed = generate(test.tested.translator, series | {"source": change(number, series["source"])})
                judge, *_ = learnt or test.judges
                row = score_changed(changed.frames, None if learnt else real, classes, judge, njobs=njobs)
                knocked_out[what].append(row | {"jaccard_real": scores.figures["jaccard_real"]})
            if number < MAPS_SHOWN:
                maps.append((f"view {name}", classes, scores.predicted))
            views[name] = scores
            advance()
    return Outcome(test.tested.name, views, strips, maps, test.config.experiment.seed, _about(test), knocked_out)


def _read(test: _Test, split: Split, number: int, *beside: Kind) -> Batch:
    """Read the series of a view, with what is wanted beside what is translated."""
    kinds = tuple(dict.fromkeys((*test.tested.translator.kinds, *beside)))
    return to_device(test.data.series(split, number, kinds), test.device)


def _generate_validation(test: _Test) -> Iterator[Tensor]:
    names = test.data.names["val"]
    with progress_bar("Validation", len(names)) as advance:
        for number, name in enumerate(names):
            made = generate(test.tested.translator, _read(test, "val", number))
            test.save(name, made)
            yield made.frames
            advance()


def _strip(test: _Test, name: str, series: Batch, generated: Tensor, uncertain: Prediction | None) -> Strip:
    """Choose equally spaced steps of a series to show."""
    steps = test.data.features.steps
    chosen = equally_spaced(range(len(steps)), STEPS_SHOWN)

    def shown(frames: Tensor) -> NDArray[np.float32]:
        return to_reflectance(frames[chosen].movedim(1, -1).cpu().numpy())  # (S, C, H, W) -> (S, H, W, C)

    rows, bands = {}, test.data.features.nbands
    if "source" in test.tested.translator.kinds:
        dataset = test.config.dataset
        sizes = {product: bands[product] for product in dataset.sources}
        if dataset.opacity != "none":
            sizes[f"opacity ({dataset.opacity})"] = 1
        parts = series["source"].split(list(sizes.values()), dim=1)
        rows = {name: shown(part) for name, part in zip(sizes, parts, strict=True)}
    rows |= {"generated": shown(generated), "target": shown(series["target"])}
    errors = {"absolute error": np.abs(rows["generated"] - rows["target"]).mean(axis=-1)}
    if uncertain:
        errors["standard deviation"] = uncertain.std[chosen].mean(dim=1).cpu().numpy() / 2
    return Strip(f"view {name}", [steps[i] for i in chosen], rows, errors)


def _about(test: _Test) -> dict[str, Any]:
    """Where scores are from; see `utils.results.About`."""
    config, features, tested = test.config, test.data.features, test.tested
    headline, *_ = test.judges
    return {
        "experiment": tested.name,
        "kind": tested.kind,
        "seed": tested.seed,
        "checkpoint": None if tested.checkpoint is None else str(tested.checkpoint),
        "epoch": tested.epoch,
        "split_seed": config.experiment.seed,
        "dataset": config.dataset.name,
        "target": config.dataset.target,
        "told": tested.told,
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
