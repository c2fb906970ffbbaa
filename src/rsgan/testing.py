"""Test an experiment: from a configuration and a checkpoint to scores and pictures."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.checkpoint import IDENTITY, read_checkpoint
from src.rsgan.configuration import ExperimentConfig, named, read_experiment
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.datasets import Kind
from src.rsgan.data.store import Sample, to_device
from src.rsgan.devices import Devices
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.pictures import Strip, draw_class_maps, draw_confusion, draw_strips
from src.rsgan.evaluation.pixels import class_map
from src.rsgan.evaluation.reference import open_classifier
from src.rsgan.evaluation.scoring import KINDS, ViewScores, score_view
from src.rsgan.evaluation.summary import by_class, by_cloud_cover, summarise, total_confusion
from src.rsgan.experiments import BaselineSettings
from src.rsgan.run_folder import RunFolder, differences
from src.rsgan.training import build_experiment, quieten
from utils.errors import ConfigError, RunError, UsageError
from utils.files import new_directory
from utils.progress_bar import progress_bar
from utils.tables import write_csv, write_json

logger = logging.getLogger(__name__)
SCORES = "test_scores.json"
# Of the reflectance protocol: few enough to compare experiments at a glance, as `dvc metrics show` does.
HEADLINES = ("rmse", "rmse_cloudy", "ssim", "jaccard_generated", "jaccard_real", "jaccard_ratio")
# What a checkpoint and the configuration that tests it must agree on, or test views were trained on.
SHARED = ("experiment.name", "experiment.seed", "dataset.name", "dataset.split", "model")
VIEWS_SHOWN, MAPS_SHOWN, STEPS_SHOWN = 2, 4, 6


class Translator(Protocol):
    """What is tested: an experiment's networks, or a baseline.

    Attributes:
        kinds: what series to translate must hold.
    """

    kinds: Sequence[Kind]

    def translate(self, series: Sample) -> Tensor:
        """Generate the frames of a series `(T, C, H, W)`, in network scale."""


@dataclass(frozen=True, eq=False)
class _Run:
    """What a test run works with.

    Attributes:
        config: the experiment.
        data: its data.
        translator: what is tested.
        classifier: judges land cover.
        device: to compute on.
        about: where the translator is from.
    """

    config: ExperimentConfig
    data: ToyDataModule
    translator: Translator
    classifier: FittedClassifier
    device: torch.device
    about: dict[str, Any] = field(default_factory=dict)


def evaluate(
    cfg: Path,
    out: Path,
    *,
    devices: Devices,
    chkpt: Path | None = None,
    classifier: Path | None = None,
    experiment_name: str | None = None,
) -> None:
    """Generate every test view's series, score it, and write `<out>/<experiment_name>/eval/`.

    Args:
        cfg: the experiment's file.
        out: folder of experiments.
        devices: what to compute on; the first of several GPUs.
        chkpt: checkpoint to test, instead of the configuration's or the run's own `best.ckpt`.
        classifier: reference classifier, instead of the configuration's.
        experiment_name: instead of the experiment's own name.

    Raises:
        ConfigError: If the file is wrong, doesn't fit the data, or has no test split.
        UsageError: If there is no checkpoint or classifier, or one that was made for something else.
        DataError: If data, checkpoint or classifier cannot be read.
        RunError: If what is generated isn't finite.
    """
    quieten()
    torch.set_float32_matmul_precision("highest")  # scores that don't depend on the device
    torch.backends.cudnn.allow_tf32 = False
    config = read_experiment(cfg)
    with named(cfg):
        data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
        if not data.names["test"]:
            raise ConfigError("dataset.split.test: found 0, expected a share of the views to test on")
    folder = RunFolder(out / (experiment_name or config.experiment.name))
    _check_output(folder.evaluation)
    fitted = open_classifier(_classifier_path(config, classifier, cfg), data)
    checkpoint = _checkpoint_path(config, folder, chkpt, cfg)
    device = devices.own
    with named(cfg):
        translator, about = open_translator(config, data, checkpoint, device)
    _write(_Run(config, data, translator, fitted, device, about), folder.evaluation)


def _check_output(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / SCORES).is_file():
        raise UsageError(
            f"{folder}: found something that is not an evaluation, which is never replaced; remove it or choose "
            "another --o or --experiment_name"
        )


def _classifier_path(config: ExperimentConfig, classifier: Path | None, cfg: Path) -> Path:
    asked = config.testing.reference_classifier_path if config.testing else None
    if classifier is None and asked is None:
        raise UsageError(
            f"{cfg}: testing.reference_classifier_path: found none; make one with make_reference_classifier.py, and "
            "set it here or pass --classifier"
        )
    return classifier or Path(asked)


def _checkpoint_path(config: ExperimentConfig, folder: RunFolder, chkpt: Path | None, cfg: Path) -> Path | None:
    """Choose the checkpoint to test; None for a baseline."""
    configured = config.testing.chkpt if config.testing else None
    asked = chkpt or (Path(configured) if configured else None)
    if isinstance(config.experiment, BaselineSettings):
        if asked:
            raise UsageError(f"{asked}: a checkpoint for {config.experiment.name}, which needs none; leave it out")
        return None
    if asked is None and not folder.best.is_file():
        raise UsageError(
            f"{folder.best}: no such checkpoint; train it with run_training.py --cfg={cfg} --o={folder.root.parent}, "
            "or pass --chkpt"
        )
    return asked or folder.best


def open_translator(
    config: ExperimentConfig, data: ToyDataModule, checkpoint: Path | None, device: torch.device
) -> tuple[Translator, dict[str, Any]]:
    """Make what is tested.

    Args:
        config: the experiment.
        data: its data; a baseline may learn from the training views.
        checkpoint: of a trained experiment; None for a baseline.
        device: to compute on.

    Returns:
        The translator, and where it is from: `seed`, `checkpoint` and `epoch`.

    Raises:
        ConfigError: If networks don't fit the data.
        UsageError: If the checkpoint is another experiment's.
        DataError: If it cannot be read.
    """
    if checkpoint is None:
        return _learn(config, data), {"seed": None, "checkpoint": None, "epoch": None}
    config.check_data(data.features)
    return _load(config, data, checkpoint, device)


def _learn(config: ExperimentConfig, data: ToyDataModule) -> Translator:
    """Build a baseline, and show it the training views one after the other."""
    _, bands = config.dataset.bands(dict(data.features.nbands))
    baseline = config.experiment.build(bands)
    if baseline.learns_from:
        numbers = range(len(data.names["train"]))
        baseline.learn(data.series("train", number, baseline.learns_from) for number in numbers)
    return baseline


def _load(
    config: ExperimentConfig, data: ToyDataModule, path: Path, device: torch.device
) -> tuple[Translator, dict[str, Any]]:
    """Build an experiment with the weights of a checkpoint."""
    checkpoint = read_checkpoint(path)
    held = checkpoint[IDENTITY]
    found = differences(held, config.model_dump(mode="json"), only=SHARED)
    if found:
        raise UsageError(f"{path}: a checkpoint of another experiment ({found}); train one or pass another --chkpt")
    if held["data"] != data.fingerprint:
        logger.warning("warning: %s was trained on other views than those of %s", path, config.dataset.root)
    experiment = build_experiment(config, 0)
    experiment.load_state_dict(checkpoint["state_dict"])
    about = {"seed": held["seed"], "checkpoint": str(path), "epoch": checkpoint["epoch"] + 1}
    return experiment.to(device).eval(), about


def _write(run: _Run, folder: Path) -> None:
    """Score all test views and write the results, whole or not at all."""
    views: list[ViewScores] = []
    strips, maps = [], []
    with progress_bar("Testing", len(run.data.names["test"])) as advance:
        for name, series, generated, classes, scores in _score(run):
            views.append(scores)
            if len(strips) < VIEWS_SHOWN:
                strips.append(_strip(run, name, series, generated))
            if len(maps) < MAPS_SHOWN:
                maps.append((f"view {name}", classes, scores.predicted))
            advance()
    summary = summarise([view.figures for view in views], seed=run.config.experiment.seed)
    confusion = {kind: counts.sum(axis=0) for kind, counts in total_confusion(views).items()}
    names = run.data.names["test"]
    with new_directory(folder) as temporary:
        write_json(temporary / SCORES, summary | {"about": _about(run)})
        write_json(temporary / "metrics.json", {name: summary["reflectance"][name]["mean"] for name in HEADLINES})
        rows = [{"view": name} | view.figures for name, view in zip(names, views, strict=True)]
        write_csv(temporary / "views.csv", rows)
        write_csv(temporary / "by_cloud_cover.csv", by_cloud_cover(views))
        write_csv(temporary / "by_class.csv", by_class(views))
        for kind in KINDS:
            write_csv(temporary / f"confusion_{kind}.csv", _confusion_rows(confusion[kind]))
            title = f"{run.config.experiment.name}: {kind} frames of {len(views)} test views"
            draw_confusion(confusion[kind], title, temporary / f"confusion_{kind}.png")
        draw_strips(strips, temporary / "samples.png")
        draw_class_maps(maps, temporary / "classification.png")
    logger.info("%s: %s", folder, _describe(summary))


@torch.no_grad()
def _score(run: _Run) -> Iterator[tuple[str, Sample, Tensor, NDArray[np.int16], ViewScores]]:
    """Generate and score view after view: name, series, generated frames, true classes, scores."""
    kinds = tuple(dict.fromkeys((*run.translator.kinds, "target", "cloud")))
    for number, name in enumerate(run.data.names["test"]):
        series = to_device(run.data.series("test", number, kinds), run.device)
        generated = run.translator.translate(series)
        if not torch.isfinite(generated).all():
            raise RunError(f"view {name}: found generated values that are not finite: training diverged; train again")
        classes = class_map(run.data.views("test")[number])
        truth, opacity = torch.from_numpy(classes).to(run.device), series["cloud"][:, 0]
        # Results don't depend on the number of cores.
        njobs = torch.get_num_threads()
        scores = score_view(generated, series["target"], truth, opacity, run.classifier, njobs=njobs)
        yield name, series, generated, classes, scores


def _strip(run: _Run, name: str, series: Sample, generated: Tensor) -> Strip:
    """Choose equally spaced steps of a series to show."""
    steps = run.data.features.steps
    chosen = np.unique(np.linspace(0, len(steps) - 1, STEPS_SHOWN).round().astype(int))

    def shown(frames: Tensor) -> NDArray[np.float32]:
        return (frames[chosen].movedim(1, -1).cpu().numpy() + 1) / 2  # (S, C, H, W) -> (S, H, W, C)

    rows, bands = {}, dict(run.data.features.nbands)
    if "source" in run.translator.kinds:
        parts = series["source"].split([bands[product] for product in run.config.dataset.sources], dim=1)
        rows = {product: shown(part) for product, part in zip(run.config.dataset.sources, parts, strict=True)}
    rows |= {"generated": shown(generated), "target": shown(series["target"])}
    error = np.abs(rows["generated"] - rows["target"]).mean(axis=-1)
    return Strip(f"view {name}", [steps[i] for i in chosen], rows, error)


def _about(run: _Run) -> dict[str, Any]:
    config, features = run.config, run.data.features
    return {
        "experiment": config.experiment.name,
        **run.about,
        "split_seed": config.experiment.seed,
        "dataset": config.dataset.name,
        "data": run.data.fingerprint,
        "views": {split: len(names) for split, names in run.data.names.items()},
        "height": features.height,
        "width": features.width,
        "horizon": features.horizon,
        "classifier": run.classifier.settings.name,
    }


def _confusion_rows(counts: NDArray[np.int64]) -> list[dict[str, Any]]:
    return [
        {"true": true} | {f"predicted {number}": int(count) for number, count in enumerate(row, 1)}
        for true, row in enumerate(counts, 1)
    ]


def _describe(summary: dict[str, Any]) -> str:
    found = summary["reflectance"]
    return (
        f"{found['rmse']['count']} test views: RMSE {found['rmse']['mean']:.4f}, SSIM {found['ssim']['mean']:.3f}, "
        f"Jaccard index {found['jaccard_generated']['mean']:.3f} on generated and {found['jaccard_real']['mean']:.3f} "
        f"on real frames, ratio {found['jaccard_ratio']['mean']:.3f}"
    )
