"""Experiment files: those that ship are valid, published ones are accepted, mistakes are named together."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan import building
from src.rsgan.building import sized
from src.rsgan.configuration import ExperimentConfig, classifiers_of
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.views import ViewShape
from src.rsgan.experiments import EXPERIMENTS
from src.rsgan.experiments.experiment import TrainedSettings
from src.rsgan.learner import Learner
from tests import mutating
from tests.conftest import change
from tests.rsgan.conftest import (
    CGAN,
    CONFIGS,
    CYCLE,
    FILES,
    OTHERS,
    RECURRENT,
    RUN,
    SCALES,
    SEQUENCE,
    UPPER_BOUND,
    features,
)
from utils.config import load, read, validate
from utils.errors import ConfigError
from utils.identity import Identity
from utils.memory import problem


def config(file: Path, **changes: Any) -> ExperimentConfig:
    return validate(ExperimentConfig, change(load(file), **changes), "file.yaml")


def test_there_is_a_file_for_each_experiment() -> None:
    assert {load(file)["experiment"]["name"] for file in RUN} == {*EXPERIMENTS}


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale[0].stem if scale else "published")
@pytest.mark.parametrize(
    "file",
    [*FILES, *(file for file in OTHERS if "model" in load(file))],
    ids=lambda file: f"{file.parent.name}-{file.stem}",
)
def test_files_are_valid_and_fit_their_data(file: Path, scale: tuple[Path, ...]) -> None:
    sized(read(ExperimentConfig, [file, *scale]), features(64 if scale else 256), smallest_batch=2)


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale[0].stem if scale else "published")
@pytest.mark.parametrize(
    "file",
    [file for file in OTHERS if re.search("_(seen_series|paired)$", file.parent.name)],
    ids=lambda file: f"{file.parent.name}-{file.stem}",
)
def test_variants_are_what_they_vary_on_other_views(file: Path, scale: tuple[Path, ...]) -> None:
    varied = re.sub("_(seen_series|paired)$|^own$", "", file.parent.name) or "cloud_removal"
    one, other = (
        read(ExperimentConfig, [path, *scale]).model_dump(exclude={"testing"})
        for path in (file, CONFIGS / varied / file.name)
    )
    if file.parent.name == "own":  # which no radar saw
        other["dataset"]["sources"] = ("clouded_optical",)
    assert one["dataset"].pop("root") != other["dataset"].pop("root")
    assert one["dataset"].pop("name") != other["dataset"].pop("name")
    assert one == other


@pytest.mark.parametrize("file", [CGAN, CYCLE])
def test_names_of_published_data_sets_say_what_their_products_are(file: Path) -> None:
    content = load(file)
    for key in {"sources", "target", "clouds"} & content["dataset"].keys():
        del content["dataset"][key]
    assert validate(ExperimentConfig, content, "file.yaml") == config(file)


def test_the_demo_and_the_rehearsal_test_on_held_out_series() -> None:
    for scale in SCALES[1:]:
        split = read(ExperimentConfig, [CGAN, *scale]).dataset.split
        scenes = CONFIGS.parents[1] / "toygeneration/config"
        found = load([scenes / "base/generation.yaml", scenes / scale[0].name])["ts"]["held_out"]
        assert found == {"views": split.test, "share": 0.25}


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
        assert found.lr_scheduler[name].gamma == (0.95 if (file, name) == (RECURRENT, "discriminator") else 0.99)
    weights = ["consistency_weight", "supervision_weight"] if cycle else ["l1_regularization_weight"]
    assert all(getattr(settings, name) == 100 for name in weights)
    classifier, _ = found.reference_classifier
    assert (classifier.l2_weight, classifier.tol, classifier.train_set_size) == (10, 1e-4, 600_000)
    assert found.model_checkpoint.monitor == "Metric/val_mae"


def test_opacity_is_one_more_band() -> None:
    for told in ("exact", "estimated"):
        model = sized(config(CGAN, dataset__opacity=told), features(256)).model
        assert (model["generator"].input_size[0], model["discriminator"].input_size[0]) == (7, 10)


def test_a_file_that_says_nothing_of_opacity_is_the_work_that_it_was() -> None:
    found = config(CGAN).model_dump(mode="json")
    assert "opacity" not in found["dataset"]
    assert config(CGAN, dataset__opacity="none").model_dump(mode="json") == found


def test_a_published_file_is_accepted_as_it_is() -> None:
    """Sizes and activations spelt out, empty sections, checkpoints by the discriminator's loss, one judge."""
    published = load(CGAN) | {
        "early_stopping": None,
        "model_checkpoint": {"monitor": "val_loss", "save_top_k": 5, "mode": "max"},
        "testing": {"chkpt": "data/x/epoch=42.ckpt", "reference_classifier_path": "data/classifier.pickle"},
    }
    published["dataset"]["dataloader"]["num_workers"] = 32
    del published["dataset"]["cache"]
    generator, discriminator = published["model"]["generator"], published["model"]["discriminator"]
    generator |= {"input_size": [6, 256, 256], "out_channels": 3}
    discriminator |= {"input_size": [9, 256, 256]}
    generator["enc_kwargs"][1:] = [{"relu": "learn"} | layer for layer in generator["enc_kwargs"][1:]]
    discriminator["conv_kwargs"][:4] = [
        {"relu": True, "leak": 0.2} | layer for layer in discriminator["conv_kwargs"][:4]
    ]
    published["reference_classifier"], *_ = published["reference_classifier"]
    found = validate(ExperimentConfig, published, "file.yaml")
    assert found.model_checkpoint.mode == "max"
    assert found.testing.reference_classifier_path == ["data/classifier.pickle"]
    assert classifiers_of(found) == [found.reference_classifier] == classifiers_of(config(CGAN))[:1]
    assert [judge.name for judge in classifiers_of(config(CGAN, reference_classifier=None))] == ["logistic_regression"]
    assert found.model == sized(config(CGAN), features(256)).model
    assert sized(found, features(256)) == found
    stopping = published | {"early_stopping": {"name": "x", "monitor": "val_loss", "patience": 3, "mode": "max"}}
    assert validate(ExperimentConfig, stopping, "file.yaml").early_stopping.patience == 3


