"""Sampling of pixel series: which, how many, and in which chunks."""

import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.views import View
from src.rsgan.evaluation.pixels import PixelSample, class_map
from tests.rsgan.conftest import CGAN, HORIZON, Shrunk
from utils.config import read
from utils.errors import DataError


@pytest.fixture
def views(cfg: Shrunk) -> list[View]:
    config = read(ExperimentConfig, cfg(CGAN))
    return ToyDataModule(config.dataset, split_seed=73, seed=0).views("train")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_series_are_those_of_the_clean_frames(views: list[View]) -> None:
    sample = PixelSample.draw(views, None, rng=rng())
    assert len(sample) == sum((class_map(view) > 0).sum() for view in views)
    for view, (series, labels) in zip(views, sample, strict=True):
        classes = class_map(view)
        np.testing.assert_array_equal(labels, classes[classes > 0])
        for step in range(HORIZON):
            np.testing.assert_array_equal(series[:, step], view.read(step, "target")[classes > 0])


def test_every_foreground_pixel_has_the_same_chance(views: list[View]) -> None:
    everything, size, draws = PixelSample.draw(views, None, rng=rng()), 60, 100
    generator = rng(5)
    hits = [np.zeros(len(places)) for places in everything.places]
    for _ in range(draws):
        sample = PixelSample.draw(views, size, rng=generator)
        assert len(sample) == size
        for counts, there, drawn in zip(hits, everything.places, sample.places, strict=True):
            assert len(np.unique(drawn)) == len(drawn)
            counts += np.isin(there, drawn)
    share = np.concatenate(hits) / draws
    expected = size / len(everything)
    assert share.mean() == pytest.approx(expected)
    assert share.std() == pytest.approx(np.sqrt(expected * (1 - expected) / draws), rel=0.15)


@pytest.mark.parametrize("number", [1, 2, 7, 10_000])
def test_chunks_hold_the_same_series_in_the_same_order(views: list[View], number: int, tmp_path: Path) -> None:
    sample = PixelSample.draw(views, 50, rng=rng())
    chunks = sample.chunks(number, tmp_path)
    for _ in range(2):
        parts = list(chunks())
        assert len(parts) == min(number, 50)
        assert max(len(labels) for _, labels in parts) == -(-50 // len(parts))
        np.testing.assert_array_equal(np.concatenate([labels for _, labels in parts]), np.concatenate(sample.labels))
        series = np.concatenate([series for series, _ in parts])
        np.testing.assert_array_equal(series, np.concatenate([series for series, _ in sample]))


def test_a_disk_that_fills_up_is_an_error_and_does_not_kill(views: list[View], tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            PixelSample.draw(views, None, rng=rng()).chunks(2, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_more_than_there_is_means_all(views: list[View]) -> None:
    assert len(PixelSample.draw(views, 10**9, rng=rng())) == len(PixelSample.draw(views, None, rng=rng()))


def test_views_without_foreground(views: list[View], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.rsgan.evaluation.pixels.class_map", lambda _: np.zeros((16, 16), np.int16))
    with pytest.raises(DataError, match="found no foreground pixel in"):
        PixelSample.draw(views, None, rng=rng())
