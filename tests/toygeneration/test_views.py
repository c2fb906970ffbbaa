"""Whole data sets: the same bytes however they are made, resumable, and no view lost with a worker."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from src.toygeneration import views
from src.toygeneration.cluster import connect
from src.toygeneration.task import Task
from src.toygeneration.timeserie.source import resolve
from src.toygeneration.views import build_views
from tests.conftest import GENERATION, change, contents
from tests.toygeneration.test_task import write_task
from utils.errors import RunError


@pytest.fixture
def task(write_yaml: Callable[..., Path]) -> Task:
    return Task.load(write_task(write_yaml, clean="latent", clouded="clean"))


def test_views_hold_derived_products_only(task: Task, tmp_path: Path) -> None:
    assert build_views(task, tmp_path / "set", [0, 3], njobs=1) == {}
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["0", "3"]
    for seed in ("0", "3"):
        assert sorted(path.name for path in (tmp_path / "set" / seed).iterdir()) == ["clean", "clouded"]


def test_bytes_do_not_depend_on_workers_or_order(task: Task, tmp_path: Path) -> None:
    build_views(task, tmp_path / "one", range(4), njobs=1)
    build_views(task, tmp_path / "two", reversed(range(4)), njobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_second_run_makes_only_what_is_missing(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    build_views(task, folder, range(3), njobs=1)
    before = contents(folder)
    shutil.rmtree(folder / "1" / "clouded")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.h5")}
    build_views(task, folder, range(3), njobs=1)
    assert contents(folder) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_the_same_time_series_elsewhere_are_the_same(
    write_yaml: Callable[..., Path], tmp_path: Path, task: Task
) -> None:
    build_views(task, tmp_path / "set", [1], njobs=1)
    for file in resolve("sktime:BasicMotions"):
        shutil.copy(file, tmp_path)
    paths = [str(tmp_path / file.name) for file in resolve("sktime:BasicMotions")]
    write_yaml(change(GENERATION, ts__path=paths), "task/generation_latent.yaml")
    assert build_views(Task.load(tmp_path / "task"), tmp_path / "set", [1], njobs=1) == {}


def test_views_of_another_configuration_are_not_mixed(
    task: Task, write_yaml: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    build_views(task, folder, [1], njobs=1)
    write_yaml(change(GENERATION, product__border_width=2), "task/generation_latent.yaml")
    other = Task.load(tmp_path / "task")
    failures = build_views(other, folder, [1, 2], njobs=1)
    assert list(failures) == [1]
    assert "made with another configuration; pass --overwrite" in failures[1]
    assert build_views(other, folder, [1, 2], njobs=1, overwrite=True) == {}
    assert build_views(other, folder, [1, 2], njobs=1) == {}


def test_a_failing_view_is_reported_and_does_not_stop_the_others(
    task: Task, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "set"
    (folder / "2").mkdir(parents=True)
    (folder / "2" / "clean").write_text("in the way")
    seen: list[int] = []
    failures = build_views(task, folder, range(4), njobs=2, on_view=lambda: seen.append(1))
    assert list(failures) == [2]
    assert "found a file or link" in failures[2]
    assert "view 2: " in caplog.text
    assert len(seen) == 4
    (folder / "2" / "clean").unlink()
    assert build_views(task, folder, range(4), njobs=2) == {}


def test_a_killed_local_worker_costs_no_view(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker to meet the mark removes it and dies; the views that it held are built by another."""
    mark = tmp_path / "mark"
    mark.touch()
    build = views.build_view

    def build_or_die(plain: str, folder: str, seed: int, *, overwrite: bool) -> tuple[int, str | None]:
        if seed == 2 and mark.exists():
            mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return build(plain, folder, seed, overwrite=overwrite)

    monkeypatch.setattr(views, "build_view", build_or_die)
    assert build_views(task, tmp_path / "set", range(5), njobs=2) == {}
    assert not mark.exists()
    build_views(task, tmp_path / "whole", range(5), njobs=1)
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


def test_a_view_that_kills_every_worker_is_reported(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(plain: str, folder: str, seed: int, *, overwrite: bool) -> tuple[int, str | None]:
        os.kill(os.getpid(), signal.SIGKILL)
        return seed, None

    monkeypatch.setattr(views, "build_view", die)
    failures = build_views(task, tmp_path / "set", [1], njobs=2)
    assert "its worker died" in failures[1]


def test_a_cluster_makes_the_same_bytes_and_a_killed_worker_costs_no_view(task: Task, tmp_path: Path) -> None:
    """Two Dask workers; one is killed for good when the first view is done."""
    build_views(task, tmp_path / "local", range(12), njobs=1)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        with Client(cluster) as client:
            processes = list(client.run(os.getpid).values())
        killed: list[int] = []

        def kill_one() -> None:
            if not killed:
                killed.append(processes[0])
                os.kill(processes[0], signal.SIGKILL)

        failures = build_views(
            task, tmp_path / "cluster", range(12), scheduler=cluster.scheduler_address, on_view=kill_one
        )
    assert failures == {}
    assert killed
    assert contents(tmp_path / "cluster") == contents(tmp_path / "local")


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.toygeneration.cluster.PATIENCE", "1s")
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(RunError, match="no Dask scheduler answers at"), connect(address):
            pass
