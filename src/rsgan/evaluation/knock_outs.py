"""What a method's scores rest on: one product of its source at a time is taken away, or taken from another view."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.evaluation.classifiers import FittedClassifier
from src.rsgan.evaluation.metrics.classification import jaccard
from src.rsgan.evaluation.pixels import classify

Change = Callable[[int, Tensor], Tensor]  # of the source `(T, C, H, W)` of a test view, numbered from 0


def list_changes(data: ToyDataModule, sensors: Sequence[str]) -> dict[str, Change]:
    """List what can be done to sources: with each product that a method looks at, but for the clouded one.

    It is replaced by that of the next test view (of the first, for the last), if there are two, or by the means of its
    bands over the training views, which tell nothing of a view.
    """
    places, first = {}, 0
    for product in data.config.sources:
        places[product] = slice(first, first + data.features.nbands[product])
        first = places[product].stop
    places = {
        product: bands for product, bands in places.items() if product in sensors and product != data.config.clouds
    }
    means = _training_means(data) if places else None
    found: dict[str, Change] = {}
    for product, bands in places.items():
        if len(data.names["test"]) > 1:
            found[f"{product} of another view"] = partial(_of_next_view, data, bands)
        found[f"no {product}"] = partial(_replace, bands, means[bands])
    return found


def _of_next_view(data: ToyDataModule, bands: slice, number: int, source: Tensor) -> Tensor:
    following = (number + 1) % len(data.names["test"])
    return _replace(bands, data.series("test", following, ("source",))["source"][:, bands], number, source)


def _replace(bands: slice, values: Tensor, number: int, source: Tensor) -> Tensor:
    changed = source.clone()
    changed[:, bands] = values.to(source.device)
    return changed


def _training_means(data: ToyDataModule) -> Tensor:
    """Average each band of the source over all training views: `(C, 1, 1)`."""
    every = (data.series("train", number, ("source",))["source"] for number in range(len(data.names["train"])))
    means = [source.double().mean(dim=(0, 2, 3)) for source in every]
    return torch.stack(means).mean(dim=0).float().reshape(-1, 1, 1)


def score_changed(
    generated: Tensor, real: Tensor | None, classes: NDArray[np.integer], judge: FittedClassifier, *, njobs: int
) -> dict[str, float]:
    """Score what is made of a changed source `(T, C, H, W)`: RMSE of reflectance and Jaccard index, as in `scoring`.

    Without `real`, it is the source itself, for a judge that has learnt from such: there is no RMSE.
    """
    (predicted,) = classify(generated, classes, [judge], njobs=njobs)
    error = math.nan if real is None else ((generated - real) / 2).double().square().mean().sqrt().item()
    return {"rmse": error, "jaccard_generated": jaccard(predicted, classes, judge.nclasses)}
