"""Schedules and clipped gradients, against their formulas and PyTorch."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn

from src.rsgan.devices import HARMLESS
from src.rsgan.experiments.optimization import Adam, Schedule
from tests.rsgan.conftest import SEQUENCE
from tests.rsgan.experiments.test_series_experiments import series
from tests.rsgan.experiments.test_steps import Small, learner_of, run


def rates(schedule: Schedule, epochs: int, lr: float) -> list[float]:
    optimizer = Adam(lr=lr).build([nn.Parameter(torch.zeros(1))])
    return decay(optimizer, schedule.build(optimizer), epochs)


def decay(optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler, epochs: int) -> list[float]:
    """Learning rates of some epochs, and of the one after."""
    found = []
    for _ in range(epochs + 1):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@given(epochs=st.integers(1, 50), more=st.integers(0, 9), lr=st.floats(1e-6, 1))
def test_a_cosine_falls_to_a_hundredth_and_stays(epochs: int, more: int, lr: float) -> None:
    found = rates(Schedule(cosine=epochs), epochs + more, lr)
    assert found[0] == pytest.approx(lr)
    assert all(later < earlier for earlier, later in pairwise(found[: epochs + 1]))
    assert found[epochs:] == pytest.approx([lr / 100] * (more + 1))
    optimizer = Adam(lr=lr).build([nn.Parameter(torch.zeros(1))])
    annealing = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=lr / 100)
    assert found[: epochs + 1] == pytest.approx(decay(optimizer, annealing, epochs))


@given(gamma=st.floats(0.1, 1), lr=st.floats(1e-6, 1))
def test_a_rate_decays_by_its_factor(gamma: float, lr: float) -> None:
    assert rates(Schedule(gamma=gamma), 5, lr) == pytest.approx([lr * gamma**epoch for epoch in range(6)])


def test_a_schedule_is_of_one_kind() -> None:
    with pytest.raises(ValidationError, match="found gamma 0.5 beside cosine 9, expected one of them"):
        Schedule(gamma=0.5, cosine=9)


@pytest.mark.filterwarnings(*(f"ignore:{message}" for message in HARMLESS))
@pytest.mark.parametrize("norm", [1e-3, 1e3])
def test_long_gradients_are_shortened(norm: float, small: Small) -> None:
    """All parameters' together, as PyTorch does; short ones stay as they are."""

    def gradients(limit: float | None) -> list[Tensor]:
        learner = learner_of(small(SEQUENCE, optimizer__generator__clip_norm=limit))
        run(learner, [series()])
        return [parameter.grad for parameter in learner.experiment.parameters()]

    clipped, whole = gradients(norm), gradients(None)
    found = torch.nn.utils.get_total_norm(whole)
    parameters = [nn.Parameter(torch.empty_like(gradient)) for gradient in whole]
    for parameter, gradient in zip(parameters, whole, strict=True):
        parameter.grad = gradient
    torch.nn.utils.clip_grad_norm_(parameters, norm)
    assert (found > norm) == (norm < 1)
    for one, parameter in zip(clipped, parameters, strict=True):
        torch.testing.assert_close(one, parameter.grad)
