"""The root scripts as users run them: every option, every mistake, every way of being interrupted."""

import copy
import functools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import run_toy_derivation
import run_toy_generation
from src.toygeneration.export import ProductDataset, is_product
from tests.conftest import CLOUDS, DERIVATION, DISTORTION, GENERATION, ROOT, change, contents, python
from utils.cli import run

SCRIPTS = [
    "run_toy_generation.py",
    "run_toy_derivation.py",
    "run_training.py",
    "make_reference_classifier.py",
    "run_testing.py",
    "repro/toy-data/build_dataset.py",
    "repro/downloads/time_series/download_time_series_dataset.py",
    "repro/dvc.py",
    "repro/make_report.py",
    "repro/identify.py",
    "utils/preview.py",
    "utils/export_product.py",
    "utils/import_product.py",
    "utils/score_table.py",
    "utils/fill_tables.py",
    "utils/benchmarks/toygeneration.py",
    "utils/benchmarks/import_product.py",
    "utils/benchmarks/training.py",
    "utils/benchmarks/evaluation.py",
    "utils/benchmarks/reference_classifier.py",
    "utils/predict.py",
]


def call(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(python(*arguments), cwd=ROOT, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def call_anywhere(hostile: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script as somebody would whose shell is set up for other things."""
    return functools.partial(call, env=hostile)


def generate(cfg: Path, out: Path, *more: str) -> int:
    script = run_toy_generation
    return run(script.build_parser(), script.main, [f"--cfg={cfg}", f"--o={out}", *more])


def derive(cfg: Path, out: Path, *more: str) -> int:
    script = run_toy_derivation
    return run(script.build_parser(), script.main, [f"--cfg={cfg}", f"--o={out}", *more])


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_answers_without_heavy_imports(
    script: str, call_anywhere: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = call_anywhere("-X", "importtime", script, "--help")
    assert done.returncode == 0
    assert "usage:" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"numpy", "scipy", "h5py", "pydantic", "sktime", "matplotlib", "joblib", "yaml", "torch"}


def test_generation_imports_neither_torch_nor_lightning(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = sys.argv[1:]; import runpy\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as leaving: assert not leaving.code\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'lightning', 'pytorch_lightning')))"
    )
    done = call("-c", code, "run_toy_generation.py", f"--cfg={write_yaml(GENERATION)}", f"--o={tmp_path / 'made'}")
    assert done.stdout == "[]\n", done.stderr


def test_generation_and_derivation_end_to_end(
    call_anywhere: Callable[..., subprocess.CompletedProcess[str]], write_yaml: Callable[..., Path], tmp_path: Path
) -> None:
    latent, clouded = tmp_path / "latent", tmp_path / "deep" / "clouded"
    done = call_anywhere("run_toy_generation.py", f"--cfg={write_yaml(GENERATION)}", f"--o={latent}", "--seed=0")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{latent}: 4 frames of 48x32x3 (width x height x bands)\n"
    cfg = write_yaml(DERIVATION | {"corruption": CLOUDS, "latent_product_path": str(latent)}, "derivation.yaml")
    done = call_anywhere("run_toy_derivation.py", f"--cfg={cfg}", f"--o={clouded}")
    assert (done.returncode, done.stdout) == (0, "")
    assert ProductDataset(clouded).seeds == (5, 0)
    assert derive(cfg, tmp_path / "zero", "--seed=0") == 0
    assert ProductDataset(tmp_path / "zero").seeds == (0, 0)
    assert not (ProductDataset(tmp_path / "zero").cloud(0) == ProductDataset(clouded).cloud(0)).all()


def test_a_bar_shows_on_a_terminal_only(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    arguments = python("run_toy_generation.py", f"--cfg={write_yaml(GENERATION)}", f"--o={tmp_path / 'made'}")
    command = ["script", "-qec", " ".join(arguments), str(shown)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert re.search(r"Generation \|#+\| 4/4", shown.read_text())


def test_the_same_seed_gives_the_same_bytes_and_the_command_line_wins(
    write_yaml: Callable[..., Path], tmp_path: Path
) -> None:
    cfg = write_yaml(GENERATION)
    for name, options in {"a": (), "b": ("--seed=3",), "c": ("--seed=0",), "d": ("--seed=0",)}.items():
        assert generate(cfg, tmp_path / name, *options) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "c") == contents(tmp_path / "d")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")
    without_seed = write_yaml({key: value for key, value in GENERATION.items() if key != "seed"}, "free.yaml")
    assert generate(without_seed, tmp_path / "e", "--seed=0") == 0
    assert contents(tmp_path / "e") == contents(tmp_path / "c")


def test_bytes_do_not_depend_on_the_number_of_threads(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    cfg = write_yaml(change(GENERATION, product__size={"width": 300, "height": 280}, product__n_polygons=1))
    for threads in ("1", "2"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads}
        done = call("run_toy_generation.py", f"--cfg={cfg}", f"--o={tmp_path / threads}", env=environment)
        assert done.returncode == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def failure(status: int, shown: str) -> tuple[int, str]:
    assert shown.count("\n") == 1, shown
    assert "Traceback" not in shown
    return status, shown


GENERATION_MISTAKES = [
    ({"product__horizon": 101}, "product.horizon: found 101"),
    ({"product__nbands": 2}, "product: nbands: found 2, expected ts.ndim = 3"),
    ({"ts__nclass": 9}, "ts.nclass: found 9"),
    ({"ts__ndim": 7, "product__nbands": 7}, "ts.ndim: found 7"),
    ({"astype": "jpg", "ts__ndim": 4, "product__nbands": 4}, "jpg holds 3 bands"),
    ({"ts__path": "none.ts"}, "none.ts: no such file, expected a .ts time series file"),
    ({"seed": None}, "seed: missing"),
]


@pytest.mark.parametrize(("changes", "message"), GENERATION_MISTAKES)
def test_mistakes_in_a_generation_file(
    changes: dict[str, Any],
    message: str,
    write_yaml: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cfg, out = write_yaml(change(GENERATION, **changes)), tmp_path / "made"
    status, shown = failure(generate(cfg, out), capsys.readouterr().err)
    assert status == 2
    assert message in shown
    assert shown.startswith(f"{run_toy_generation.build_parser().prog}: error: {cfg}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


DERIVATION_MISTAKES = [
    ({"target_size": {"width": 47, "height": 32}}, "target_size: found 47x32"),
    (
        {"target_size": {"width": 7, "height": 8}, "aggregation": {"name": "convolution", "kernel": {"sigma": 1.0}}},
        "width 7 does not divide 48, use one of 1, 2, 3, 4",
    ),
    ({"deformation": DISTORTION | {"growth_rate": 1.0}}, "growth_rate: found 1, expected at most 4 / 48"),
    ({"deformation": DISTORTION | {"image_width": 40}}, "image_width: found 40, expected 48"),
    ({"corruption": CLOUDS, "seed": None}, "seed: missing"),
]


@pytest.mark.parametrize(("changes", "message"), DERIVATION_MISTAKES)
def test_mistakes_in_a_derivation_file(
    changes: dict[str, Any],
    message: str,
    write_yaml: Callable[..., Path],
    product_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cfg = write_yaml(change(DERIVATION, **changes))
    status, shown = failure(derive(cfg, tmp_path / "made", f"--product={product_folder}"), capsys.readouterr().err)
    assert status == 2
    assert message in shown
    assert str(cfg) in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "latent"]


def test_mistakes_about_products(
    write_yaml: Callable[..., Path], product_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg, out = write_yaml(DERIVATION), tmp_path / "made"
    for arguments, message in (
        ([], "latent_product_path: missing; set it or pass --product"),
        ([f"--product={tmp_path / 'nothing'}"], "nothing/index.json: no such file, expected the index of a product"),
        ([f"--product={cfg}"], "config.yaml/index.json: no such file"),
    ):
        status, shown = failure(derive(cfg, out, *arguments), capsys.readouterr().err)
        assert status == 2
        assert message in shown
    os.truncate(product_folder / "frames" / "frame_2.h5", 3000)
    status, shown = failure(derive(cfg, out, f"--product={product_folder}"), capsys.readouterr().err)
    assert status == 2
    assert re.search(r"frame_2\.h5: .*truncated", shown)
    assert not out.exists()


def test_existing_output(write_yaml: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg, out = write_yaml(GENERATION), tmp_path / "made"
    assert generate(cfg, out) == 0
    before = contents(out)
    capsys.readouterr()
    status, shown = failure(generate(cfg, out, "--seed=9"), capsys.readouterr().err)
    assert status == 2
    assert "found an existing product; pass --overwrite" in shown
    assert contents(out) == before
    broken = write_yaml(change(GENERATION, product__horizon=500), "broken.yaml")
    assert generate(broken, out, "--overwrite") == 2
    assert contents(out) == before
    assert generate(cfg, out, "--seed=9", "--overwrite") == 0
    assert contents(out) != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.yaml", "config.yaml", "made"]


def test_a_folder_that_cannot_be_written_to(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    locked = Path("/proc/self/fdinfo") if os.geteuid() == 0 else tmp_path / "locked"
    if os.geteuid():
        locked.mkdir(mode=0o500)
    done = call("run_toy_generation.py", f"--cfg={write_yaml(GENERATION)}", f"--o={locked / 'made'}")
    status, shown = failure(done.returncode, done.stderr)
    assert status == 1
    assert "check space and permissions" in shown


@pytest.mark.parametrize("kilobytes", [1, 9])
def test_a_disk_that_takes_no_more(kilobytes: int, write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    """A limit on file sizes fails writes in the middle of a file, as a full disk does."""
    command = " ".join(python("run_toy_generation.py", f"--cfg={write_yaml(GENERATION)}", f"--o={tmp_path / 'made'}"))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {kilobytes}; export PYTHONDONTWRITEBYTECODE=1; exec {command}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    status, shown = failure(done.returncode, done.stderr)
    assert status == 1
    assert "run again" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[str]) -> None:
    while not list(folder.glob(pattern)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


LONG = change(GENERATION, product__size={"width": 256, "height": 256}, product__horizon=90)


@pytest.mark.parametrize(("pattern", "existing"), [(".made.partial-*", True), (".made.*/frames/frame_3.h5", False)])
def test_a_killed_run_leaves_no_product_and_is_simply_run_again(
    pattern: str, existing: bool, write_yaml: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "work" / "made"
    if existing:
        assert generate(write_yaml(GENERATION), out) == 0
    before = contents(out)
    cfg = write_yaml(LONG, "long.yaml")
    command = python("run_toy_generation.py", f"--cfg={cfg}", f"--o={out}", "--overwrite")
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        wait_for(out.parent, pattern, process)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert contents(out) == before
    left = [path for path in out.parent.iterdir() if path != out]
    assert len(left) == 1
    assert not is_product(left[0])
    assert generate(write_yaml(GENERATION), out, *(["--overwrite"] if existing else [])) == 0
    assert [path.name for path in out.parent.iterdir()] == ["made"]


def test_ctrl_c_leaves_nothing(write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "work" / "made"
    command = python("run_toy_generation.py", f"--cfg={write_yaml(LONG)}", f"--o={out}")
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        wait_for(out.parent, ".made.*/frames/frame_1.h5", process)
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate()
    assert process.returncode == 130
    assert failure(130, shown)[1].startswith("run_toy_generation.py: error: interrupted")
    assert list(out.parent.iterdir()) == []


STRANGE = st.sampled_from([None, -1, 0, 1, 2, 3, 7, 2.5, float("nan"), True, "", "x", "h5", [], [0], {}, {"name": "x"}])
FULL_DERIVATION = change(
    DERIVATION,
    corruption=CLOUDS,
    deformation=DISTORTION,
    postprocess={"name": "speckle", "salt_pepper_proportion": {"min": 0.1, "max": 0.2}},
    aggregation={"name": "convolution", "kernel": {"sigma": 1.0}},
    target_size={"width": 6, "height": 8},
)


@pytest.mark.parametrize(
    "changes",
    [
        {"product__border_width": 1e6},
        {"random_sampler__kernel__length_scale": 1e-3},
        {"random_sampler__kernel__length_scale": 1e6},
        {"random_sampler": {"name": "gaussian", "std": 1e6}},
        {"random_sampler__kernel": {"name": "constant", "constant_value": 1e6}},
        {"random_sampler__kernel": {"name": "sin_squared", "length_scale": 1e-3, "periodicity": 1e-3}},
        {"seed": 2**80},
    ],
)
def test_extreme_scenes_are_finite(changes: dict[str, Any], write_yaml: Callable[..., Path], tmp_path: Path) -> None:
    status = generate(write_yaml(change(GENERATION, **changes)), tmp_path / "made")
    assert status in (0, 2)
    assert status or all(np.isfinite(sample["frame"]).all() for sample in ProductDataset(tmp_path / "made"))


@pytest.mark.parametrize(
    "changes",
    [
        {"corruption": CLOUDS | {"cloud_sparsity": 100, "cloud_density": 1e6}},
        {"corruption": CLOUDS | {"cloud_sparsity": 0, "cloud_density": 0}},
        {"corruption": CLOUDS | {"sampling_scale": 1}},
        {"corruption": CLOUDS | {"mul": {"min": -1e6, "max": 1e6}, "add": {"min": -1e6, "max": 1e6}}},
        {"postprocess": {"name": "gamma_speckle", "looks": 1e-3}},
        {"postprocess": {"name": "gamma_speckle", "looks": 1e6}},
        {"temporal_res": 10**9},
    ],
)
def test_extreme_derivations_are_finite(
    changes: dict[str, Any], write_yaml: Callable[..., Path], product_folder: Path, tmp_path: Path
) -> None:
    assert derive(write_yaml(change(DERIVATION, **changes)), tmp_path / "made", f"--product={product_folder}") == 0
    assert all(s is None or np.isfinite(s["frame"]).all() for s in ProductDataset(tmp_path / "made"))


def places(config: Any, path: tuple = ()) -> list[tuple]:
    here = [path] if path else []
    return (
        here + [p for key, value in config.items() for p in places(value, (*path, key))]
        if isinstance(config, dict)
        else here
    )


def mutate(data: st.DataObject, config: dict[str, Any]) -> dict[str, Any]:
    """Remove, replace, add or rename a few keys anywhere."""
    changed = json.loads(json.dumps(config))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(changed) or [("seed",)]))
        place: Any = changed
        for key in path[:-1]:
            place = place[key]
        action = data.draw(st.sampled_from(["remove", "replace", "add", "rename"]))
        if action == "add":
            place[data.draw(st.sampled_from(["name", "seed", "extra", "width"]))] = copy.deepcopy(data.draw(STRANGE))
        elif action == "replace":
            place[path[-1]] = copy.deepcopy(data.draw(STRANGE))
        else:
            value = place.pop(path[-1], None)
            if action == "rename":
                place[str(path[-1])[:-1]] = value
    return changed


def check_outcome(status: int, shown: str, out: Path) -> None:
    assert status in (0, 2), shown
    assert is_product(out) == (status == 0)
    errors = [line for line in shown.splitlines() if ": error: " in line]
    assert len(errors) == (status != 0)
    assert "unexpected" not in shown
    assert "Traceback" not in shown
    assert [path.name for path in out.parent.iterdir()] == (["made"] if status == 0 else [])


@given(data=st.data())
def test_any_generation_file_succeeds_or_fails_cleanly(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    cfg, out = folder / "config.yaml", folder / "out" / "made"
    out.parent.mkdir()
    cfg.write_text(json.dumps(mutate(data, GENERATION)).replace("NaN", ".nan"))
    status = generate(cfg, out)
    check_outcome(status, capsys.readouterr().err, out)


@given(data=st.data())
def test_any_derivation_file_succeeds_or_fails_cleanly(
    data: st.DataObject,
    product_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path_factory.mktemp("any")
    cfg, out = folder / "config.yaml", folder / "out" / "made"
    out.parent.mkdir()
    cfg.write_text(json.dumps(mutate(data, FULL_DERIVATION)).replace("NaN", ".nan"))
    status = derive(cfg, out, f"--product={product_folder}")
    check_outcome(status, capsys.readouterr().err, out)
