"""One line and the right exit status for everything that goes wrong."""

import argparse
import contextlib
import errno
import os
import signal
from collections.abc import Iterator

import pytest

from utils import cli
from utils.cli import Parser, run, seed_argument
from utils.environment import Stopped
from utils.errors import ConfigError, DataError, RunError, UsageError


def parser() -> Parser:
    made = Parser("Do something.")
    made.prog = "script.py"
    made.add_argument("--seed", type=seed_argument)
    return made


def outcome(error: BaseException | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def main(arguments: argparse.Namespace) -> None:
        if error:
            raise error

    status = run(parser(), main, [])
    shown = capsys.readouterr()
    assert shown.out == ""
    return status, shown.err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (None, 0, ""),
        (UsageError("a"), 2, "script.py: error: a\n"),
        (ConfigError("a\nb"), 2, "script.py: error: a b\n"),
        (DataError("a"), 2, "script.py: error: a\n"),
        (RunError("a"), 1, "script.py: error: a\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, "script.py: error: No space left on device (/x);"),
        (MemoryError(), 1, "script.py: error: out of memory; use"),
        (MemoryError("8 GiB"), 1, "script.py: error: out of memory (8 GiB)"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 1, "script.py: error: out of memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "script.py: error: out of memory"),
        (RuntimeError("can't start new thread"), 1, "script.py: error: out of memory"),
        (ImportError("x.so: failed to map segment from shared object"), 1, "script.py: error: out of memory"),
        (KeyboardInterrupt(), 130, "script.py: error: interrupted"),
        (Stopped(signal.SIGTERM), 143, "script.py: error: terminated"),
        (ZeroDivisionError("x"), 1, "script.py: error: unexpected ZeroDivisionError: x; --debug shows where"),
        (OSError("no number"), 1, "script.py: error: unexpected OSError: no number"),
    ],
)
def test_errors(error: BaseException | None, status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, shown = outcome(error, capsys)
    assert found == status
    assert shown.startswith(message)
    assert shown.count("\n") == (1 if error else 0)


@pytest.mark.parametrize("early", [True, False])
def test_a_signal_before_or_after_the_work_is_one_line_too(
    early: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def interrupted() -> Iterator[None]:
        if not early:
            yield
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr(cli, "settled", interrupted)
    assert outcome(None, capsys) == (143, "script.py: error: terminated; run the same command again\n")


def test_debug_shows_the_traceback_before_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    def main(arguments: argparse.Namespace) -> None:
        raise UsageError("a")

    assert run(parser(), main, ["--debug"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("script.py: error: a\n")


@pytest.mark.parametrize("arguments", [["--sed=3"], ["--seed=-1"], ["--seed=1.5"], ["--seed=²"], ["--seed="], ["x"]])
def test_a_bad_command_line_is_one_line_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        run(parser(), lambda _: None, arguments)
    assert leaving.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("script.py: error: ")
    assert shown.count("\n") == 1


def test_seed_0_is_a_seed() -> None:
    seen = []
    run(parser(), lambda arguments: seen.append(arguments.seed), ["--seed=0"])
    assert seen == [0]


@pytest.mark.parametrize("chosen", [None, "active"])
def test_waiting_threads_sleep_unless_the_user_wants_otherwise(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In time for libraries that `main` imports."""
    monkeypatch.setenv("OMP_WAIT_POLICY", chosen or "")
    if chosen is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    seen = []
    assert run(parser(), lambda _: seen.append(os.environ["OMP_WAIT_POLICY"]), []) == 0
    assert seen == [chosen or "passive"]
