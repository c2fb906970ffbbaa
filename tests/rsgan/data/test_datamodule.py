"""Batches: the same from disk and memory, with and without workers; the split belongs to the configuration."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src.rsgan.data import datamodule
from src.rsgan.data.datamodule import ToyDataModule
from src.rsgan.data.datasets import Dataloader
from src.rsgan.data.loader import BatchLoader
from src.rsgan.data.plans import Frames, plan_epoch
from src.rsgan.data.series import Series
from src.rsgan.data.split import SplitConfig
from src.rsgan.data.store import Batch, MemoryStore, Store, size_in_memory
from src.rsgan.data.views import open_views
from tests.rsgan.conftest import HORIZON, SIDE, VIEWS, same
from tests.rsgan.data.test_view_sets import cloud_removal
from utils.errors import ConfigError, DataError

KINDS = ("source", "target", "annotation", "cloud")
SERIES = Series(crop=SIDE // 2, per_series=3)
CPU = torch.device("cpu")


def make(roots: dict[str, Path], *, split_seed: int = 3, seed: int = 3, **more: Any) -> ToyDataModule:
    config = cloud_removal(roots["toy_cloud_removal"]).model_copy(update=more.pop("dataset", {}))
    return ToyDataModule(config, split_seed=split_seed, seed=seed, **more)


def batches(data: ToyDataModule, epoch: int = 0) -> list[Batch]:
    loader = data.loader("train")
    loader.sampler.set_epoch(epoch)
    return list(loader)


def test_all_stores_give_the_same(roots: dict[str, Path]) -> None:
    views = list(open_views(cloud_removal(roots["toy_cloud_removal"])).values())
    (batch,) = plan_epoch(VIEWS, HORIZON, 7, rng=np.random.default_rng(1))[1]
    disk, memory = Store(views, KINDS)[batch], MemoryStore(views, KINDS)[batch]
    assert same(disk, memory)
    half = MemoryStore(views, KINDS, half=True)[batch]
    for kind in ("source", "target", "cloud"):
        assert half[kind].dtype == torch.float32
        torch.testing.assert_close(half[kind], disk[kind], atol=1e-3, rtol=1e-3)
    assert torch.equal(half["annotation"], disk["annotation"])


def test_samples_hold_what_is_asked_for(roots: dict[str, Path]) -> None:
    views = list(open_views(cloud_removal(roots["toy_cloud_removal"])).values())
    (batch,) = plan_epoch(VIEWS, HORIZON, 7)[0]
    shapes = {"source": (7, 6, SIDE, SIDE), "target": (7, 3, SIDE, SIDE), "annotation": (7, 2, SIDE, SIDE)}
    for kind, shape in shapes.items():
        sample = Store(views, [kind])[batch]
        assert sample.keys() == {kind, "first"}
        assert sample[kind].shape == shape
        assert sample[kind].is_contiguous(memory_format=torch.channels_last)
    place = batch.index[5]
    expected = views[place // HORIZON].read(place % HORIZON, "target")
    np.testing.assert_array_equal(Store(views, ["target"])[batch]["target"][5].movedim(0, -1).numpy(), expected)


@pytest.mark.parametrize(("cache", "batching"), [("none", Frames()), ("ram", Frames()), ("none", SERIES)])
def test_workers_give_the_same(cache: str, batching: Frames | Series, roots: dict[str, Path]) -> None:
    found = []
    for workers in (0, 2):
        loading = cloud_removal(roots["toy_cloud_removal"]).dataloader.model_copy(update={"num_workers": workers})
        data = make(roots, dataset={"cache": cache, "dataloader": loading}, batching=batching)
        data.prepare(CPU)
        loader = data.loader("train")
        found.append([])
        for epoch in (0, 1):
            loader.set_epoch(epoch)
            found[-1].append(list(loader))
        data.close()
    assert same(*found)
    assert not same(found[0][0], found[0][1])


def test_the_split_belongs_to_the_configuration_the_order_to_the_run(roots: dict[str, Path]) -> None:
    one, other, moved = make(roots), make(roots, seed=4), make(roots, split_seed=4)
    assert one.names == other.names
    assert {name: len(views) for name, views in one.names.items()} == {"train": 6, "val": 1, "test": 1}
    assert one.names != moved.names
    for data in (one, other):
        data.prepare(CPU)
    assert same(batches(one), batches(one))
    assert not same(batches(one), batches(other))
    assert same(list(one.loader("val")), list(other.loader("val")))
    assert one.fingerprint == other.fingerprint != moved.fingerprint


def held_out(roots: dict[str, Path], folder: Path, *names: str) -> dict[str, Path]:
    """A copy of the small views; the records of some say that their series are held out."""
    root = Path(shutil.copytree(roots["toy_cloud_removal"], folder / "set"))
    for index in (root / name / "clean_optical/index.json" for name in names):
        content = json.loads(index.read_text())
        content["provenance"]["source"]["configuration"]["ts"]["held_out"] = {"views": ",".join(names), "share": 0.5}
        index.write_text(json.dumps(content))
    return {"toy_cloud_removal": root}


def split(train: str, test: str) -> dict[str, Any]:
    return {"split": SplitConfig(train=train, val="4", test=test)}


@pytest.mark.parametrize(
    ("train", "test", "expected"), [("1-3", "7-8", "unseen"), ("1-3", "6-7", "partly"), ("1-3", "5-6", "seen")]
)
def test_whether_test_series_were_seen(
    train: str, test: str, expected: str, roots: dict[str, Path], tmp_path: Path
) -> None:
    there = held_out(roots, tmp_path, "7", "8")
    assert make(there, dataset=split(train, test)).test_series == expected
    assert make(roots, dataset=split(train, test)).test_series == "seen"


def test_held_out_series_are_not_trained_on(roots: dict[str, Path], tmp_path: Path) -> None:
    there = held_out(roots, tmp_path, "7", "8")
    message = r"found views of held-out time series for training \(8\) and for testing \(7\).*split by numbers"
    with pytest.raises(ConfigError, match=message):
        make(there, dataset=split("1-3,8", "7"))
    assert make(there, dataset=split("1-3,7-8", "5")).test_series == "seen"


def test_views_that_the_split_leaves_out_do_not_matter(roots: dict[str, Path], tmp_path: Path) -> None:
    root = Path(shutil.copytree(roots["toy_cloud_removal"], tmp_path / "set"))
    before = make({"toy_cloud_removal": root}, dataset=split("1-3", "5")).fingerprint
    shutil.rmtree(root / "6")
    assert make({"toy_cloud_removal": root}, dataset=split("1-3", "5")).fingerprint == before
    assert make({"toy_cloud_removal": root}, dataset=split("1-3", "7")).fingerprint != before


def test_validation_sees_every_frame_in_order(roots: dict[str, Path]) -> None:
    data = make(roots, kinds=("target",), batching=Frames(per_series=2))
    data.prepare(CPU)
    seen = torch.cat([sample["target"] for sample in data.loader("val")])
    assert same(seen, data.series("val", 0, ("target",))["target"])
    assert sum(len(sample["target"]) for sample in data.loader("train")) == 6 * 2


@pytest.mark.parametrize("batching", [Frames(), SERIES])
def test_a_loader_goes_on_where_it_stopped(batching: Frames | Series, roots: dict[str, Path]) -> None:
    data = make(roots, batching=batching)
    data.prepare(CPU)
    whole = batches(data, epoch=5)
    loader = data.loader("train")
    loader.set_epoch(5)
    begun = iter(loader)
    first = [next(begun) for _ in range(3)]
    state = loader.state_dict()
    later: BatchLoader = data.loader("train")
    later.load_state_dict(state)
    later.set_epoch(5)
    assert same(whole, first + list(later))
    later.set_epoch(6)
    assert same(list(later), batches(data, epoch=6))
    assert later.state_dict() == {"done": 0}


@pytest.mark.parametrize(("free", "kind"), [(10**12, MemoryStore), (1000, Store), (None, Store)])
def test_the_cache_that_fits(
    free: int | None,
    kind: type,
    roots: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(datamodule, "available", lambda: free)
    data = make(roots)
    with caplog.at_level("INFO"):
        data.prepare(CPU)
    assert type(data.loader("train")._loader.dataset.store) is kind
    assert "views: 6 train, 1 val, 1 test" in caplog.text


def test_memory_is_estimated(roots: dict[str, Path]) -> None:
    views = list(open_views(cloud_removal(roots["toy_cloud_removal"])).values())
    assert size_in_memory(views, ("source", "target")) == VIEWS * HORIZON * SIDE * SIDE * 9 * 4


@pytest.mark.parametrize("batching", [Frames(), SERIES])
def test_the_device_cache_is_of_half_precision(batching: Frames | Series, roots: dict[str, Path]) -> None:
    exact, rounded = (make(roots, dataset={"cache": cache}, batching=batching) for cache in ("ram", "device"))
    for data in (exact, rounded):
        data.prepare(CPU)
    for one, other in zip(batches(exact), batches(rounded), strict=True):
        assert other["source"].dtype == torch.float32
        assert torch.equal(one["source"].half().float(), other["source"])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_frame_that_cannot_be_read_is_one_line_that_names_view_and_step(
    workers: int, roots: dict[str, Path], tmp_path: Path
) -> None:
    root = Path(shutil.copytree(roots["toy_cloud_removal"], tmp_path / "set"))
    loading = {"batch_size": 4, "num_workers": workers}
    data = make({"toy_cloud_removal": root}, dataset={"cache": "none", "dataloader": Dataloader(**loading)})
    data.prepare(CPU)
    for name in data.names["train"]:
        (root / name / "sar/frames/frame_2.h5").write_bytes(b"x")
    with pytest.raises(DataError, match=r"^view \d, step 2: .*frame_2.h5: .*$"):
        batches(data)
    data.close()
