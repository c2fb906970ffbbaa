"""The pipeline: what depends on what, and what happens when it is interrupted, edited or run again."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT, contents, load_script, python
from tests.repro.conftest import DATA, Runner
from tests.test_architecture import imports

driver = load_script("repro/run_study.py")
PROFILES = sorted(file.stem for file in (ROOT / "repro/profiles").glob("*.yaml"))
DEMO = driver.read_stages(driver.read_params("demo"))
VIEWS = "data/demo/cloud_removal"
CONFIG = "src/toygeneration/config/demo/cloud_removal"
# What only talks to the user, and what a stage doesn't use of a module that it imports.
SILENT = {"utils/cli.py", "utils/errors.py", "utils/progress_bar.py"}
UNUSED = {
    "test": {"src/rsgan/callbacks/", "utils/resumable.py"},  # of training, which shares a module with building networks
    "train": {"src/rsgan/evaluation/"},  # configurations describe classifiers, which training doesn't need
    "make": {"src/rsgan/experiments/baseline.py", "src/rsgan/experiments/experiment.py", "src/rsgan/experiments/utils/"}
    | {"src/rsgan/models/", "src/rsgan/callbacks/"},
    "generate": {"src/toygeneration/cluster.py"},  # `--scheduler`
    "download": {"utils/config.py", "utils/files.py", "utils/registry.py"},  # only checks of what is fetched
}


def modules(name: str) -> list[Path]:
    """Files of the project that an import executes."""
    parts = name.split(".")
    stems = [ROOT.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
    return [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()]


def closure(start: str) -> set[str]:
    """All files of the project that a script imports, wherever in it."""
    found: set[Path] = set()
    waiting = [ROOT / start]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [
                other for name in imports(file) if name.split(".")[0] in ("src", "utils") for other in modules(name)
            ]
    return {str(file.relative_to(ROOT)) for file in found}


def readers(path: str) -> set[str]:
    """Stages of the demo that depend on a file directly."""
    return {stage.name for stage in DEMO if any(f"{path}/".startswith(f"{needed}/") for needed in stage.needs)}


def is_documentation(file: str) -> bool:
    """Whether a module holds nothing but its docstring."""
    return file.endswith("__init__.py") and len((ROOT / file).read_text().strip().splitlines()) == 1


@pytest.mark.parametrize("stage", DEMO, ids=lambda stage: stage.name)
def test_stages_name_their_code(stage: driver.Stage) -> None:
    used = closure(stage.command[1])
    own = [path for path in stage.needs if re.match(r"src/rsgan/experiments/\w+/\w+\.py", path) and "utils" not in path]
    for path in own:
        used |= closure(path)
    unused = UNUSED.get(stage.name.split("_")[0], set()) | SILENT
    missing = {
        file
        for file in used
        if not any(f"{file}/".startswith(f"{needed}/") for needed in stage.needs)
        and not any(file.startswith(path) for path in unused)
        and not is_documentation(file)
    }
    assert missing == set()
    assert [path for path in stage.needs if not path.startswith("data/") and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_stages_read_the_configurations_that_they_name(profile: str) -> None:
    """With all that these are based on."""
    for stage in driver.read_stages(driver.read_params(profile)):
        given = [Path(argument.partition("=")[2]) for argument in stage.command if argument.startswith("--cfg=")]
        files = [file for path in given for file in (sorted((ROOT / path).rglob("*.yaml")) or [ROOT / path])]
        while files:
            file = files.pop().resolve()
            assert str(file.relative_to(ROOT)) in stage.needs, stage.name
            base = re.search(r"^base: (.*)$", file.read_text(), flags=re.MULTILINE)
            files += [file.parent / base[1]] if base else []


def test_an_edit_concerns_what_it_must_and_nothing_else() -> None:
    runs = {f"{verb}_cloud_removal@cgan_toy-{seed}" for verb in ("train", "test") for seed in (17, 37)}
    assert readers("src/rsgan/config/demo/cloud_removal/cgan_toy.yaml") == runs
    assert readers("src/rsgan/experiments/cloud_removal/cgan_toy.py") == runs
    baseline = "linear_interpolation"
    test = {f"test_cloud_removal_baselines@{baseline}"}
    assert readers(f"src/rsgan/config/demo/cloud_removal/baselines/{baseline}.yaml") == test
    assert readers(f"src/rsgan/experiments/cloud_removal/{baseline}.py") == test
    assert readers("utils/score_table.py") == {"report"}
    assert not any("train" in name for name in readers("src/rsgan/evaluation/scoring.py"))
    documents = ["README.md", "docs/evaluation.md", "src/rsgan/config/cloud_removal/cgan_toy.yaml", "tests/conftest.py"]
    assert [path for path in documents if readers(path)] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_dvc_sees_the_same_stages(profile: str, run: Runner, dvc: Runner) -> None:
    run(*python("repro/dvc.py", f"--profile={profile}"))
    shown = dvc("repro", "--dry", "--force").stdout
    found = re.findall(r"Running stage '(.*)':\n> (.*)\n", shown)
    stages = driver.read_stages(driver.read_params(profile))
    assert sorted((name, command.split()) for name, command in found) == sorted(
        (s.name, list(s.command)) for s in stages
    )


def test_a_data_set_by_dvc(few_views: Path, dvc: Runner) -> None:
    """Made once; a second run, an edited document or another process's cache change nothing; a deleted view returns."""
    shown = dvc("repro", DATA).stdout
    assert f"Running stage '{DATA}'" in shown
    before = contents(few_views / VIEWS)
    assert sorted(path.name for path in (few_views / VIEWS).iterdir()) == [str(seed) for seed in range(1, 9)]
    (few_views / "README.md").write_text("edited")
    assert "up to date" in dvc("repro", DATA).stdout
    (few_views / VIEWS / "3/sar/index.json").unlink()
    assert "Running" not in dvc("repro", DATA).stdout
    assert contents(few_views / VIEWS) == before
    changed = few_views / CONFIG / "sar/derivation_sar.yaml"
    changed.write_text(changed.read_text() + "seed: 3\n")
    assert "seed" in dvc("status", DATA).stdout
    assert f"Running stage '{DATA}'" in dvc("repro", DATA).stdout
    differing = {path for path, content in contents(few_views / VIEWS).items() if before[path] != content}
    assert {Path(path).parts[1] for path in differing} == {"sar"}
    assert dvc("status", DATA).stdout == "Data and pipelines are up to date.\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_data_set_goes_on(
    how: signal.Signals, few_views: Path, environment: dict[str, str], dvc: Runner, tmp_path: Path
) -> None:
    """As with Ctrl-C in a terminal, all processes get the signal; what is made in the end is the same, bit for bit."""
    hidden = few_views / "data/demo/.cloud_removal.unfinished/cloud_removal"
    process = subprocess.Popen(
        python("-m", "dvc", "repro", DATA),
        cwd=few_views,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (hidden / "2/sar/index.json").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, how)
    assert process.wait(60) != 0
    assert not (few_views / VIEWS).exists()
    made = {path.relative_to(hidden): path.stat().st_mtime_ns for path in hidden.glob("*/*/index.json")}
    dvc("repro", DATA)
    assert all((few_views / VIEWS / path).stat().st_mtime_ns == modified for path, modified in made.items())
    undisturbed = tmp_path / "undisturbed"
    subprocess.run(
        python(
            "repro/toy-data/build_dataset.py",
            "--task=cloud_removal",
            f"--cfg={CONFIG}",
            "--seeds=1-8",
            f"--o={undisturbed}",
        ),
        cwd=few_views,
        check=True,
        capture_output=True,
    )
    assert contents(few_views / VIEWS) == contents(undisturbed)


