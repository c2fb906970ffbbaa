"""What a method says that it is told is what its images depend on."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from src.rsgan.baselines import BaselineSettings
from src.rsgan.building import build_experiment, sized
from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.store import Batch
from src.rsgan.experiments import Translator
from src.rsgan.translator import open_baseline
from tests.rsgan.conftest import CONFIGS, HORIZON, RUN, Shrunk, frames_of
from utils.config import read
from utils.results import Told

FRAME_BY_FRAME = CONFIGS / "cloud_removal/sequence_toy_without_time.yaml"


def translator_of(config: ExperimentConfig, data: ToyDataModule) -> Translator:
    if isinstance(config.experiment, BaselineSettings):
        return open_baseline(config, data).translator
    experiment = build_experiment(sized(config, data.features), 0).eval()
    for parameter in experiment.parameters():
        parameter += torch.randn_like(parameter) / 10  # some networks begin with nothing of their own
    return experiment


@torch.no_grad()
@pytest.mark.parametrize("file", [*RUN, FRAME_BY_FRAME], ids=lambda file: file.stem)
def test_images_depend_on_what_a_method_is_told_and_on_nothing_else(file: Path, cfg: Shrunk) -> None:
    config = read(ExperimentConfig, cfg(file))
    told = Told.model_validate(config.experiment.told(config.dataset, config.model))
    data = ToyDataModule(config.dataset, split_seed=73, seed=0)
    translator = translator_of(config, data)
    series = data.series("test", 0, tuple({*translator.kinds, "source", "target"}))
    whole = frames_of(translator.translate(series))

    def changes(kind: str, bands: slice, seed: int) -> bool:
        other = Batch(**series)
        other[kind] = series[kind].clone()
        torch.manual_seed(seed)
        other[kind][:, bands] = torch.rand_like(series[kind][:, bands])
        return not torch.equal(frames_of(translator.translate(other)), whole)

    def depends_on(kind: str, bands: slice) -> bool:
        """Of several other values, some may happen to have the same frame least cloudy."""
        return any(changes(kind, bands, seed) for seed in range(8))

    sizes, first = data.features.nbands, 0
    for product in config.dataset.sources:
        assert depends_on("source", slice(first, first + sizes[product])) == (product in told.sensors), product
        first += sizes[product]
    assert depends_on("target", slice(None)) == (config.dataset.target in told.sensors)
    if "opacity" in series:
        assert depends_on("opacity", slice(None)) == (told.opacity != "none")
    if config.experiment.name != "no_generation":  # whose judges see the series
        alone = torch.cat([frames_of(translator.translate(_step(series, step))) for step in range(HORIZON)])
        assert torch.allclose(alone, whole, atol=1e-5) == (told.sees == "frame")


def _step(series: Batch, step: int) -> Batch:
    frames = {kind: part[step : step + 1] for kind, part in series.items() if isinstance(part, Tensor)}
    return Batch(first=True, **frames)


def test_in_words() -> None:
    told = Told(sensors=["clouded_optical", "sar"], opacity="estimated", sees="series")
    assert str(told) == "clouded_optical + sar, estimated opacity, one series"
    assert str(told.model_copy(update={"opacity": "none", "sees": "frame"})) == "clouded_optical + sar, one frame"
