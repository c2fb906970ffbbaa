"""Small data sets and experiments that tests share."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import make_reference_classifier
from src.rsgan.building import sized
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.views import ViewShape
from src.rsgan.devices import Devices
from src.rsgan.experiments import Generated
from src.rsgan.training import train
from src.toygeneration.config_files import DerivationConfig, GenerationConfig
from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.views import build_views
from tests.conftest import CLOUDS, GENERATION, ROOT, change
from utils.cli import run
from utils.config import load, validate

SIDE, HORIZON, VIEWS = 16, 6, 8
SCENE = change(GENERATION, product__size={"width": SIDE, "height": SIDE}, product__horizon=HORIZON)
CONFIGS = ROOT / "src" / "rsgan" / "config"
SCALES = [(), (CONFIGS / "demo.yaml",), (CONFIGS / "rehearsal.yaml",)]
# What the published study runs, of the two data sets that all are tested on here; others are variants of these.
STUDY = load(ROOT / "repro" / "profiles" / "paper.yaml")
NAMED = (Path(name) for name in (*STUDY["experiments"], *STUDY["baselines"]))
RUN = sorted(CONFIGS / f"{name}.yaml" for name in NAMED if name.parent.name in ("cloud_removal", "sar_to_optical"))
OTHERS = sorted({*CONFIGS.glob("*/*.yaml")} - {*RUN, *(CONFIGS / "base").glob("*.yaml")})
BASELINES = [file for file in RUN if "model" not in load(file)]
FILES = [file for file in RUN if file not in BASELINES]  # those of experiments that are trained
NO_GENERATION = [file for file in BASELINES if load(file)["experiment"]["name"] == "no_generation"]
CGAN = CONFIGS / "cloud_removal/cgan_toy.yaml"
UPPER_BOUND = CONFIGS / "cloud_removal/cgan_upper_bound_toy.yaml"
RECURRENT = CONFIGS / "cloud_removal/cgan_frame_recurrent_toy.yaml"
CYCLE = CONFIGS / "sar_to_optical/cycle_gan_toy.yaml"
SEQUENCE = CONFIGS / "cloud_removal/sequence_toy.yaml"
FLOW = CONFIGS / "cloud_removal/flow_toy.yaml"
BATCH, EPOCHS = 4, 2
Shrunk = Callable[..., Path]


def derive(source: str, **more: Any) -> DerivationConfig:
    size = {"width": SIDE, "height": SIDE}
    return DerivationConfig.model_validate({"latent_product_path": source, "target_size": size, "seed": 1, **more})


def small_task(clean: str, **derivations: DerivationConfig) -> Recipe:
    """Optical products from the first three bands of the time series, SAR from the others."""
    latent = {
        name: GenerationConfig.model_validate(change(SCENE, ts__dims=dims))
        for name, dims in {"latent_optical": [0, 1, 2], "latent_sar": [3, 4, 5]}.items()
    }
    products = {clean: derive("latent_optical"), "sar": derive("latent_sar"), **derivations}
    return Recipe.from_configurations(latent, products, "tests")


def features(side: int, **bands: int) -> ViewShape:
    """What views of a data set have, three bands a product unless said otherwise."""
    products = dict.fromkeys(("clouded_optical", "sar", "clean_optical", "optical"), 3)
    return ViewShape(side, side, tuple(range(HORIZON)), products | bands)


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small data set of each kind."""
    folder = tmp_path_factory.mktemp("toy")
    clouded = derive("clean_optical", corruption=CLOUDS)
    tasks = {
        "toy_cloud_removal": small_task("clean_optical", clouded_optical=clouded),
        "toy_sar_to_optical": small_task("optical"),
    }
    for name, task in tasks.items():
        assert build_views(task, folder / name, range(1, VIEWS + 1), njobs=1) == {}
    return {name: folder / name for name in tasks}