def test_the_driver_stops_in_time_and_goes_on(few_views: Path, run: Runner, tmp_path: Path) -> None:
    command = python("repro/run_study.py", "generate_toy_cloud*")
    stopped = run(*command, "--minutes=0.025", status=130)
    assert "interrupted" in stopped.stderr
    assert not (few_views / VIEWS).exists()
    run(*command)
    assert len(list((few_views / VIEWS).iterdir())) == 8
    assert run(*command, "--minutes=0.025").stderr == ""


def test_the_driver_makes_what_is_needed_and_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(driver, "ROOT", tmp_path)
    chosen = [stage for stage in DEMO if stage.name == "test_cloud_removal@cgan_toy-17"]
    names = [stage.name for stage in driver.wanted(DEMO, chosen)]
    train = "train_cloud_removal@cgan_toy-17"
    assert names == [DATA, "make_cloud_removal_reference_classifier", train, chosen[0].name]
    for stage in DEMO:
        if stage.name in (DATA, train):
            for path in stage.makes:
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).touch()
    assert [stage.name for stage in driver.wanted(DEMO, chosen)] == [names[1], names[3]]
    driver.slim(chosen[0], DEMO)
    assert not list(tmp_path.rglob("*.ckpt"))
    assert [stage.name for stage in driver.wanted(DEMO, chosen)] == [names[1], names[3]]


def test_the_driver_collects_what_is_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(driver, "ROOT", tmp_path / "root")
    run = tmp_path / "root/data/demo/experiments/cloud_removal/cgan_toy/17"
    kept = ("run/metrics.csv", "run/config.yaml", "eval/test_scores.json", "eval/samples.png")
    for name in (*kept, "run/samples/epoch=0.png", "checkpoints/best.ckpt", "../.37.unfinished/37/run/metrics.csv"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).touch()
    driver.collect(
        {"folders": {kind: f"data/demo/{kind}" for kind in ("experiments", "classifiers")}}, tmp_path / "out"
    )
    found = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert found == sorted(f"data/demo/experiments/cloud_removal/cgan_toy/17/{name}" for name in kept)


def test_an_unknown_stage(run: Runner) -> None:
    assert "expected one of generate_toy" in run(*python("repro/run_study.py", "trian*"), status=2).stderr


def by_hand(stage: driver.Stage) -> list[str]:
    """The shell script, with its arguments, that runs a stage."""
    name, _, values = stage.name.partition("@")
    if name == "report":
        return ["report.sh"]
    task = "cloud_removal" if "cloud_removal" in name else "sar_to_optical"
    if name.startswith("make"):
        return ["reference_classifier.sh", task]
    if name.endswith("_baselines"):
        return ["baseline.sh", f"{task}/{values}"]
    experiment, _, seed = values.rpartition("-")
    return [f"{name.split('_')[0]}.sh", f"{task}/{experiment}", seed]


@pytest.mark.parametrize("profile", PROFILES)
def test_scripts_run_single_stages_by_hand(profile: str) -> None:
    """With `echo` for Python they say what they would run: what the pipeline does, but in place and on the CPU."""

    def essential(command: Sequence[str]) -> list[str]:
        return [part for part in command if part != "--whole" and not part.startswith(("--device", "--params"))]

    for stage in driver.read_stages(driver.read_params(profile)):
        if stage.name.startswith(("download", "generate")):  # these have scripts of their own
            continue
        script, *arguments = by_hand(stage)
        environment = os.environ | {"PROFILE": profile, "PYTHON": "echo"}
        command = ["bash", f"repro/experiments/{script}", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert essential(done.stdout.split()) == essential(stage.command[1:])