def test_precisions_by_any_name() -> None:
    names = {32: "32-true", "32": "32-true", 16: "16-mixed", "bf16": "bf16-mixed", "bf16-mixed": "bf16-mixed"}
    for name, expected in names.items():
        assert config(CGAN, experiment__precision=name).experiment.lightning_precision == expected


MISTAKES = [
    ({"experiment__name": "cgan_toy"}, "experiment: unknown name 'cgan_toy', expected one of cgan_frame"),
    ({"experiment__max_epoch": 3}, "unknown key 'experiment.max_epoch' (did you mean 'max_epochs'?)"),
    ({"experiment__max_epochs": 0}, "experiment.max_epochs: found 0, expected greater than 0"),
    ({"experiment__precision": 7}, "experiment.precision: found 7"),
    ({"experiment__l1_regularization_weight": "x"}, "experiment.l1_regularization_weight: found 'x', expected a valid"),
    ({"dataset": {"name": "toy_cloud"}}, "unknown name 'toy_cloud' (did you mean 'toy_cloud_removal'?), expected"),
    ({"dataset": {"name": "own", "sources": ["sar"]}}, "dataset: unknown name 'own', expected toy_cloud_removal,"),
    ({"dataset__sources": []}, "dataset.sources: found []"),
    ({"dataset__sources": ["../sar"]}, "dataset.sources.0: found '../sar'"),
    ({"dataset__opacity": "yes"}, "dataset.opacity: found 'yes', expected 'none', 'estimated' or 'exact'"),
    ({"dataset__opacity": "exact", "dataset__clouds": None}, "dataset: opacity: found exact without clouds, expected"),
    ({"dataset__target": None}, "dataset.target: found None"),
    ({"dataset__split__test": 0.3}, "dataset.split: found shares that sum to 1.15, expected 1"),
    (
        {"dataset__split__test": "40"},
        "dataset.split: found shares beside numbers of views",
    ),
    ({"dataset__split__val": "0,15"}, "dataset.split: found shares beside numbers"),
    ({"dataset__split__val": "x"}, "dataset.split.val: found 'x', expected numbers and ascending ranges"),
    ({"dataset__cache": "gpu"}, "dataset.cache: found 'gpu'"),
    ({"dataset__dataloader__batch_size": 0}, "dataset.dataloader.batch_size: found 0"),
    ({"model__generator__name": "u-net"}, "model.generator: unknown name 'u-net' (did you mean 'unet'?)"),
    ({"model__generator__filters": [1]}, "unknown key 'model.generator.filters' (did you mean 'enc_filters'"),
    ({"model__generator__enc_kwargs": [{}]}, "model.generator: enc_kwargs: found 1 entries, expected 8"),
    (
        {"model__generator__input_size": [6, 256, 320], "model__generator__out_channels": 3},
        "model.generator: dec_filters: layer 2 makes 4x4, but",
    ),
    (
        {"model__generator__enc_kwargs": {"relu": "leaky"}},
        "enc_kwargs.0.relu: found 'leaky', expected True, False",
    ),
    ({"model__generator__enc_kwargs": {"dropot": 0.4}}, "unknown key 'model.generator.enc_kwargs.0.dropot' (did you"),
    ({"model__generators": {"name": "unet"}}, "model.generators"),
    (
        {"model__generator": {"name": "temporal_unet", "widths": [8], "in_time": ["both"]}},
        "model.generator: found temporal_unet, which is given one series at a time, expected what is given one frame",
    ),
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
    ({"reference_classifier": {"tol": -1}}, "reference_classifier.tol: found -1"),
    ({"reference_classifier": {"l3_weight": 1}}, "unknown key 'reference_classifier.l3_weight' (did you mean 'l2"),
    ({"reference_classifier": [{}, {"name": "minirocket", "tol": -1}]}, "reference_classifier.1.tol: found -1"),
    ({"reference_classifier": [{}, {"name": "rocket"}]}, "reference_classifier.1: unknown name 'rocket' (did you mean"),
    ({"reference_classifier": [{}, {}]}, "found logistic_regression, logistic_regression, expected different names"),
    ({"reference_classifier": "forest"}, "reference_classifier: found 'forest', expected a mapping"),
    ({"testing": {"reference_classifier_path": 3}}, "testing.reference_classifier_path.0: found 3"),
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


def test_networks_of_frames_do_not_take_series() -> None:
    network = load(CGAN)["model"]["generator"]
    with pytest.raises(ConfigError, match="found unet, which is given one frame at a time, expected .*: temporal_unet"):
        config(SEQUENCE, model__generator=network)


SIDE = {"model__generator__input_size": [6, 256, 256], "model__discriminator__input_size": [9, 256, 256]}
DATA_MISTAKES: list[tuple[Path, dict[str, Any], ViewShape, str]] = [
    (CGAN, SIDE, features(128), r"model.generator.input_size: found \[6, 256, 256\], expected \[6, 128, 128\]"),
    (CGAN, SIDE, features(256, sar=2), r"input_size: found \[6, 256, 256\], expected \[5, 256, 256\]"),
    (CGAN, SIDE, features(256, sar=2), r"model.discriminator.input_size: found \[9, 256, 256\], expected \[8, 256"),
    (CGAN, SIDE, features(256, sar=2), r"has 5 source and 3 target bands of 256x256 pixels"),
    (RECURRENT, SIDE, features(256), r"expected \[9, 256, 256\]"),
    (CGAN, {"model__generator__out_channels": 4}, features(256), r"makes \[4, 256, 256\].*expected \[3, 256, 256\]"),
    (CGAN, {"model__discriminator__n_filters": [64, 128, 256, 512, 2]}, features(256), "gives 2 channels, expected 1"),
    (CGAN, {}, features(100), r"model.generator: enc_filters: layer 7 of 8 \(kernel_size 4.*leaves nothing of its 1x1"),
]


@pytest.mark.parametrize(("file", "changes", "data", "message"), DATA_MISTAKES)
def test_networks_that_do_not_fit_the_data(file: Path, changes: dict, data: ViewShape, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sized(config(file, **changes), data, smallest_batch=2)


def test_a_batch_of_one_frame_and_one_pixel() -> None:
    with pytest.raises(ConfigError, match="leaves a single pixel to batch normalisation"):
        sized(config(CGAN), features(256), smallest_batch=1)


def test_an_image_that_comes_out_smaller(small: Callable[..., ExperimentConfig]) -> None:
    with pytest.raises(ConfigError, match=r"makes \[3, 14, 14\] of its input, expected \[3, 16, 16\]"):
        small(CGAN, model__generator__out_kwargs={"padding": 0})


def test_networks_are_as_deep_as_the_data() -> None:
    """The same file for any bands and any pixels: networks follow."""
    for file, bands, channels in ((CGAN, 4, 4), (RECURRENT, 4, 7), (UPPER_BOUND, 4, 3)):
        network = sized(config(file, dataset__sources=["sar"]), features(256, sar=bands)).model["generator"]
        assert (network.input_size, network.output_size) == ((channels, 256, 256), (3, 256, 256))


def test_without_radar_is_three_lines(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"base: {CGAN}\ndataset:\n  sources: [clouded_optical]\n")
    found = read(ExperimentConfig, tmp_path / "mine.yaml")
    assert found.dataset.products == ["clouded_optical", "clean_optical"]
    assert sized(found, features(256)).model["generator"].input_size == (3, 256, 256)


def test_a_data_set_of_any_name_and_products() -> None:
    common = {key: load(CGAN)["dataset"][key] for key in ("split", "dataloader")}
    found = DatasetConfig.model_validate({"root": "~/x", "sources": ["vv", "vh"], "target": "red", **common})
    assert found.products == ["vv", "vh", "red"]
    assert found.clouds is None
    assert found.bands({"vv": 1, "vh": 2, "red": 4}) == (3, 4)
    assert not found.root.startswith("~")


TOO_LARGE = [
    (
        {"n_filters": [10**9, 10**9, 1]},
        r"model.discriminator: 16,000,000,[0-9,]+ parameters .* would take .* PB",
    ),
    ({"n_filters": [8, 1], "conv_kwargs": [{"kernel_size": 10**9, "padding": 10**9}, {}]}, "would take .* PB"),
    ({"n_filters": [8, 1], "conv_kwargs": [{"padding": 10**9, "stride": 1}, {"bn": False}]}, "would take .* PB"),
]


@pytest.mark.parametrize(("discriminator", "message"), TOO_LARGE)
def test_networks_beyond_the_machine_are_refused_by_key(discriminator: dict[str, Any], message: str) -> None:
    changes = {"name": "patchgan", **{"conv_kwargs": {}}, **discriminator}
    with pytest.raises(ConfigError, match=rf"{message} of memory, and .* are free; use fewer"):
        sized(config(CGAN, model__discriminator=changes), features(256), smallest_batch=2)


def test_training_takes_more_memory_than_testing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr(building, "problem", lambda what, size, remedy: asked.append(size))
    sized(config(CGAN), features(256))
    sized(config(CGAN), features(256), smallest_batch=2)
    assert asked[0] == pytest.approx(4 * 155e6, rel=0.2)
    assert asked[2] == pytest.approx(16 * 155e6, rel=0.1)


def demo(file: Path) -> dict[str, Any]:
    """A small experiment with every section there is."""
    content = load([file, *SCALES[1]])
    return content | {"early_stopping": {"monitor": "val_loss", "patience": 3, "mode": "max"}, "base": None}


@given(st.sampled_from([demo(file) for file in RUN]).flatmap(mutating.mappings))
def test_damaged_files_are_named_or_build(tmp_path: Path, content: dict[str, Any]) -> None:
    """Whatever they hold, in little memory: parameters are counted before there are any."""
    cfg = tmp_path / "cfg.yaml"
    cfg.write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        patch.setattr(building, "problem", lambda what, size, remedy: size > 1e9 and problem(what, 1e30, remedy))
        try:
            found = read(ExperimentConfig, cfg)
            if isinstance(found.experiment, TrainedSettings):
                Learner(sized(found, features(64), smallest_batch=2), Identity({}, seed=0)).configure_optimizers()
        except ConfigError as error:
            assert str(error).isprintable()  # noqa: PT017 - either outcome is right
