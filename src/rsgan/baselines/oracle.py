"""What series could be recovered from their clouded frames at best, by whoever knew parcels and clouds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from src.rsgan.baselines import Rule
from src.rsgan.baselines.gap_filling import CloudRemovalSettings
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS
from utils.errors import ConfigError
from utils.scores import BOUND, Kind, Sees

VIEWS = 8  # of training, that clouds are learnt from
SHARPNESS = 0.01  # deviation of a clear value from what the model says of it, in network scale
# Of what else is known, in weights of clear values: series change slowly, textures have a mean of zero. They decide
# where clouds leave nothing else to go by.
STEADINESS, EVENNESS = 0.1, 1e-3
LEAST = 1e-6  # that is divided by


@EXPERIMENTS.register
class OracleSettings(CloudRemovalSettings):
    """Every parcel's series, and every pixel's texture, by least squares over all that clouds let through.

    A clouded value is `w (g (s + q) + α (I + d)) + b`: what is left of the ground, `g = (1 - α) (1 - shadow)`, series s
    of the parcel at the step, texture q of the pixel, brightness I of clouds, and by how much they are brighter over
    the parcel at the step, d. Gain w, offset b
    and I, of each band, are fitted on training views, and so is the deviation of I, by which values under thicker
    clouds weigh less. The background counts as a parcel.
    """

    name: Literal["oracle"]

    kind: ClassVar[Kind] = BOUND
    sees: ClassVar[Sees] = "series"

    def sensors(self, dataset: DatasetConfig) -> Sequence[str]:
        return [*super().sensors(dataset), "parcels"]

    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> Rule:
        bands = self.clouded_bands(dataset, nbands)
        if dataset.opacity != "exact":
            raise ConfigError(
                f"dataset.opacity: found {dataset.opacity}, expected exact: the oracle knows where clouds are"
            )
        return Rule(partial(uncover, fit_clouds(training, bands)), ("source", "opacity", "shadow", "annotation"))


@dataclass(frozen=True, eq=False)
class Clouds:
    """What clouds do to a band, in network scale: `(C, 1)` each."""

    gain: Tensor
    offset: Tensor
    brightness: Tensor
    deviation: Tensor  # of the brightness

    def take_off(self, values: Tensor, opacity: Tensor) -> Tensor:
        """Leave `g x + α d` of clouded values `(T, C, P)` under an opacity `(T, 1, P)`."""
        return (values - self.offset) / self.gain - opacity * self.brightness


def fit_clouds(training: Iterable[Batch], bands: int) -> Clouds:
    """Least squares, band by band: clouded values of `g x`, α and 1, over all values x of some views."""
    moments = [_moments(sample, bands) for sample in islice(training, VIEWS)]
    square, product, power = (np.sum(part, axis=0) for part in zip(*moments, strict=True))  # (C, 3, 3), (C, 3), (C,)
    solved = np.stack([np.linalg.lstsq(*pair)[0] for pair in zip(square, product, strict=True)])
    residual = power - np.sum(solved * product, axis=1)
    deviation = np.sqrt(np.maximum(residual, 0) / np.maximum(square[:, 1, 1], LEAST))
    gain, light, offset = solved.T
    fitted = (gain, offset, light / gain, deviation / np.abs(gain))
    return Clouds(*(torch.from_numpy(part)[:, None] for part in fitted))


def _moments(sample: Batch, bands: int) -> tuple[np.ndarray, ...]:
    """Products of a view's inputs with themselves and with its clouded values, and of these: for each band."""
    seen = sample["source"][:, :bands].flatten(1).any(dim=1)  # zeros stand for a frame that isn't there
    opacity, shadow = (sample[kind][seen].double() for kind in ("opacity", "shadow"))
    clouded, clean = (sample[kind][seen, :bands].double() for kind in ("source", "target"))
    alpha = opacity.expand_as(clean)
    inputs = torch.stack([(1 - alpha) * (1 - shadow) * clean, alpha, torch.ones_like(alpha)])
    square = torch.einsum("itchw,jtchw->cij", inputs, inputs)
    product = torch.einsum("itchw,tchw->ci", inputs, clouded)
    return square.numpy(), product.numpy(), clouded.square().sum(dim=(0, 2, 3)).numpy()


def uncover(clouds: Clouds, series: Batch) -> Tensor:
    """Recover a series from its clouded frames, parcel by parcel."""
    clouds = Clouds(*(value.to(series["source"].device) for value in vars(clouds).values()))
    frames = series["source"][:, : len(clouds.gain)]
    opacity, shadow = (series[kind].double().flatten(2) for kind in ("opacity", "shadow"))
    left = (1 - opacity) * (1 - shadow)
    values = clouds.take_off(frames.double().flatten(2), opacity)
    parcels = series["annotation"][0, 0].flatten()
    generated = torch.empty_like(values)
    for number in parcels.unique():
        inside = parcels == number
        generated[..., inside] = recover(
            values[..., inside], opacity[:, 0, inside], left[:, 0, inside], clouds.deviation.mean()
        )
    return generated.reshape(frames.shape).to(frames.dtype)


def recover(values: Tensor, opacity: Tensor, left: Tensor, deviation: Tensor) -> Tensor:
    """Find `s + q`, a series `(T, C, 1)` and a texture `(C, P)`, under clouds that are brighter by d, `(T, C, 1)`.

    With `r = values - g (s + q) - α d`, `Σ r² / (1 + (α δ)²) + EVENNESS Σ q² + STEADINESS Σ (s_t+1 - s_t)² +
    Σ d² / δ²` is smallest, where δ is the deviation of d in units of SHARPNESS. For given s and d, the best q is a
    weighted mean; put in, it leaves 2 T normal equations.

    Args:
        values: `(T, C, P)`.
        opacity: α, `(T, P)`.
        left: g, `(T, P)`.
    """
    horizon, ratio = len(opacity), deviation / SHARPNESS
    weights = 1 / (1 + (opacity * ratio) ** 2)
    ground = weights * left
    factors = torch.cat([left, opacity])  # (2 T, P), of s and of d
    both = ground.repeat(2, 1) * factors
    total = (ground * left).sum(dim=0) + EVENNESS  # (P,)
    change = torch.eye(horizon, dtype=values.dtype, device=values.device).diff(dim=0)
    own, cross, light = both[:horizon].sum(dim=1), both[horizon:].sum(dim=1), (weights * opacity**2).sum(dim=1)
    upper = torch.cat([own.diag() + STEADINESS * change.T @ change, cross.diag()], dim=1)
    lower = torch.cat([cross.diag(), (light + 1 / ratio.square().clamp_min(LEAST)).diag()], dim=1)
    normal = torch.cat([upper, lower]) - both / total @ both.T
    mean = (ground[:, None] * values).sum(dim=0) / total  # (C, P)
    right = (weights.repeat(2, 1) * factors)[:, None] * values.repeat(2, 1, 1)  # (2 T, C, P)
    solved = torch.linalg.pinv(normal, hermitian=True) @ (right.sum(dim=-1) - both @ mean.T)
    series, brighter = solved[..., None].split(horizon)
    rest = values - left[:, None] * series - opacity[:, None] * brighter
    return series + (ground[:, None] * rest).sum(dim=0) / total
