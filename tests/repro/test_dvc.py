"""Preparing the pipeline."""

from pathlib import Path

import pytest

from tests.conftest import python
from tests.repro.conftest import Runner

PREPARE = python("repro/dvc.py")


def test_preparing_twice_changes_nothing_more(run: Runner, checkout: Path) -> None:
    """The fixture has prepared it once."""
    before = (checkout / ".dvc/config").read_text()
    assert "analytics = false" in before
    assert "check_update = false" in before
    assert run(*PREPARE).stderr == "ready: dvc repro\n"
    assert (checkout / ".dvc/config").read_text() == before


def test_profiles_are_switched(run: Runner, checkout: Path) -> None:
    for name in ("paper", "rehearsal", "demo"):
        run(*PREPARE, f"--profile={name}")
        assert (checkout / "params.yaml").read_bytes() == (checkout / f"repro/profiles/{name}.yaml").read_bytes()


def test_own_changes_are_not_lost(run: Runner, checkout: Path) -> None:
    params = checkout / "params.yaml"
    params.write_text(params.read_text() + "mine: 1\n")
    done = run(*PREPARE, "--profile=paper", status=2)
    assert "changes of your own" in done.stderr
    assert "mine: 1" in params.read_text()
    run(*PREPARE, "--profile=paper", "--overwrite")
    assert "mine: 1" not in params.read_text()


def test_an_unknown_profile(run: Runner) -> None:
    assert "choose from" in run(*PREPARE, "--profile=papers", status=2).stderr


@pytest.mark.parametrize("empty", [False, True])
def test_data_and_cache_elsewhere(run: Runner, checkout: Path, tmp_path: Path, *, empty: bool) -> None:
    if empty:
        (checkout / "data").mkdir()
    for _ in range(2):
        run(*PREPARE, f"--link={tmp_path / 'elsewhere'}", f"--cache={tmp_path / 'cache'}")
    assert (checkout / "data").resolve() == tmp_path / "elsewhere"
    assert str(tmp_path / "cache") in (checkout / ".dvc/config.local").read_text()
    run(*PREPARE, f"--cache={checkout / '.dvc/cache'}")
    assert str(tmp_path / "cache") not in (checkout / ".dvc/config.local").read_text()


def test_data_is_never_hidden(run: Runner, checkout: Path, tmp_path: Path) -> None:
    (checkout / "data").mkdir()
    (checkout / "data/file").touch()
    assert "which a link would hide" in run(*PREPARE, f"--link={tmp_path / 'elsewhere'}", status=2).stderr
    (checkout / "data/file").unlink()
    run(*PREPARE, f"--link={tmp_path / 'elsewhere'}")
    assert "found a link to" in run(*PREPARE, f"--link={tmp_path / 'third'}", status=2).stderr
    run(*PREPARE, f"--link={checkout / 'data'}")