def shrink(content: dict[str, Any], roots: dict[str, Path], **changes: Any) -> dict[str, Any]:
    """Make an experiment as small as it can be, with one judge, and leave everything else as its file has it."""
    content = change(content, dataset__root=str(roots[content["dataset"]["name"]]))
    content["reference_classifier"], *_ = content["reference_classifier"]
    content["dataset"]["dataloader"] = {"batch_size": BATCH, "num_workers": 0}
    if "max_epochs" in content["experiment"]:
        content["experiment"] |= {"max_epochs": EPOCHS, "precision": 32}
    if "crop" in content["dataset"]:
        content["dataset"] |= {"crop": SIDE // 2, "dataloader": {"batch_size": 2, "num_workers": 0}}
        content["experiment"]["crops_per_series"] = 1
    if "samples" in content["experiment"]:
        content["experiment"] |= {"samples": 2, "legs": 2}
    for name, network in content.get("model", {}).items():
        if network["name"] == "patchgan":
            last = {"stride": 1, "bn": False, "relu": False}
            small = {"n_filters": [4, 4, 1], "conv_kwargs": [{"bn": False}, {}, last]}
        elif network["name"] == "temporal_unet":
            small = {"widths": [8, 16], "heads": 2, "in_time": ["pooling", "both"]}
        else:
            small = {"enc_filters": [4, 8], "enc_kwargs": [{"bn": False, "relu": False}, {}], "dec_filters": [8, 8]}
            small |= {"dec_kwargs": [{"dropout": 0.4}, {"bn": False, "relu": False}]}
        content["model"][name] = {"name": network["name"], **small}
    return change(content, **changes)


@pytest.fixture
def small(roots: dict[str, Path]) -> Callable[..., ExperimentConfig]:
    """A function that gives a file's experiment at small scale."""

    def make(file: Path, *, side: int = SIDE, **changes: Any) -> ExperimentConfig:
        return sized(validate(ExperimentConfig, shrink(load(file), roots, **changes), file), features(side))

    return make


@pytest.fixture
def cfg(roots: dict[str, Path], tmp_path: Path) -> Shrunk:
    """A function that writes a file's experiment at small scale."""

    def write(file: Path = CGAN, **changes: Any) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(shrink(load(file), roots, **changes)))
        return path

    return write


@pytest.fixture
def trained(roots: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    """A function that trains a file's experiment at small scale, and returns its folder."""

    def run(file: Path, name: str = "run", *, seed: int | None = None, **changes: Any) -> Path:
        cfg = tmp_path / f"{name}.yaml"
        cfg.write_text(yaml.safe_dump(shrink(load(file), roots, **changes)))
        train(cfg, tmp_path / "out", devices=Devices(), experiment_name=name, seed=seed)
        return tmp_path / "out" / name

    return run


@pytest.fixture(scope="session")
def uninterrupted(roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that trains as `trained` does, once for all tests that compare with it; they only read the folder."""

    @functools.cache
    def run(file: Path, **changes: Any) -> Path:
        out = tmp_path_factory.mktemp("uninterrupted")
        cfg = out / "config.yaml"
        cfg.write_text(yaml.safe_dump(shrink(load(file), roots, **changes)))
        train(cfg, out, devices=Devices(), experiment_name="run")
        return out / "run"

    return run


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=True)["state_dict"]


def same(one: object, other: object) -> bool:
    """Whether two nests of plain values and tensors are equal, bit for bit."""
    if torch.is_tensor(one):
        return torch.is_tensor(other) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return one == other


def frames_of(made: torch.Tensor | Generated) -> torch.Tensor:
    return made.frames if isinstance(made, Generated) else made


class Payload:
    """Code that a pickle would run."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self._target),))


def call(script: Any, *arguments: object) -> int:
    return run(script.build_parser(), script.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def classifiers(roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, compiled: None) -> dict[str, Path]:
    """A reference classifier of each data set."""
    folder = tmp_path_factory.mktemp("classifiers")
    for file in (CGAN, CYCLE):
        content = shrink(load(file), roots)
        cfg = folder / "config.yaml"
        cfg.write_text(yaml.safe_dump(content))
        out = folder / content["dataset"]["name"]
        assert call(make_reference_classifier, f"--cfg={cfg}", f"--o={out}", "--njobs=1") == 0
    return {name: folder / name for name in roots}


def options(cfg: Path, out: Path, classifiers: dict[str, Path], *more: object) -> list[object]:
    name = yaml.safe_load(cfg.read_text())["dataset"]["name"]
    return [f"--cfg={cfg}", f"--o={out}", f"--classifier={classifiers[name]}", *more]


def failure(capsys: pytest.CaptureFixture[str], script: Any, *arguments: object) -> str:
    capsys.readouterr()
    assert call(script, *arguments) == 2
    shown = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert len(shown) == 1
    return shown[0]
