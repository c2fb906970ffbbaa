"""Whole data sets: the same bytes however they are made, resumable, and no view lost with a worker."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from src.toygeneration.dataset import worker, workers
from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.views import build_views
from tests.conftest import ROOT, contents, python
from tests.toygeneration.dataset.conftest import alive, children, wait_until

DEADLY = """
import json, os, sys
sys.stdin.readline()
for line in sys.stdin:
    print("null", flush=True) if int(line) != 2 else os._exit(9)
"""


def test_views_hold_derived_products_only(recipe: Recipe, tmp_path: Path) -> None:
    assert build_views(recipe, tmp_path / "set", [0, 3], njobs=1) == {}
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
        *("0", "3", "README.md", "croissant.json", "identity.json")
    ]
    for seed in ("0", "3"):
        assert sorted(path.name for path in (tmp_path / "set" / seed).iterdir()) == ["clean", "clouded"]


def test_bytes_depend_neither_on_workers_nor_on_order_nor_on_one_that_dies(recipe: Recipe, tmp_path: Path) -> None:
    build_views(recipe, tmp_path / "one", range(6), njobs=1)
    killed = []

    def kill() -> None:
        if not killed:
            killed.extend(children(os.getpid()))
            os.kill(killed[0], signal.SIGKILL)

    assert build_views(recipe, tmp_path / "two", reversed(range(6)), njobs=2, on_view=kill) == {}
    assert killed
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_second_run_makes_only_what_is_missing(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    build_views(recipe, folder, range(3), njobs=1)
    before = contents(folder)
    shutil.rmtree(folder / "1" / "clouded")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.h5")}
    build_views(recipe, folder, range(3), njobs=1, overwrite=True)
    assert contents(folder) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_a_failing_view_is_reported_and_does_not_stop_the_others(
    recipe: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "set"
    (folder / "2").mkdir(parents=True)
    (folder / "2" / "clean").write_text("in the way")
    seen: list[int] = []
    failures = build_views(recipe, folder, range(4), njobs=2, on_view=lambda: seen.append(1))
    assert list(failures) == [2]
    assert "found a file or link" in failures[2]
    assert "view 2: " in caplog.text
    assert len(seen) == 4
    (folder / "2" / "clean").unlink()
    assert build_views(recipe, folder, range(4), njobs=1) == {}


def test_a_view_that_kills_every_worker_is_reported_and_does_not_stop_the_others(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PROGRAM", DEADLY)
    assert build_views(recipe, tmp_path / "set", range(5), njobs=2) == {2: workers.DIED}


def test_running_out_of_memory_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, recipe: Recipe) -> None:
    def build(*_: object) -> None:
        raise MemoryError("Unable to allocate 9 EiB")

    monkeypatch.setattr(Recipe, "build", build)
    problem = worker.attempt(recipe.model_dump_json(), "", 1)
    assert problem == "out of memory (Unable to allocate 9 EiB); use smaller frames, smaller batches or fewer jobs"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_nothing_is_left_of_a_killed_run(number: signal.Signals, status: int, tmp_path: Path) -> None:
    """Its workers end in the middle of their views, and take what isn't whole with them."""
    demo = ROOT / "src/toygeneration/config/demo.yaml"
    command = python("repro/toy-data/build_dataset.py", "--task=sar_to_optical", f"--cfg={demo}", "--seeds=1-1000")
    process = subprocess.Popen([*command, f"--o={tmp_path / 'set'}", "--njobs=2"], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list((tmp_path / "set").glob("*/*/index.json"))) > 0)
    started = children(process.pid)
    assert len(started) == 2
    process.send_signal(number)
    assert process.wait() == status
    wait_until(lambda: not any(map(alive, started)))
    assert list(tmp_path.rglob(".*")) == []
