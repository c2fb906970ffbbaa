"""Preparing the pipeline."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import python
from tests.repro.conftest import Runner

PREPARE = python("repro/dvc.py")
NO_LOCKS = """
import errno, fcntl

def flock(file, operation):
    raise OSError(errno.ENOLCK, "No locks available")

fcntl.flock = flock
"""


def local(checkout: Path) -> str:
    """DVC's settings for this copy of the project alone."""
    file = checkout / ".dvc/config.local"
    return file.read_text() if file.exists() else ""


def test_preparing_twice_changes_nothing_more(run: Runner, checkout: Path) -> None:
    """With what the checkout has of DVC, with some of it and with nothing."""
    shipped = (checkout / ".dvc/config").read_text()
    assert run(*PREPARE).stderr == "ready: dvc repro\n"
    assert (checkout / ".dvc/config").read_text() == shipped
    before = local(checkout)
    run(*PREPARE)
    assert (checkout / ".dvc/config").read_text() == shipped
    assert local(checkout) == before
    (checkout / ".dvc/config").unlink()
    run(*PREPARE)
    assert (checkout / ".dvc/config").read_text() == shipped


def test_with_git_and_without(run: Runner, checkout: Path) -> None:
    run(*PREPARE)
    run(*python("-m", "dvc", "status", "report"))
    assert "no_scm = true" in local(checkout)
    run("git", "init", "--quiet")
    run(*PREPARE)
    assert "no_scm" not in local(checkout)
    run(*python("-m", "dvc", "status", "report"))


def test_a_file_system_without_locks(run: Runner, checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_LOCKS)
    (checkout / "dvc.yaml").write_text("stages: {one: {cmd: echo > out, outs: [out]}}")
    run(*PREPARE)
    environment["PYTHONPATH"] = str(tmp_path)
    assert "Unable to acquire lock" in run(*python("-m", "dvc", "repro"), status=255).stderr
    assert "locks no files" in run(*PREPARE).stderr
    run(*python("-m", "dvc", "repro"))
    del environment["PYTHONPATH"]
    assert run(*PREPARE).stderr == "ready: dvc repro\n"
    assert "hardlink_lock" not in local(checkout)


def test_profiles_are_switched_and_own_changes_not_lost(run: Runner, checkout: Path) -> None:
    params = checkout / "params.yaml"
    for name in ("paper", "rehearsal", "demo"):
        run(*PREPARE, f"--profile={name}")
        assert params.read_bytes() == (checkout / f"repro/profiles/{name}.yaml").read_bytes()
    params.write_text(params.read_text() + "mine: 1\n")
    assert "changes of your own" in run(*PREPARE, "--profile=paper", status=2).stderr
    assert "mine: 1" in params.read_text()
    run(*PREPARE, "--profile=paper", "--overwrite")
    assert "mine: 1" not in params.read_text()
    assert "choose from" in run(*PREPARE, "--profile=papers", status=2).stderr


@pytest.mark.parametrize("empty", [False, True])
def test_data_and_cache_elsewhere(run: Runner, checkout: Path, tmp_path: Path, *, empty: bool) -> None:
    if empty:
        (checkout / "data").mkdir()
    for _ in range(2):
        run(*PREPARE, f"--link={tmp_path / 'else where'}", f"--cache={tmp_path / 'ca che'}")
    assert (checkout / "data").resolve() == tmp_path / "else where"
    assert str(tmp_path / "ca che") in local(checkout)
    run(*PREPARE, f"--cache={checkout / '.dvc/cache'}")
    assert str(tmp_path / "ca che") not in local(checkout)


def test_data_is_never_hidden(run: Runner, checkout: Path, tmp_path: Path) -> None:
    (checkout / "data").mkdir()
    (checkout / "data/file").touch()
    assert "which a link would hide" in run(*PREPARE, f"--link={tmp_path / 'elsewhere'}", status=2).stderr
    shutil.rmtree(checkout / "data")
    run(*PREPARE, f"--link={tmp_path / 'elsewhere'}")
    assert "found a link to" in run(*PREPARE, f"--link={tmp_path / 'third'}", status=2).stderr
    run(*PREPARE, f"--link={checkout / 'data'}")
