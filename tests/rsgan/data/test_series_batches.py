"""Batches of series: what their windows show, what is done to all of a series alike, what is added to shorter ones."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src.rsgan.configuration import ExperimentConfig
from src.rsgan.data.plans import Frames, share
from src.rsgan.data.series import Series, SeriesIndex, plan_series
from src.rsgan.data.store import Batch, MemoryStore, Store
from src.rsgan.data.views import ViewShape
from src.rsgan.training import open_data
from tests.rsgan.conftest import CGAN, HORIZON, SEQUENCE, SIDE, Shrunk, same
from tests.rsgan.data.test_datamodule import CPU, make, split
from utils.config import read
from utils.errors import ConfigError, DataError

KINDS = ("source", "target", "annotation", "cloud")


@dataclass(frozen=True)
class Coded:
    """A view each of whose values says what it is: source bands hold view, step, row and column."""

    number: int
    height: int
    width: int
    steps: tuple[int, ...]

    @property
    def features(self) -> ViewShape:
        return ViewShape(self.height, self.width, self.steps, {})

    def read(self, number: int, kind: str) -> np.ndarray:
        rows, columns = np.indices((self.height, self.width))
        step = np.full_like(rows, self.steps[number])
        code = np.stack([np.full_like(rows, self.number), step, rows, columns], axis=-1)
        made = {"source": code, "target": -code[..., 1:], "annotation": code[..., 2:], "cloud": code[..., 1:2]}[kind]
        return made.astype(np.int16 if kind == "annotation" else np.float32)


def rng_of(seed: int | None) -> np.random.Generator | None:
    return None if seed is None else np.random.default_rng(seed)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Coded], list[SeriesIndex], dict[str, Any]]:
    """Views of one size, with horizons of their own, and the plan of an epoch."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    steps = st.sets(st.integers(0, 12), min_size=1, max_size=5).map(sorted).map(tuple)
    views = [Coded(number, height, width, draw(steps)) for number in range(draw(st.integers(1, 5)))]
    settings = {
        "crop": draw(st.none() | st.integers(1, min(height, width))),
        "per_series": draw(st.integers(1, 3)),
        "reversals": draw(st.booleans()),
        "batch_size": draw(st.integers(1, 5)),
        "seed": draw(st.none() | st.integers(0, 2**32)),
    }
    batching, rng = Series(settings["crop"], settings["per_series"], settings["reversals"]), rng_of(settings["seed"])
    groups = batching.plan(len(views), views[0].features, settings["batch_size"], rng)
    assert all(len(group) == 1 for group in groups)
    return views, share(groups, 0, 1, equal=True), settings


@given(plans())
def test_every_series_has_its_turns(made: tuple[list[Coded], list[SeriesIndex], dict[str, Any]]) -> None:
    views, plan, settings = made
    training = settings["seed"] is not None
    shown = np.concatenate([batch.views for batch in plan])
    turns = settings["per_series"] if training else 1
    assert sorted(shown) == sorted([*range(len(views))] * turns)
    sizes = [batch.samples for batch in plan]
    assert max(sizes) <= (settings["batch_size"] if training else 1)
    assert max(sizes) - min(sizes) <= 1
    whole = views[0].height, views[0].width
    for batch in plan:
        if not training:
            assert batch.size == whole
            assert not any(np.any(part) for part in (batch.corners, batch.turns, batch.mirrored, batch.reversed))
        elif settings["crop"] is not None:
            assert batch.size == (settings["crop"], settings["crop"])
        assert settings["reversals"] or not batch.reversed.any()
        assert (batch.corners >= 0).all()
        assert (batch.corners + batch.size <= whole).all()
    assert training or (np.diff(shown) > 0).all()


