"""A checkout with a pipeline that runs in seconds."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import python

Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of DVC: nothing outside of the test's folder, this interpreter as `python`."""
    own = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(tmp_path / "site"), "HOME": str(tmp_path / "home")}
    path = f"{Path(python()[0]).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | own | {"PATH": path}


@pytest.fixture
def run(checkout: Path, environment: dict[str, str]) -> Runner:
    """A function that runs a command in a checkout."""

    def call(*command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return call


@pytest.fixture
def dvc(run: Runner) -> Runner:
    """A function that runs DVC in a checkout that is prepared for it."""
    run(*python("repro/dvc.py"))
    return lambda *arguments, status=0: run(*python("-m", "dvc", *arguments), status=status)
