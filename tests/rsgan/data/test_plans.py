"""Plans: every epoch's batches obey the same laws, whatever the numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan.data.plans import BatchIndex, plan_epoch, share

NUMBERS = {
    "views": st.integers(1, 12),
    "horizon": st.integers(1, 31),
    "size": st.integers(1, 17),
    "per_series": st.one_of(st.none(), st.integers(1, 40)),
    "seed": st.one_of(st.none(), st.integers(0, 2**32)),
}


def make_rng(seed: int | None) -> np.random.Generator | None:
    return None if seed is None else np.random.default_rng(seed)


def equally_spaced(steps: np.ndarray) -> bool:
    return len(set(np.diff(np.sort(steps)))) <= 1


@given(**NUMBERS)
def test_frames_on_their_own(views: int, horizon: int, size: int, per_series: int | None, seed: int | None) -> None:
    groups = plan_epoch(views, horizon, size, per_series=per_series, rng=make_rng(seed))
    plan = [batch for (batch,) in groups]
    frames = np.concatenate([batch.index for batch in plan])
    number = min(per_series or horizon, horizon)
    assert len(frames) == len(set(frames)) == views * number
    sizes = {len(batch.index) for batch in plan}
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
    for view in range(views):
        steps = frames[frames // horizon == view] % horizon
        assert len(steps) == number
        assert equally_spaced(steps)
    if seed is None:
        assert (np.diff(frames) > 0).all()


@given(**NUMBERS)
def test_series_in_time_order(views: int, horizon: int, size: int, per_series: int | None, seed: int | None) -> None:
    groups = plan_epoch(views, horizon, size, in_time_order=True, per_series=per_series, rng=make_rng(seed))
    number = min(per_series or horizon, horizon)
    seen = []
    for group in groups:
        assert [batch.first for batch in group] == [True] + [False] * (number - 1)
        series = group[0].index // horizon
        assert len(series) <= size
        steps = np.stack([batch.index - series * horizon for batch in group])  # (steps, series)
        assert ((steps >= 0) & (steps < horizon)).all()
        assert (np.diff(steps, axis=0) > 0).all()
        assert all(equally_spaced(column) for column in steps.T)
        seen += series.tolist()
    assert sorted(seen) == list(range(views))


def test_every_frame_has_its_turn_over_the_epochs() -> None:
    rng = np.random.default_rng(1)
    plans = [plan_epoch(3, 30, 8, per_series=5, rng=rng) for _ in range(60)]
    seen = [index for plan in plans for (batch,) in plan for index in batch.index]
    counts = np.bincount(seen, minlength=90)
    assert counts.min() > 0
    assert counts.sum() == 60 * 15


@given(world=st.integers(1, 4), in_order=st.booleans(), **NUMBERS)
def test_processes_share_whole_series(
    world: int,
    in_order: bool,
    views: int,
    horizon: int,
    size: int,
    per_series: int | None,
    seed: int | None,
) -> None:
    rng = make_rng(seed)
    groups = plan_epoch(views, horizon, size, in_time_order=in_order, per_series=per_series, rng=rng)
    plan = [batch for group in groups for batch in group]
    parts = [share(groups, rank, world, equal=False) for rank in range(world)]
    assert set(frames(*parts)) == set(frames(plan))
    if len(groups) >= world:
        assert sorted(frames(*parts)) == sorted(frames(plan))
    assert all(part[0].first for part in parts)
    equal = [share(groups, rank, world, equal=True) for rank in range(world)]
    assert len({len(part) for part in equal}) == 1
    assert set(frames(*equal)) <= set(frames(plan))
    assert world > 1 or len(equal[0]) == len(plan)


def frames(*plans: list[BatchIndex]) -> list[int]:
    return [int(index) for plan in plans for batch in plan for index in batch.index]
