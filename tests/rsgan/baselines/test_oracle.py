"""The oracle: exact where clouds are what it takes them for, least squares in any case."""

import numpy as np
import pytest
import torch
from torch import Tensor

from src.rsgan.baselines.oracle import EVENNESS, SHARPNESS, STEADINESS, fit_clouds, recover
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from tests.rsgan.baselines.test_baselines import BANDS, NBANDS, dataset, settings
from utils.errors import ConfigError

HORIZON, SIDE, PARCELS = 10, 32, 4
GAIN, OFFSET, LIGHT = 1.05, -0.1, 0.9  # of brightness, and brightness of clouds, in network scale


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def view(seed: int, *, flicker: float = 0.0, opaque: bool = True, shade: float = 0.0) -> Batch:
    """Parcels side by side, each with a series and a texture, under clouds of which a third hide everything."""
    rng = generator(seed)
    parcels = (torch.arange(SIDE) * PARCELS // SIDE).expand(SIDE, SIDE).short()
    series = torch.rand((HORIZON, BANDS, PARCELS), generator=rng) - 0.5
    texture = torch.rand((BANDS, SIDE, SIDE), generator=rng) * 0.4 - 0.2
    clean = series[..., parcels.long()] + texture
    cloud = (torch.rand((HORIZON, 1, SIDE, SIDE), generator=rng) * 1.5 * (1 if opaque else 0.6)).clamp_max(1)
    light = LIGHT + flicker * torch.randn((HORIZON, 1, SIDE, SIDE), generator=rng)
    shadow = shade * cloud.flip(-1)
    clouded = GAIN * ((1 - cloud) * (1 - shadow) * clean + cloud * light) + OFFSET
    annotation = torch.stack([parcels, parcels.clamp_max(2)]).expand(HORIZON, -1, -1, -1)
    source = torch.cat([clouded, torch.rand(clouded.shape, generator=rng)], dim=1)
    return Batch(source=source, target=clean, opacity=cloud, shadow=shadow, annotation=annotation, first=True)


def rmse(found: Tensor, expected: Tensor) -> float:
    """In reflectance."""
    return float((found - expected).square().mean().sqrt()) / 2


def generate(shown: Batch, *training: Batch) -> Tensor:
    return settings("oracle").build(dataset("clouded_optical", "sar"), NBANDS, training).translate(shown)


def test_series_and_textures_are_recovered_under_known_clouds() -> None:
    for shade, error in ((0, 1e-3), (0.6, 3e-3)):  # the darker, the more it leans on what is known beforehand
        shown = view(3, shade=shade)
        assert rmse(generate(shown, view(1, shade=shade), view(2)), shown["target"]) < error


def test_the_worse_clouds_are_known_the_less_is_recovered() -> None:
    errors = [rmse(generate(view(3, flicker=f), view(1, flicker=f)), view(3)["target"]) for f in (0, 0.02, 0.1)]
    assert errors == sorted(errors)
    assert errors[-1] < 0.1


def test_what_clouds_do_is_found_on_training_views() -> None:
    clouds = fit_clouds([view(1, flicker=0.05), view(2, flicker=0.05)], BANDS)
    for found, expected in zip(vars(clouds).values(), (GAIN, OFFSET, LIGHT, 0.05), strict=True):
        torch.testing.assert_close(found, torch.full((BANDS, 1), expected).double(), atol=3e-3, rtol=0)


def test_steps_without_a_frame_say_nothing_of_clouds() -> None:
    def lost(sample: Batch) -> Batch:
        source, opacity = sample["source"].clone(), sample["opacity"].clone()
        source[4:7], opacity[4:7] = 0, 1
        return sample | {"source": source, "opacity": opacity}

    found, whole = (fit_clouds([sample], BANDS) for sample in (lost(view(1)), view(1)))
    for value, expected in zip(vars(found).values(), vars(whole).values(), strict=True):
        torch.testing.assert_close(value, expected, atol=1e-4, rtol=0)
    assert rmse(generate(lost(view(3)), lost(view(1)))[:4], view(3)["target"][:4]) < 3e-3


def test_without_clouds_frames_are_as_they_were() -> None:
    def clear(seed: int) -> Batch:
        sample = view(seed)
        source = sample["source"].clone()
        source[:, :BANDS] = GAIN * sample["target"] + OFFSET
        return sample | {"source": source, "opacity": torch.zeros_like(sample["opacity"])}

    assert rmse(generate(clear(3), clear(1)), clear(3)["target"]) < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_agreement_with_a_solver_of_the_whole_system(seed: int) -> None:
    """All unknowns at once, T steps and P pixels: a row for each value and each piece of what is known beforehand."""
    horizon, pixels, deviation = 6, 9, 0.05
    values = torch.randn((horizon, 1, pixels), generator=generator(seed), dtype=torch.float64)
    opacity = torch.rand((horizon, pixels), generator=generator(seed + 9), dtype=torch.float64)
    opacity[2] = opacity[:, 4] = 1  # a step and a pixel of which nothing is seen
    step, pixel = (index.ravel() for index in np.indices((horizon, pixels)))
    left = (1 - opacity) * torch.rand((horizon, pixels), generator=generator(seed + 5), dtype=torch.float64)
    alpha, rows, unknowns = opacity.numpy().ravel(), np.arange(horizon * pixels), 2 * horizon + pixels
    system = np.zeros((len(rows), unknowns))  # s, d, q
    system[rows, step] = system[rows, 2 * horizon + pixel] = left.numpy().ravel()
    system[rows, horizon + step] = alpha
    root = 1 / np.sqrt(1 + (alpha * deviation / SHARPNESS) ** 2)
    steady = np.sqrt(STEADINESS) * np.diff(np.eye(horizon, unknowns), axis=0)
    bright = SHARPNESS / deviation * np.eye(unknowns)[horizon : 2 * horizon]
    even = np.sqrt(EVENNESS) * np.eye(unknowns)[2 * horizon :]
    known = np.concatenate([steady, bright, even])
    right = np.concatenate([root * values.numpy().ravel(), np.zeros(len(known))])
    solved = np.linalg.lstsq(np.concatenate([system * root[:, None], known]), right)[0]
    expected = solved[:horizon, None, None] + solved[2 * horizon :]
    found = recover(values, opacity, left, torch.tensor(deviation, dtype=torch.float64))
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_it_must_know_where_clouds_are() -> None:
    for told in ("none", "estimated"):
        products = dataset("clouded_optical").model_copy(update={"opacity": told})
        with pytest.raises(ConfigError, match=f"dataset.opacity: found {told}, expected exact: the oracle knows"):
            EXPERIMENTS.entries["oracle"](name="oracle", seed=0).build(products, NBANDS, [])
