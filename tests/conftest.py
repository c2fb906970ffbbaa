"""Small configurations and products that tests share."""

import os

# Tests run side by side on all cores: libraries, here and in processes that tests start, keep to one core each. Where a
# test asks for more threads, those that wait sleep.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "passive"

import copy
import fcntl
import importlib.util
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, settings

from src.toygeneration.config_files import DerivationConfig, GenerationConfig
from src.toygeneration.export import export
from src.toygeneration.product import Product
from src.toygeneration.timeserie.dataset import TSDataset

# Tests send SIGINT, which a shell has its background jobs ignore, and these whatever they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data" / "ts"
GENERATION: dict[str, Any] = {
    "ts": {"path": "sktime:BasicMotions", "ndim": 3, "nclass": 2},
    "product": {
        "size": {"width": 48, "height": 32},
        "nbands": 3,
        "horizon": 4,
        "background_color": 0,
        "n_polygons": 6,
    },
    "random_sampler": {"name": "gaussian_process", "kernel": {"name": "rbf", "length_scale": 2.5}},
    "astype": "h5",
    "seed": 3,
}
DERIVATION: dict[str, Any] = {"target_size": {"width": 48, "height": 32}, "temporal_res": 1, "seed": 5}
CLOUDS: dict[str, Any] = {
    "name": "cloud_and_brightness",
    "sampling_scale": 16,
    "cloud_density": 1,
    "cloud_sparsity": 2,
    "cloud_probability": 1,
    "mul": {"min": 0.9, "max": 1.1},
    "add": {"min": -0.1, "max": 0.1},
}
MOVING_CLOUDS: dict[str, Any] = {
    "name": "moving_clouds",
    "persistence": 0.8,
    "wind": {"speed": 0.0625, "direction": 270, "variability": 0.01},
    "layers": {
        "haze": {"sampling_scale": 4, "exponent": -2, "density": 0.2, "sparsity": 1, "speed": 0.5, "brightness": 0.9},
        "cumulus": {"sampling_scale": 16, "density": 2, "sparsity": 4},
        "cirrus": {"sampling_scale": 8, "exponent": -2, "density": 0.4, "sparsity": 2, "speed": 2},
    },
    "shadow": {"azimuth": 150, "elevation": 40, "height": 0.06, "strength": 0.5},
    "mul": {"min": 0.9, "max": 1.1},
    "add": {"min": -0.1, "max": 0.1},
}
DISTORTION: dict[str, Any] = {
    "name": "tangential_scale_distortion",
    "mesh_columns_cells": 6,
    "mesh_rows_cells": 6,
    "axis": 1,
}

settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")


def change(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Copy a configuration and change keys, given as `section__key=value`."""
    changed = copy.deepcopy(config)
    for path, value in changes.items():
        *sections, key = path.split("__")
        place = changed
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    return changed


def generation(**changes: Any) -> GenerationConfig:
    return GenerationConfig.model_validate(change(GENERATION, **changes))


def derivation(**changes: Any) -> DerivationConfig:
    return DerivationConfig.model_validate(change(DERIVATION, **changes))


def make_dataset(*, horizon: int = 12, nbands: int = 3, nclass: int = 2, cases: int = 20, seed: int = 0) -> TSDataset:
    """A data set of smooth random series, without any file."""
    rng = np.random.default_rng(seed)
    series = tuple(rng.random((horizon, nbands)).astype(np.float32) for _ in range(cases))
    return TSDataset(series, (np.arange(cases) % nclass + 1).astype(np.int16), nclass)


def scene(seed: int = 3, dataset: TSDataset | None = None, **changes: Any) -> Product:
    """A latent product with made-up time series."""
    return Product(generation(**changes), dataset or make_dataset(), seed)


@pytest.fixture
def write_yaml(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a configuration file."""

    def write(content: Any, name: str = "config.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def product_folder(tmp_path: Path) -> Path:
    """A small latent product on disk."""
    folder = tmp_path / "latent"
    export({folder: scene()})
    return folder


def check_out(folder: Path) -> Path:
    """A copy of the repository's code and pipeline, in which commands may write; like an archive, it knows no git."""
    for name in ("src", "utils", "repro"):
        # what Python and numba have compiled is kept, apart from what they are just writing
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*", "*.tmp.*"))
    for file in (*ROOT.glob("*.py"), *(ROOT / name for name in ("dvc.yaml", ".dvcignore", "requirements.txt"))):
        shutil.copy(file, folder)
    shutil.copy(ROOT / "repro" / "profiles" / "demo.yaml", folder / "params.yaml")
    (folder / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc")
    return folder


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Inner loops of image scores, which numba takes long to compile: once for all that test side by side."""
    import torch

    from src.rsgan.evaluation.metrics.flicker import flicker
    from src.rsgan.evaluation.metrics.images import score_frames

    with (tmp_path_factory.getbasetemp().parent / "compiling").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        frames, places = torch.rand(2, 3, 3, 16, 16), torch.ones(3, 16, 16).long()
        for region in (None, places):
            score_frames(*frames, region)
        flicker(*frames, places[0].numpy())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return check_out(tmp_path / "checkout")


def load_script(path: str) -> ModuleType:
    """Import a script of the repository, also from a folder whose name is no identifier."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"script {path}"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A caller's environment that has nothing to do with the project, and must not matter to any script."""
    shadows = tmp_path_factory.mktemp("shadows")
    for name in ("src", "utils"):
        (shadows / name).mkdir()
        (shadows / name / "__init__.py").write_text("raise ImportError('not the project')\n")
    batch_job = {"JOB_ID": "1", "NTASKS": "1", "PROCID": "0", "LOCALID": "0", "NODEID": "0", "NODELIST": "none"}
    return {
        **os.environ,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "HOME": os.devnull,
        "PYTHONIOENCODING": "ascii",
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": str(shadows),
        **{f"SLURM_{name}": value for name, value in batch_job.items()},
    }


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by relative name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def python(*arguments: str) -> list[str]:
    """Command line that runs this interpreter."""
    return [sys.executable, *arguments]
