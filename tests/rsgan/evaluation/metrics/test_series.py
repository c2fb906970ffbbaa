"""What scores of series have in common."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from src.rsgan.evaluation.metrics.flicker import flicker
from src.rsgan.evaluation.metrics.series import check_series, on_all_cores
from src.rsgan.evaluation.metrics.temporal import nnse
from src.rsgan.evaluation.metrics.texture import texture_scores


def on(ncores: int, function: Callable[[], Any]) -> Any:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(ncores)
        found = function()
        assert torch.get_num_threads() == ncores
    finally:
        torch.set_num_threads(before)
    return found


def test_results_come_in_the_order_of_parts() -> None:
    assert on(3, lambda: on_all_cores(lambda number: number**2, range(20))) == [number**2 for number in range(20)]


def test_each_part_has_one_core() -> None:
    assert set(on(3, lambda: on_all_cores(lambda _: torch.get_num_threads(), range(9)))) == {1}


def test_errors_are_raised_and_all_cores_left() -> None:
    with pytest.raises(ZeroDivisionError):
        on(3, lambda: on_all_cores(lambda number: 1 / number, range(3)))


def test_any_number_of_cores_gives_the_same_scores() -> None:
    one, other = (torch.rand((9, 6, 40, 30), generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    parcels = torch.arange(30).expand(40, 30).div(8, rounding_mode="floor").numpy()
    found = [
        on(n, lambda: (texture_scores(one, other), nnse(one, other), flicker(one, other, parcels))) for n in (1, 3)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(("one", "other"), [((2, 3, 4, 5), (2, 3, 4, 6)), ((3, 4, 5), (3, 4, 5))])
def test_shapes_that_do_not_fit_are_errors(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=rf"found things of shapes \({one[0]}, .* expected two equal shapes \(T, C, H, W"
    ):
        check_series(torch.zeros(one), torch.zeros(other), "things")
    check_series(torch.zeros(2, 3, 4, 5), torch.ones(2, 3, 4, 5))
