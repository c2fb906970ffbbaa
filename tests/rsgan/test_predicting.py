"""`utils/predict.py`: what a checkpoint makes of any products, of any size, without a truth."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.views import to_reflectance
from src.rsgan.evaluation.metrics.uncertainty import uncertainty_of
from src.rsgan.translator import generate, open_experiment
from src.toygeneration.derivation import DerivedProduct
from src.toygeneration.export import ProductDataset, export
from src.toygeneration.frames import Georeference
from src.toygeneration.product import Product
from tests.conftest import CLOUDS, derivation, scene
from tests.rsgan.conftest import (
    BASELINES,
    CGAN,
    CYCLE,
    FLOW,
    HORIZON,
    RECURRENT,
    SEQUENCE,
    UPPER_BOUND,
    Shrunk,
    call,
    failure,
)
from utils import predict
from utils.config import read
from utils.files import digest_file

CHANGES: dict[Path, dict[str, Any]] = {SEQUENCE: {"experiment__variance_weight": 1}}
PLACE = Georeference(crs=None, transform=(10, 0, 500_000, 0, -10, 5_000_000))
Trained = Callable[..., Path]


def arguments(cfg: Path, chkpt: Path, out: Path, *products: Path) -> list[str]:
    return [f"--cfg={cfg}", f"--chkpt={chkpt}", f"--o={out}", *(f"--product={product}" for product in products)]


def views_of(folder: Path, width: int, height: int) -> list[Path]:
    """Clouded and SAR products of some size, whose steps aren't the same."""
    size, clouds = {"width": width, "height": height}, CLOUDS
    latent: Product = scene(product__size=size, product__horizon=HORIZON)
    latent.georeference = PLACE
    optical = derivation(target_size=size, corruption=clouds, temporal_res=3)
    radar = derivation(target_size=size, temporal_res=2)
    paths = [folder / "mine", folder / "radar"]
    export({path: DerivedProduct(c, latent, 1) for path, c in zip(paths, (optical, radar), strict=True)})
    return paths


@torch.no_grad()
@pytest.mark.parametrize("file", [CGAN, RECURRENT, CYCLE, FLOW, SEQUENCE], ids=lambda file: file.stem)
def test_predictions_of_a_views_products_are_those_that_are_tested(
    file: Path, cfg: Shrunk, tmp_path: Path, uninterrupted: Trained
) -> None:
    changes = CHANGES.get(file, {})
    small, chkpt = cfg(file, **changes), uninterrupted(file, **changes) / "checkpoints/best.ckpt"
    config = read(ExperimentConfig, small)
    data = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0)
    view, *_ = data.names["test"]
    made = generate(
        open_experiment(config, data, chkpt, torch.device("cpu")).translator, data.series("test", 0, ("source",))
    )
    sources = [Path(config.dataset.root) / view / name for name in config.dataset.sources]
    assert call(predict, *arguments(small, chkpt, tmp_path / "out", *sources)) == 0
    found = ProductDataset(tmp_path / "out")
    frames = np.stack([found.frame(step) for step in found.steps])
    np.testing.assert_array_equal(frames, to_reflectance(made.frames.movedim(1, -1).numpy()))
    uncertain = uncertainty_of(made)
    assert (tmp_path / "out_std").exists() == (uncertain is not None) == (file in (FLOW, SEQUENCE))
    if uncertain:
        std = ProductDataset(tmp_path / "out_std")
        np.testing.assert_array_equal(std.frame(1), uncertain.std[1].movedim(0, -1).numpy() / 2)
    else:
        (tmp_path / "out_std").mkdir()  # as if left by another experiment
        assert call(predict, *arguments(small, chkpt, tmp_path / "out", *sources), "--overwrite") == 2
    provenance, source = found.provenance(), ProductDataset(sources[0])
    assert provenance["checkpoint"] == digest_file(chkpt)
    assert provenance["configuration"]["experiment"]["name"] == config.experiment.name
    assert provenance["source"] == source.provenance()
    assert list(provenance["beside"]) == [*config.dataset.sources[1:]]
    assert found.seeds == (config.experiment.seed, *source.seeds)
    np.testing.assert_array_equal(found.annotation(0), source.annotation(0))


@pytest.mark.parametrize("file", [CGAN, FLOW], ids=lambda file: file.stem)
def test_frames_of_any_size_and_steps_that_are_missing(
    file: Path, cfg: Shrunk, tmp_path: Path, uninterrupted: Trained
) -> None:
    """The data set, with its truth, isn't needed."""
    small = cfg(file, dataset__root=str(tmp_path / "nowhere"))
    chkpt = uninterrupted(file) / "checkpoints/best.ckpt"
    products = views_of(tmp_path, 21, 34)
    assert call(predict, *arguments(small, chkpt, tmp_path / "out", *products)) == 0
    found = ProductDataset(tmp_path / "out")
    assert (found.features.width, found.features.height, len(found)) == (21, 34, HORIZON)
    assert found.steps == [0, 2, 3, 4]
    assert found[1] is None
    assert np.isfinite(found.frame(4)).all()
    assert found.georeference == PLACE


@pytest.mark.parametrize("told", ["estimated", "exact"])
def test_opacity_is_what_the_method_was_told_of(
    told: str, cfg: Shrunk, tmp_path: Path, uninterrupted: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    small = cfg(CGAN, dataset__opacity=told)
    chkpt = uninterrupted(CGAN, dataset__opacity=told) / "checkpoints/best.ckpt"
    optical, radar = views_of(tmp_path, 16, 16)
    assert call(predict, *arguments(small, chkpt, tmp_path / "out", optical, radar)) == 0
    without = arguments(small, chkpt, tmp_path / "without", radar, radar)
    if told == "exact":
        assert "radar: found no opacity of clouds, expected it as dataset.opacity" in failure(capsys, predict, *without)
    else:
        assert call(predict, *without) == 0


def test_mistakes_in_predicting(
    cfg: Shrunk, tmp_path: Path, uninterrupted: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    chkpt, out = uninterrupted(CGAN) / "checkpoints/best.ckpt", tmp_path / "out"
    optical, radar = views_of(tmp_path, 16, 16)
    (tmp_path / "other").mkdir()
    larger, _ = views_of(tmp_path / "other", 32, 16)
    small = cfg(CGAN)
    for given, message in (
        ([optical], "--product: found 1, expected 2, in this order: clouded_optical, sar"),
        ([optical, tmp_path / "none"], "none/index.json: no such file"),
        ([larger, radar], "products differ in size (clouded_optical 32x16, sar 16x16)"),
    ):
        assert message in failure(capsys, predict, *arguments(small, chkpt, out, *given))
    assert "no such file" in failure(capsys, predict, *arguments(small, tmp_path / "none.ckpt", out, optical, radar))
    for file, message in (
        (BASELINES[0], "expected an experiment that is trained"),
        (UPPER_BOUND, "which must be given the target"),
        (FLOW, "a checkpoint for products of other bands than clouded_optical 3, sar 3"),
    ):
        assert message in failure(capsys, predict, *arguments(cfg(file), chkpt, out, optical, radar))
    other = cfg(CGAN, experiment__seed=1)
    assert "a checkpoint of another experiment" in failure(
        capsys, predict, *arguments(other, chkpt, out, optical, radar)
    )
    assert not out.exists()
    shutil.copytree(optical, out)
    existing = arguments(cfg(CGAN), chkpt, out, optical, radar)
    assert "found an existing product; pass --overwrite" in failure(capsys, predict, *existing)
    assert call(predict, *existing, "--overwrite") == 0
