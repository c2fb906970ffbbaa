"""Dask clusters as the README makes them: of separate processes that know nothing of the project."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Reschedule

from src.toygeneration.dataset import cluster
from src.toygeneration.dataset.recipe import Recipe
from src.toygeneration.dataset.views import build_views
from tests.conftest import ROOT, contents, python
from tests.toygeneration.dataset.conftest import alive, children, wait_until
from utils.errors import RunError

DEMO = ROOT / "src/toygeneration/config/demo.yaml"
HOST = "127.0.0.1"
Starter = Callable[..., subprocess.Popen[bytes]]


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Starter]:
    """A function that starts a part of a cluster, in a folder from which nothing of the project can be imported."""
    with ExitStack() as stack:

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            with (tmp_path / f"{arguments[0]}.log").open("ab") as log:
                process = subprocess.Popen(python("-P", "-m", "dask", *arguments), cwd=tmp_path, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process

        yield start


@pytest.fixture
def scheduler(dask: Starter) -> tuple[str, str]:
    """Addresses of a scheduler and of its dashboard."""
    port, dashboard = free_port(), free_port()
    dask("scheduler", f"--host={HOST}", f"--port={port}", f"--dashboard-address={HOST}:{dashboard}")
    wait_until(lambda: answers(port))
    return f"tcp://{HOST}:{port}", f"tcp://{HOST}:{dashboard}"


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


def test_the_same_bytes_although_a_worker_dies(
    scheduler: tuple[str, str], dask: Starter, recipe: Recipe, tmp_path: Path
) -> None:
    """Two Dask workers, one of two threads; the other is killed for good in the middle of a view."""
    build_views(recipe, tmp_path / "local", range(8), njobs=1)
    nannies = [dask("worker", scheduler[0], f"--nthreads={n}", f"--local-directory={tmp_path}") for n in (1, 2)]
    wait_until(lambda: (tmp_path / "worker.log").read_text().count("Registered to") == 2)
    killed: list[int] = []
    started: list[int] = []

    def kill() -> None:
        if not killed:
            started.extend(children(nannies[1].pid))
            killed.extend([nannies[0].pid, *children(nannies[0].pid)])
            for process in killed:
                os.kill(process, signal.SIGKILL)

    assert build_views(recipe, tmp_path / "set", range(8), njobs=1, scheduler=scheduler[0], on_view=kill) == {}
    wait_until(lambda: not list((tmp_path / "set").glob("*/.*")))  # the killed one's own process clears up after itself
    assert contents(tmp_path / "set") == contents(tmp_path / "local")
    assert len(started) == 4  # a tracker, the Dask worker and two processes that build views, one for each thread
    wait_until(lambda: sum(map(alive, started)) == 2)


def test_views_go_elsewhere_when_a_dask_worker_leaves() -> None:
    plugin = cluster.ViewWorkers((str(ROOT), str(ROOT), {}))
    plugin.setup(None)
    plugin.teardown(None)
    with pytest.raises(Reschedule):
        plugin.build(1)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("foo", "found no Dask scheduler there (missing port number in address 'foo'), expected tcp://HOST:PORT"),
        ("http://x", "found no Dask scheduler there (unknown address scheme 'http'"),
        ("tcp://", "found no Dask scheduler there (missing port"),
        ("tcp://127.0.0.1:1", "found no Dask scheduler there"),
    ],
)
def test_addresses_that_lead_nowhere(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(RunError, match=re.escape(f"--scheduler: {address}: {message}")):
        cluster.check(address)


def test_what_answers_but_is_of_no_use(
    scheduler: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, in time, and nothing of the library after it; nothing is begun."""
    script = python(ROOT / "repro/toy-data/build_dataset.py", "--task=cloud_removal", f"--cfg={DEMO}", "--seeds=1")
    command = [*script, f"--o={tmp_path / 'set'}", f"--scheduler={scheduler[0]}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f"build_dataset.py: error: --scheduler: {scheduler[0]}: its scheduler has no workers")
    assert not (tmp_path / "set").exists()
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with socket.create_server((HOST, 0)) as mute:
        for address in (f"tcp://{HOST}:{mute.getsockname()[1]}", scheduler[1]):
            with pytest.raises(RunError, match=f"{address}: found no Dask scheduler"):
                cluster.check(address)
