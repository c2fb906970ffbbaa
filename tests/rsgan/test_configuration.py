"""Experiment files: those that ship are valid, published ones are accepted, mistakes are named together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.views import Features
from src.rsgan.experiments import EXPERIMENTS
from tests.conftest import change
from tests.rsgan.conftest import CGAN, CYCLE, EVERY_FILE, RECURRENT, ROOT, UPPER_BOUND
from utils.config import load, validate
from utils.errors import ConfigError

BANDS = {"clouded_optical": 3, "sar": 3, "clean_optical": 3, "optical": 3}


def config(file: Path, **changes: Any) -> ExperimentConfig:
    return validate(ExperimentConfig, change(load(file), **changes), "file.yaml")


def features(side: int, **bands: int) -> Features:
    return Features(side, side, tuple(range(30)), tuple((BANDS | bands).items()))


def test_there_is_a_file_at_each_scale_for_each_experiment() -> None:
    names = sorted(load(file)["experiment"]["name"] for file in EVERY_FILE)
    assert names == sorted(list(EXPERIMENTS) * 3)


@pytest.mark.parametrize(
    "file",
    [file for file in EVERY_FILE if file.parent.name != "baselines"],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_files_are_valid_and_fit_their_data(file: Path) -> None:
    side = 64 if {"demo", "rehearsal"} & set(file.parts) else 256
    config(file).check_data(features(side), smallest_batch=2)


@pytest.mark.parametrize("file", [CGAN, UPPER_BOUND, RECURRENT, CYCLE])
def test_published_values(file: Path) -> None:
    found = config(file)
    settings, cycle = found.experiment, file == CYCLE
    assert (settings.max_epochs, found.dataset.dataloader.batch_size) == ((256, 24) if cycle else (64, 16))
    assert found.dataset.split.model_dump() == {"train": 0.7, "val": 0.15, "test": 0.15}
    assert settings.frames_per_series == (None if file == RECURRENT else 5)
    for name, optimizer in found.optimizer.items():
        assert optimizer.betas == (0.5, 0.999)
        assert optimizer.lr == (2e-5 if cycle and name.startswith("discriminator") else 2e-4)
        assert found.lr_scheduler[name].gamma == (0.95 if (file, name) == (RECURRENT, "generator") else 0.99)
    weights = ["consistency_weight", "supervision_weight"] if cycle else ["l1_regularization_weight"]
    assert all(getattr(settings, name) == 100 for name in weights)
    classifier = found.reference_classifier
    assert (classifier.l2_weight, classifier.tol, classifier.train_set_size) == (10, 1e-4, 600_000)
    assert found.model_checkpoint.monitor == "Metric/val_mae"


def test_a_published_file_is_accepted_as_it_is() -> None:
    """Every layer's settings spelt out, empty sections, checkpoints by the discriminator's loss."""
    published = load(CGAN) | {
        "early_stopping": None,
        "model_checkpoint": {"monitor": "val_loss", "save_top_k": 5, "mode": "max"},
        "testing": {"chkpt": "data/x/epoch=42.ckpt", "reference_classifier_path": "data/classifier.pickle"},
    }
    published["dataset"]["dataloader"]["num_workers"] = 32
    del published["dataset"]["cache"]
    found = validate(ExperimentConfig, published, "file.yaml")
    assert found.model_checkpoint.mode == "max"
    stopping = published | {"early_stopping": {"name": "x", "monitor": "val_loss", "patience": 3, "mode": "max"}}
    assert validate(ExperimentConfig, stopping, "file.yaml").early_stopping.patience == 3


def test_precisions_by_any_name() -> None:
    names = {32: "32-true", "32": "32-true", 16: "16-mixed", "bf16": "bf16-mixed", "bf16-mixed": "bf16-mixed"}
    for given, expected in names.items():
        assert config(CGAN, experiment__precision=given).experiment.lightning_precision == expected


MISTAKES = [
    ({"experiment__name": "cgan_toy"}, "experiment: unknown name 'cgan_toy', expected one of cgan_frame"),
    ({"experiment__max_epoch": 3}, "unknown key 'experiment.max_epoch' (did you mean 'max_epochs'?)"),
    ({"experiment__max_epochs": 0}, "experiment.max_epochs: found 0, expected greater than 0"),
    ({"experiment__precision": 7}, "experiment.precision: found 7"),
    ({"experiment__l1_regularization_weight": "x"}, "experiment.l1_regularization_weight: found 'x', expected a valid"),
    ({"dataset__name": "toy"}, "dataset: unknown name 'toy', expected one of toy_cloud_removal, toy_sar_to_optical"),
    ({"dataset__name": "toy_sar_to_optical"}, "but cgan_toy_cloud_removal needs 'toy_cloud_removal'"),
    ({"dataset__split__test": 0.3}, "dataset.split: found shares that sum to 1.15, expected 1"),
    ({"dataset__cache": "gpu"}, "dataset.cache: found 'gpu'"),
    ({"dataset__dataloader__batch_size": 0}, "dataset.dataloader.batch_size: found 0"),
    ({"model__generator__name": "u-net"}, "model.generator: unknown name 'u-net' (did you mean 'unet'?)"),
    ({"model__generator__filters": [1]}, "unknown key 'model.generator.filters' (did you mean 'enc_filters'"),
    ({"model__generator__enc_kwargs": [{}]}, "model.generator: enc_kwargs: found 1 entries, expected 8"),
    ({"model__generator__input_size": [6, 256, 320]}, "model.generator: dec_filters: layer 2 makes 4x4, but"),
    ({"model__generator__enc_kwargs": {"dropot": 0.4}}, "unknown key 'model.generator.enc_kwargs.0.dropot' (did you"),
    ({"model__generators": {"name": "unet"}}, "model.generators"),
    ({"optimizer__generater": {"lr": 1e-3}}, "unknown key 'optimizer.generater' (did you mean 'generator'?)"),
    ({"optimizer__generator__lr": -1.0}, "optimizer.generator.lr: found -1.0"),
    ({"optimizer__generator__betas": [0.5]}, "optimizer.generator.betas"),
    ({"lr_scheduler__generator__gamma": 2.0}, "lr_scheduler.generator.gamma: found 2.0"),
    (
        {"model_checkpoint__monitor": "val_mae"},
        "model_checkpoint.monitor: found 'val_mae' (did you mean 'Metric/val_mae'",
    ),
    ({"model_checkpoint__save_top_k": 0}, "save_top_k: found 0, expected 1 or more"),
    ({"early_stopping": {"monitor": "loss"}}, "early_stopping.monitor: found 'loss'"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(CGAN, **changes)
    assert str(error.value).startswith("file.yaml: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_section_that_is_missing() -> None:
    content = load(CGAN)
    del content["optimizer"]
    del content["model"]["discriminator"]
    with pytest.raises(ConfigError, match=r"missing key 'optimizer\.generator'"):
        validate(ExperimentConfig, content, "file.yaml")
    with pytest.raises(ConfigError, match=r"missing key 'model\.discriminator'"):
        validate(ExperimentConfig, content | {"optimizer": load(CGAN)["optimizer"]}, "file.yaml")


def test_all_mistakes_are_named_together() -> None:
    with pytest.raises(ConfigError, match=r"3 problems: \(1\) .* \(2\) .* \(3\) "):
        config(CGAN, experiment__seed=-1, dataset__root=3, optimizer__generator__lr=0)


DATA_MISTAKES: list[tuple[Path, dict[str, Any], Features, str]] = [
    (CGAN, {}, features(128), r"model.generator.input_size: found \[6, 256, 256\], expected \[6, 128, 128\]"),
    (CGAN, {}, features(256, sar=2), r"input_size: found \[6, 256, 256\], expected \[5, 256, 256\]"),
    (CGAN, {}, features(256, sar=2), r"model.discriminator.input_size: found \[9, 256, 256\], expected \[8, 256"),
    (CGAN, {}, features(256, sar=2), r"has 5 source and 3 target bands of 256x256 pixels"),
    (RECURRENT, {"model__generator__input_size": [6, 256, 256]}, features(256), r"expected \[9, 256, 256\]"),
    (CGAN, {"model__generator__out_channels": 4}, features(256), r"makes \[4, 256, 256\].*expected \[3, 256, 256\]"),
    (CGAN, {"model__discriminator__n_filters": [64, 128, 256, 512, 2]}, features(256), "gives 2 channels, expected 1"),
]


@pytest.mark.parametrize(("file", "changes", "data", "message"), DATA_MISTAKES)
def test_networks_that_do_not_fit_the_data(file: Path, changes: dict, data: Features, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config(file, **changes).check_data(data, smallest_batch=2)


def test_a_batch_of_one_frame_and_one_pixel() -> None:
    with pytest.raises(ConfigError, match="leaves a single pixel to batch normalisation"):
        config(CGAN).check_data(features(256), smallest_batch=1)


def test_an_image_that_comes_out_smaller(small: Callable[..., ExperimentConfig]) -> None:
    found = small(CGAN, model__generator__out_kwargs={"padding": 0})
    with pytest.raises(ConfigError, match=r"makes \[3, 14, 14\] of its input, expected \[3, 16, 16\]"):
        found.check_data(features(16), smallest_batch=2)
