"""Laws of the rules that networks have to beat."""

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from src.rsgan.baselines import BaselineSettings
from src.rsgan.baselines.gap_filling import GapFillingSettings, clear_steps
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS, Translator
from utils.errors import ConfigError

BANDS, HORIZON = 3, 8
FILLING = [name for name, entry in EXPERIMENTS.entries.items() if issubclass(entry, GapFillingSettings)]
NBANDS = dict.fromkeys(("clouded_optical", "sar", "clean_optical"), BANDS)
BY_VALUE = ["closest_clear_value", "linear_interpolation", "clear_pixel_mean"]


def settings(name: str) -> BaselineSettings:
    """A rule as it is, without what training views say of brightness."""
    without = {"correct_brightness": False} if name in FILLING else {}
    return EXPERIMENTS.entries[name](name=name, seed=0, **without)


def dataset(*sources: str, clouds: str | None = "clouded_optical") -> DatasetConfig:
    common = {"split": {"train": 0.7, "val": 0.3}, "dataloader": {"batch_size": 4}}
    opacity = "exact" if clouds else "none"
    products = {"sources": sources, "target": "clean_optical", "clouds": clouds, "opacity": opacity}
    return DatasetConfig.model_validate({"root": "x", **products, **common})


def frames(seed: int = 0) -> Tensor:
    return torch.rand((HORIZON, BANDS, 5, 4), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def opacity(seed: int = 1) -> Tensor:
    return torch.rand((HORIZON, 1, 5, 4), generator=torch.Generator().manual_seed(seed))


def translate(name: str, optical: Tensor, cloud: Tensor) -> Tensor:
    """The optical bands come first, SAR bands behind them."""
    series = Batch(source=torch.cat([optical, torch.full_like(optical, 9)], dim=1), opacity=cloud, first=True)
    return settings(name).build(dataset("clouded_optical", "sar"), NBANDS, []).translate(series)


@pytest.mark.parametrize("name", FILLING)
def test_frames_are_made_of_the_optical_bands(name: str) -> None:
    made = translate(name, frames(), opacity())
    assert made.shape == frames().shape
    assert made.abs().max() <= 1


def test_the_copy_is_a_copy() -> None:
    assert torch.equal(translate("cloudy_copy", frames(), opacity()), frames())


@pytest.mark.parametrize("name", ["closest_clear_value", "linear_interpolation"])
def test_nothing_changes_without_clouds(name: str) -> None:
    assert torch.equal(translate(name, frames(), torch.zeros_like(opacity())), frames())


@pytest.mark.parametrize("name", BY_VALUE)
def test_what_is_under_thick_clouds_does_not_count(name: str) -> None:
    cloud = opacity()
    cloud[3] = 0
    hidden = torch.where(cloud > 0.2, 5.0, frames())
    assert torch.equal(translate(name, hidden, cloud), translate(name, frames(), cloud))


@given(seed=st.integers(0, 1000), slope=st.floats(-0.1, 0.1))
def test_interpolation_is_exact_where_series_are_linear(seed: int, slope: float) -> None:
    steps = torch.arange(HORIZON).reshape(-1, 1, 1, 1)
    linear = frames(seed)[:1] + slope * steps
    clear = opacity(seed) < 0.4
    clear[[0, -1]] = True
    made = settings("linear_interpolation").fill_clear(torch.where(clear, linear, 9.0), clear)
    torch.testing.assert_close(made, linear, atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_with_numpy_pixel_by_pixel(seed: int) -> None:
    """Before the first clear value and after the last, both keep it."""
    values, clear = frames(seed), clear_steps(opacity(seed), 0.3)
    closest, filled, mean = (settings(name).fill_clear(values, clear) for name in BY_VALUE)
    steps = np.arange(HORIZON)
    for row, column in np.ndindex(5, 4):
        known = np.flatnonzero(clear[:, 0, row, column].numpy())
        nearest = known[np.abs(known[None] - steps[:, None]).argmin(axis=1)]
        for band in range(BANDS):
            series = values[:, band, row, column].numpy()
            expected = np.interp(steps, known, series[known])
            np.testing.assert_allclose(filled[:, band, row, column], expected, atol=1e-6)
            np.testing.assert_array_equal(closest[:, band, row, column], series[nearest])
            np.testing.assert_allclose(mean[:, band, row, column], series[known].mean(), atol=1e-6)


def test_of_a_pixel_that_is_never_clear_the_least_clouded_value_counts() -> None:
    cloud = 0.5 + opacity() / 2
    clear = clear_steps(cloud, 0.2)
    assert (clear.sum(dim=0) == 1).all()
    assert torch.equal(cloud.masked_select(clear).sort().values, cloud.amin(dim=0).flatten().sort().values)


def test_the_least_cloudy_frame_is_the_earliest_of_the_clearest() -> None:
    cloud = opacity()
    cloud[2] = cloud[5] = 0.01
    assert torch.equal(translate("least_cloudy_frame", frames(), cloud), frames()[2].expand(HORIZON, -1, -1, -1))


@pytest.mark.parametrize(
    ("products", "bands", "message"),
    [
        (dataset("sar", "clouded_optical"), 3, r"dataset.sources: found sar first .* needs the clouded product first"),
        (dataset("sar", clouds=None), 3, r"found sar first and dataset.clouds None"),
        (dataset("clouded_optical"), 4, r"found 3 bands in clean_optical and 4 in clouded_optical"),
    ],
)
def test_a_data_set_without_clouds_to_fill_is_refused(products: DatasetConfig, bands: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings("linear_interpolation").build(products, NBANDS | {"clouded_optical": bands}, [])


@pytest.mark.parametrize("name", FILLING)
def test_who_must_be_told_of_clouds_says_so(name: str) -> None:
    products = dataset("clouded_optical").model_copy(update={"opacity": "none"})
    expected = f"dataset.opacity: found none, expected exact or estimated: {name} must be told where clouds are"
    with pytest.raises(ConfigError, match=expected):
        settings(name).build(products, NBANDS, [])


def regression(training: Iterable[Batch]) -> Translator:
    return settings("linear_regression").build(dataset("sar"), NBANDS, training)


def test_regression_finds_a_linear_relation() -> None:
    weights, offset = torch.tensor([[0.5, -0.2], [0.1, 0.3], [0.0, 0.7]]), torch.tensor([0.1, -0.4])

    def sample(seed: int) -> Batch:
        source = frames(seed)
        target = torch.einsum("tchw,cd->tdhw", source, weights) + offset.reshape(1, -1, 1, 1)
        return Batch(source=source, target=target, first=True)

    baseline = regression(sample(seed) for seed in (1, 2))
    torch.testing.assert_close(baseline.translate(sample(3)), sample(3)["target"], atol=1e-6, rtol=0)


def test_regression_takes_bands_that_depend_on_each_other() -> None:
    source = frames()[:, :1].expand(-1, 3, -1, -1)
    baseline = regression([Batch(source=source, target=2 * source[:, :1], first=True)])
    torch.testing.assert_close(baseline.translate(Batch(source=source)), 2 * source[:, :1], atol=1e-5, rtol=0)


def test_regression_leaves_nothing_that_its_inputs_could_explain() -> None:
    """Residuals of least squares are orthogonal to every input, and to 1."""
    source, target = frames(1), frames(2)
    baseline = regression([Batch(source=source, target=target, first=True)])
    residual = baseline.translate(Batch(source=source)) - target
    inputs = torch.cat([source, torch.ones_like(source[:, :1])], dim=1)
    assert torch.einsum("tchw,tdhw->cd", inputs, residual).abs().max() < 1e-4