@given(plans())
def test_what_a_batch_holds(made: tuple[list[Coded], list[SeriesIndex], dict[str, Any]]) -> None:
    """The window of the view, all kinds of it turned, mirrored and reversed in the same way; zeros behind."""
    views, plan, _ = made
    horizon = max(len(view.steps) for view in views)
    store = Store(views, KINDS)
    for batch in plan:
        sample = store[batch]
        for number, view in enumerate(views[chosen] for chosen in batch.views):
            (top, left), (height, width) = batch.corners[number], batch.size
            frames = np.stack([view.read(step, "source") for step in range(len(view.steps))])
            frames = frames[:, top : top + height, left : left + width]
            frames = np.rot90(frames, batch.turns[number], axes=(1, 2))
            frames = frames[:, :, ::-1] if batch.mirrored[number] else frames
            times = np.array(view.steps)
            if batch.reversed[number]:
                frames, times = frames[::-1], (times[0] + times[-1] - times)[::-1]
            there = np.arange(horizon) < len(view.steps)
            found = {name: sample[name][number].numpy() for name in (*KINDS, "times", "exists")}
            assert (found["exists"] == there).all()
            assert (found["source"][there] == frames.transpose(0, 3, 1, 2)).all()
            assert (found["times"][there] == times).all()
            assert (np.diff(times) > 0).all()
            assert (found["target"] == -found["source"][:, 1:]).all()
            assert (found["annotation"] == found["source"][:, 2:]).all()
            assert (found["cloud"] == found["source"][:, 1:2]).all()
            assert not any(found[name][~there].any() for name in (*KINDS, "times"))


@given(plans())
def test_all_stores_give_the_same_series(made: tuple[list[Coded], list[SeriesIndex], dict[str, Any]]) -> None:
    """Codes are whole numbers, which half precision holds."""
    views, plan, _ = made
    stores = [Store(views, KINDS), MemoryStore(views, KINDS), MemoryStore(views, KINDS, half=True)]
    for batch in plan:
        first, *others = (store[batch] for store in stores)
        assert all(same(first, other) for other in others)
        assert first["source"].dtype == first["target"].dtype == first["cloud"].dtype == torch.float32


def test_all_windows_and_all_their_transformations_are_drawn() -> None:
    for size, crop, kinds in (((5, 5), 4, 16), ((4, 6), None, 8)):
        plan = plan_series(1, size, 7, crop=crop, per_series=2000, rng=np.random.default_rng(1))
        batches = [batch for (batch,) in plan]
        drawn = np.stack(
            [np.concatenate([getattr(batch, name) for batch in batches]) for name in ("turns", "mirrored", "reversed")]
        )
        _, counts = np.unique(drawn, axis=1, return_counts=True)
        assert len(counts) == kinds
        assert counts.min() > 2000 / kinds / 2
        corners = np.concatenate([batch.corners for batch in batches])
        assert len(np.unique(corners, axis=0)) == (4 if crop else 1)


def test_an_epochs_stream_draws_its_plan() -> None:
    def drawn(seed: int) -> str:
        return str(plan_series(4, (9, 9), 2, crop=3, per_series=2, rng=np.random.default_rng(seed)))

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_window_larger_than_frames(cfg: Shrunk) -> None:
    config = read(ExperimentConfig, cfg(SEQUENCE, dataset__crop=SIDE + 1))
    data = open_data(config, 0)
    with pytest.raises(
        ConfigError, match=r"^dataset\.crop: found 17, expected at most 16, the smaller side of frames$"
    ):
        data.smallest_batch()


def test_experiments_on_frames_take_no_windows(cfg: Shrunk) -> None:
    config = read(ExperimentConfig, cfg(CGAN, dataset__crop=8))
    expected = r"^dataset\.crop: found 8, but cgan_toy_cloud_removal learns from whole frames; leave it out$"
    with pytest.raises(ConfigError, match=expected):
        open_data(config, 0)


def test_views_of_unequal_horizons_are_padded(roots: dict[str, Path], tmp_path: Path) -> None:
    root = Path(shutil.copytree(roots["toy_cloud_removal"], tmp_path / "set"))
    index = root / "3/clean_optical/index.json"
    content = json.loads(index.read_text())
    content["files"] |= {"1": None, "4": None}
    index.write_text(json.dumps(content))
    there = {"toy_cloud_removal": root}
    with pytest.raises(DataError, match=r"view 3: found .* 4 time steps.*expected .* 6 time steps"):
        make(there, batching=Frames())
    data = make(there, batching=Series(crop=SIDE // 2, per_series=2), dataset=split("1-3", "5"))
    data.prepare(CPU)
    batches: list[Batch] = [*data.loader("train"), *data.loader("val")]
    counts = sorted(steps for sample in batches for steps in sample["exists"].sum(dim=1).tolist())
    assert counts == [4] * 2 + [HORIZON] * 5
    for sample in batches:
        assert sample["source"].shape[1] == sample["times"].shape[1] == HORIZON
        assert not sample["source"][~sample["exists"]].any()
