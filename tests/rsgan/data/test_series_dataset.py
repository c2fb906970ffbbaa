"""The plain dataset that other people's loops read: what products hold, split as testing splits them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data import SeriesDataset
from src.rsgan.data.datamodule import ToyDataModule
from src.toygeneration.export import ProductDataset
from tests.rsgan.conftest import CGAN, CYCLE, HORIZON, SIDE, Shrunk
from utils.config import read
from utils.errors import DataError, UsageError


def test_samples_are_what_products_hold(cfg: Shrunk, roots: dict[str, Path]) -> None:
    data = SeriesDataset(cfg(CGAN), split="train")
    for sample in data:
        folder = roots["toy_cloud_removal"] / sample["view"]
        clouded, sar, clean = (ProductDataset(folder / name) for name in ("clouded_optical", "sar", "clean_optical"))
        for step in range(HORIZON):
            joined = np.concatenate([clouded.frame(step), sar.frame(step)], axis=-1)
            np.testing.assert_allclose(sample["source"][step].movedim(0, -1), joined, atol=1e-6)
            np.testing.assert_allclose(sample["target"][step].movedim(0, -1), clean.frame(step), atol=1e-6)
            np.testing.assert_array_equal(sample["cloud"][step, 0], clouded.cloud(step))
        labels = torch.stack([sample["instance"], sample["label"]], dim=-1)
        np.testing.assert_array_equal(labels, clean.annotation(0))
        assert sample["time"].tolist() == clean.steps


def test_splits_are_those_of_testing(cfg: Shrunk) -> None:
    small = cfg(CGAN)
    config = read(ExperimentConfig, small)
    names = ToyDataModule(config.dataset, split_seed=config.experiment.seed, seed=0).names
    assert {split: SeriesDataset([str(small)], split).views for split in names} == names


def test_a_loader_with_workers_reads_it(cfg: Shrunk) -> None:
    data = SeriesDataset(str(cfg(CGAN)), split="train", sources=["sar"])
    batches = list(DataLoader(data, batch_size=2, num_workers=1))
    assert [name for batch in batches for name in batch["view"]] == data.views
    assert batches[0]["source"].shape == (2, HORIZON, 3, SIDE, SIDE)
    assert batches[0]["label"].shape == (2, SIDE, SIDE)
    assert len(batches) == -(-len(data) // 2)


def test_data_without_clouds_are_clear(cfg: Shrunk) -> None:
    assert SeriesDataset(cfg(CYCLE), split="val")[0]["cloud"].abs().max() == 0


def test_mistakes(cfg: Shrunk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="split: found 'testing', expected one of train, val, test"):
        SeriesDataset(cfg(CGAN), split="testing")
    with pytest.raises(DataError, match="none: no such folder; build the data set"):
        SeriesDataset(cfg(CGAN), split="test", root=tmp_path / "none")
    with pytest.raises(DataError, match=r"radar/index.json: no such file"):
        SeriesDataset(cfg(CGAN), split="test", sources=["radar"])
    with pytest.raises(ImportError):
        from src.rsgan.data import NoSuchThing  # noqa: F401
