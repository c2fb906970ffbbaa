"""The law of the texture: variance and covariance of many draws of a non-square, three-band field."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from src.toygeneration.modules.samplers import SAMPLERS, Sampler
from tests.conftest import make_dataset, scene
from tests.toygeneration.modules.test_kernels import CASES, kernel

HEIGHT, WIDTH, BANDS, DRAWS = 9, 14, 3, 6000


def sampler(config: dict) -> Sampler:
    return TypeAdapter(SAMPLERS.choice).validate_python(config)


def draws(config: dict, side: int = WIDTH, count: int = DRAWS) -> np.ndarray:
    draw, rng = sampler(config).prepare(side), np.random.default_rng(0)
    return np.stack([draw(BANDS, HEIGHT, WIDTH, rng) for _ in range(count)]).astype(float)  # (N, bands, H, W)


@pytest.mark.parametrize("config", [config for config, _ in CASES])
@pytest.mark.parametrize("side", [WIDTH, 50])
def test_gaussian_process_has_the_covariance_of_its_kernel(config: dict, side: int) -> None:
    fields = draws({"name": "gaussian_process", "kernel": config}, side)
    k = kernel(config)
    at = k(np.arange(5.0))
    tolerance = 5 * at[0] ** 2 * np.sqrt(2 / DRAWS)
    assert fields.shape == (DRAWS, BANDS, HEIGHT, WIDTH)
    assert np.abs(fields.mean(axis=0)).max() < 5 * at[0] / np.sqrt(DRAWS)
    assert np.abs((fields**2).mean(axis=0) - at[0] ** 2).max() < tolerance
    for lag in (1, 2, 4):
        down = (fields[:, :, lag:] * fields[:, :, :-lag]).mean(axis=0)
        across = (fields[..., lag:] * fields[..., :-lag]).mean(axis=0)
        diagonal = (fields[:, :, lag:, lag:] * fields[:, :, :-lag, :-lag]).mean(axis=0)
        assert np.abs(down - at[lag] * at[0]).max() < tolerance
        assert np.abs(across - at[lag] * at[0]).max() < tolerance
        assert np.abs(diagonal - at[lag] ** 2).max() < tolerance


def test_bands_are_independent() -> None:
    fields = draws({"name": "gaussian_process", "kernel": {"name": "rbf", "length_scale": 2.5}})
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.abs((fields[:, a] * fields[:, b]).mean(axis=0)).max() < 5 / np.sqrt(DRAWS)


def test_rbf_texture_of_the_published_scale_has_no_stripes() -> None:
    fields = draws({"name": "gaussian_process", "kernel": {"name": "rbf", "length_scale": 2.5}})
    for moved, still in ((fields[:, :, 1:], fields[:, :, :-1]), (fields[..., 1:], fields[..., :-1])):
        assert np.corrcoef(moved.ravel(), still.ravel())[0, 1] == pytest.approx(0.92, abs=0.01)


def test_white_noise_is_white() -> None:
    fields = draws({"name": "gaussian", "std": 0.3})
    assert fields.std() == pytest.approx(0.3, rel=0.01)
    for moved, still in ((fields[:, :, 1:], fields[:, :, :-1]), (fields[..., 1:], fields[..., :-1])):
        assert abs(np.corrcoef(moved.ravel(), still.ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(fields[:, 0].ravel(), fields[:, 1].ravel())[0, 1]) < 0.01


def test_a_standard_deviation_of_0_is_no_texture() -> None:
    product = scene(random_sampler={"name": "gaussian", "std": 0.0})
    frame, instances = product.frame(0), product.annotation[..., 0]
    assert all(np.ptp(frame[instances == i], axis=0).max() == 0 for i in np.unique(instances))


def test_texture_in_a_scene_is_half_a_hyperbolic_tangent_of_the_field() -> None:
    """Invert it on the pixels of real parcels, and find the kernel's law again."""
    products = [
        scene(seed, make_dataset(), product__n_polygons=3, product__size={"width": 60, "height": 40})
        for seed in range(60)
    ]
    pairs: dict[tuple[int, int], list[np.ndarray]] = {(0, 1): [], (1, 0): [], (0, 4): [], (2, 0): []}
    for product in products:
        instances = product.annotation[..., 0]
        values = np.stack([np.zeros(3), *list(product.values[1:, 0])])[instances]
        field = np.arctanh(np.clip((product.frame(0) - values) / 0.5, -1 + 1e-6, 1 - 1e-6))
        for down, across in pairs:
            one = field[down:, across:]
            other = field[: field.shape[0] - down, : field.shape[1] - across]
            same = instances[down:, across:]
            same = (same > 0) & (same == instances[: instances.shape[0] - down, : instances.shape[1] - across])
            pairs[down, across].append(np.stack([one[same], other[same]]))
    for (down, across), values in pairs.items():
        one, other = np.concatenate(values, axis=1).reshape(2, -1)
        expected = np.exp(-(down**2 + across**2) / (2 * 2.5**2))
        assert one.std() == pytest.approx(1, abs=0.03)
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(expected, abs=0.03)


def test_texture_is_static_and_bounded() -> None:
    product = scene(random_sampler={"name": "gaussian", "std": 50.0})
    inside = product.annotation[..., 0] > 0
    for step in product.steps:
        rest = product.frame(step) - product.values[:, step][product.annotation[..., 0]]
        assert np.allclose(rest, product.frame(0) - product.values[:, 0][product.annotation[..., 0]], atol=1e-6)
        assert np.abs(rest).max() <= 0.5 + 1e-6
        assert np.abs(rest[~inside]).max() == 0
