"""Nothing that a caller leaves open, sets or sends changes what a script does, but for what it asks for."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from utils import environment

SCRIPT = """
import os, sys, time
sys.path.insert(0, {root!r})
from utils.cli import Parser, run
def main(arguments):
    {body}
sys.exit(run(Parser(""), main, []))
"""


def command(body: str, *flags: str) -> list[str]:
    return [sys.executable, *flags, "-c", SCRIPT.format(root=str(ROOT), body=body)]


def shell(redirection: str, body: str, **variables: str) -> subprocess.CompletedProcess[str]:
    line = f'"$@" {redirection}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "bash", *command(body)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "redirection",
    ["2>&-", ">&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full", "2>&1 | head -c 1", "| true"],
)
def test_streams_that_take_nothing_do_not_matter(redirection: str, tmp_path: Path) -> None:
    """Nor does a file that is opened later get what was meant for a closed stream."""
    file = tmp_path / "file"
    body = (
        f"file = open({str(file)!r}, 'w'); print('x' * 100_000); print('y' * 100_000, file=sys.stderr, flush=True); "
        "file.write('done'); file.close()"
    )
    done = shell(redirection, body)
    assert done.returncode == 0
    assert "rror" not in done.stderr
    assert file.read_text() == "done"


def test_letters_that_a_stream_does_not_know_are_spelt_out() -> None:
    done = shell("", "print('3 × 4'); print('±', file=sys.stderr)", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 \\xd7 4\n", "\\xb1\n")


def test_a_notebooks_backend_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://nowhere")
    with environment.settled():
        assert os.environ["MPLBACKEND"] == "agg"


@pytest.mark.parametrize("ours", [False, True])
def test_a_batch_systems_variables_count_only_in_processes_that_we_start(
    ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"SLURM_PROCID": "3", "SLURM_NTASKS": "8", "LOCAL_RANK": "3", "WORLD_SIZE": "8", "MASTER_ADDR": "x"}
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv(environment.PARENT, str(os.getppid() if ours else 1))
    with environment.settled():
        assert {key: value for key, value in os.environ.items() if key in given} == (given if ours else {})
        assert os.environ[environment.PARENT] == str(os.getpid())


@pytest.mark.parametrize("writable", [True, False])
def test_what_is_compiled_is_kept_for_the_process_where_home_cannot_be_written_to(
    writable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_writable", lambda folder: writable)
    for variable in environment.CACHES:
        monkeypatch.delenv(variable, raising=False)
    with environment.settled():
        folders = [Path(os.environ[variable]) for variable in environment.CACHES if variable in os.environ]
        assert len(folders) == (0 if writable else 2)
        assert all(folder.parent.is_dir() for folder in folders)
    assert not any(folder.parent.exists() for folder in folders)


def test_a_folder_that_cannot_be_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert environment._writable(tmp_path / "deep" / "folder")
    assert not environment._writable(tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    ("sent", "times", "status", "words"),
    [
        (signal.SIGINT, 1, 130, "interrupted"),
        (signal.SIGTERM, 1, 143, "terminated"),
        (signal.SIGINT, 2, 130, "asked again"),
        (signal.SIGTERM, 2, 143, "asked again"),
    ],
)
def test_one_signal_is_a_line_and_a_second_ends_at_once(sent: int, times: int, status: int, words: str) -> None:
    """Even where a library lets no exception pass, and where cleaning up takes for ever."""
    body = f"""
    try:
        try:
            print("ready", flush=True)
            while True:  # a signal that comes just before a long sleep would be heard after it
                time.sleep(0.01)
        except Exception:
            pass
    finally:
        print("cleaning", flush=True)
        while {times == 2}:
            time.sleep(0.01)
    """
    with subprocess.Popen(command(body.strip()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(sent)
        assert process.stdout.readline() == "cleaning\n"
        for _ in range(times - 1):
            process.send_signal(sent)
        _, shown = process.communicate()
    assert process.returncode == status
    assert words in shown
    assert shown.count("\n") == 1


def test_an_ignored_signal_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with environment.settled():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
