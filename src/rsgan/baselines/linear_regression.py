"""Optical bands as linear functions of the SAR bands of the same pixel and step."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from src.rsgan.baselines import BaselineSettings, Rule
from src.rsgan.data.datasets import DatasetConfig
from src.rsgan.data.store import Batch
from src.rsgan.experiments import EXPERIMENTS


@EXPERIMENTS.register
class LinearRegressionSettings(BaselineSettings):
    """Ordinary least squares over all pixels and steps of the training views."""

    name: Literal["linear_regression"]

    def build(self, dataset: DatasetConfig, nbands: Mapping[str, int], training: Iterable[Batch]) -> Rule:
        """Solve the normal equations; one view in memory at a time."""
        moments = [_moments(sample["source"], sample["target"]) for sample in training]
        square, product = (np.sum(part, axis=0) for part in zip(*moments, strict=True))
        # The solution of least norm, should bands depend on each other.
        weights = np.linalg.lstsq(square, product, rcond=None)[0]  # (C_in + 1, C_out)
        return Rule(partial(regress, torch.from_numpy(weights).float()))


def regress(weights: Tensor, series: Batch) -> Tensor:
    """Apply weights of the source's bands and 1, one column for each of the target's bands: `(T, C_out, H, W)`."""
    source = series["source"]
    weights = weights.to(source.device)
    generated = weights[-1].reshape(1, -1, 1, 1)
    # Band by band: a matrix product may round otherwise where memory happens to lie otherwise.
    for band, weight in enumerate(weights[:-1]):
        generated = generated + source[:, band : band + 1] * weight.reshape(1, -1, 1, 1)
    return generated


def _moments(source: Tensor, target: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean products of the source's bands and 1 with themselves and with the target's bands, over a view's pixels."""
    inputs, outputs = (frames.movedim(1, -1).flatten(0, -2).double().numpy() for frames in (source, target))
    inputs = np.column_stack([inputs, np.ones(len(inputs))])  # (pixels, C_in + 1)
    return inputs.T @ inputs / len(inputs), inputs.T @ outputs / len(inputs)
