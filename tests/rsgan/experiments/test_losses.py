"""Losses and figures against their formulas."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score
from torch import nn

from src.rsgan.experiments.utils.losses import (
    discriminator_loss,
    fake_loss,
    frozen,
    judgement,
    precision,
    real_loss,
    smooth_l1,
)
from src.rsgan.learner import Means

LOGITS = st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=20)


@given(LOGITS)
def test_cross_entropies(values: list[float]) -> None:
    logits = torch.tensor(values)
    real = np.mean([math.log1p(math.exp(-value)) for value in values])
    fake = np.mean([math.log1p(math.exp(value)) for value in values])
    assert real_loss(logits).item() == pytest.approx(real, rel=1e-4, abs=1e-6)
    assert fake_loss(logits).item() == pytest.approx(fake, rel=1e-4, abs=1e-6)
    assert discriminator_loss(logits, logits).item() == pytest.approx(real + fake, rel=1e-4)


def test_an_undecided_discriminator_loses_two_bits() -> None:
    zero = torch.zeros(3, 1, 4, 4)
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))


def test_smooth_l1_is_square_below_one_and_linear_above() -> None:
    zero = torch.zeros(1)
    assert smooth_l1(torch.tensor([0.5]), zero).item() == pytest.approx(0.125)
    assert smooth_l1(torch.tensor([3.0]), zero).item() == pytest.approx(2.5)
    assert smooth_l1(torch.tensor([3.0], dtype=torch.bfloat16), zero).dtype == torch.float32


@given(LOGITS, st.data())
def test_figures_agree_with_scikit_learn(values: list[float], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.floats(-8, 8, width=32), min_size=len(values), max_size=len(values)))
    found = judgement(torch.tensor(values), torch.tensor(others), "_A")
    truth = [1] * len(values) + [0] * len(others)
    said = [int(value > 0) for value in values + others]
    assert found["recall_A"].item() == pytest.approx(recall_score(truth, said, zero_division=0))
    assert found["fooling_rate_A"].item() == pytest.approx(np.mean([value > 0 for value in others]))
    measured = precision(found["recall_A"], found["fooling_rate_A"]).item()
    assert measured == pytest.approx(precision_score(truth, said, zero_division=0), abs=1e-6)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.integers(1, 9)), min_size=1, max_size=6))
def test_means_are_weighted_by_frames(batches: list[tuple[float, float, int]]) -> None:
    means = Means("a", "b")
    for a, b, weight in batches:
        means.update({"b": torch.tensor(b), "a": torch.tensor(a), "unused": torch.tensor(0.0)}, weight)
    weights = [weight for *_, weight in batches]
    found = means.compute()
    assert found["a"].item() == pytest.approx(np.average([a for a, *_ in batches], weights=weights), abs=1e-5)
    assert found["b"].item() == pytest.approx(np.average([b for _, b, _ in batches], weights=weights), abs=1e-5)


def test_frozen_networks_pass_gradients_and_keep_none() -> None:
    network, images = nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2, requires_grad=True)
    with frozen(network):
        loss = network(images).sum()
        loss.backward()
    assert images.grad.abs().sum() > 0
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    with pytest.raises(ValueError, match="x"), frozen(network):
        raise ValueError("x")
    assert all(parameter.requires_grad for parameter in network.parameters())
