"""The change of brightness: found where it can be seen, and taken out of what rules make of clouded frames."""

import pytest
import torch
from torch import Tensor

from src.rsgan.baselines.brightness import VIEWS, fit_brightness
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from tests.rsgan.baselines.test_baselines import BANDS, FILLING, NBANDS, dataset, frames, opacity

GAIN, OFFSET = torch.tensor([1.1, 0.9, 1.02]), torch.tensor([-0.07, 0.1, 0.03])  # of clouded frames, in reflectance


def darken(clean: Tensor) -> Tensor:
    """Change the brightness of frames in network scale."""
    reflectance = (clean + 1) / 2 * GAIN.reshape(-1, 1, 1) + OFFSET.reshape(-1, 1, 1)
    return reflectance * 2 - 1


def view(seed: int, cloud: Tensor) -> Batch:
    """A series under white clouds, with SAR bands behind the optical ones."""
    clean = frames(seed)
    clouded = darken((1 - cloud) * clean + cloud)
    return Batch(source=torch.cat([clouded, clean.flip(0)], dim=1), target=clean, opacity=cloud, first=True)


def sparse(seed: int) -> Tensor:
    """Opacity that is nothing or far from it."""
    cloud = opacity(seed)
    return torch.where(cloud < 0.3, 0.0, cloud)


def test_gain_and_offset_are_those_of_the_clouded_frames() -> None:
    found = fit_brightness((view(seed, sparse(seed)) for seed in range(3)), BANDS)
    torch.testing.assert_close(found.gain.flatten(), 1 / GAIN, rtol=1e-5, atol=0)
    torch.testing.assert_close(found.correct(darken(frames(9))), frames(9), atol=1e-5, rtol=0)


def test_residuals_are_orthogonal_to_what_they_are_explained_by() -> None:
    """Least squares, whatever else clean values depend on."""
    sample = view(1, torch.zeros_like(opacity())) | {"target": frames(5)}
    residual = fit_brightness([sample], BANDS).correct(sample["source"][:, :BANDS]) - sample["target"]
    for factor in (1, sample["source"][:, :BANDS]):
        assert (residual * factor).sum(dim=(0, 2, 3)).abs().max() < 1e-3


def test_where_nothing_is_clear_the_least_clouded_values_count() -> None:
    cloud = 0.5 + opacity() / 2
    thin = cloud <= cloud.flatten().sort().values[1]
    sample = view(1, torch.where(thin, 0.06, cloud)) | {"target": frames(1)}
    clouded, clean = (sample[kind][:, :BANDS].movedim(1, 0)[:, thin[:, 0]] for kind in ("source", "target"))
    torch.testing.assert_close(fit_brightness([sample], BANDS).correct(clouded[..., None])[..., 0], clean)


def test_few_views_are_read() -> None:
    read = iter(view(seed, sparse(seed)) for seed in range(VIEWS + 3))
    fit_brightness(read, BANDS)
    assert len(list(read)) == 3


@pytest.mark.parametrize("name", FILLING)
def test_rules_give_what_they_would_of_frames_of_the_right_brightness(name: str) -> None:
    """An affine change of values is one of what such rules make of them."""
    rule = EXPERIMENTS.entries[name](name=name, seed=0)
    built = rule.build(dataset("clouded_optical", "sar"), NBANDS, [view(seed, sparse(seed)) for seed in range(3)])
    shown = Batch(source=darken(frames(4)), opacity=opacity(), first=True)
    torch.testing.assert_close(built.translate(shown), rule.fill(frames(4), opacity()), atol=1e-5, rtol=0)
