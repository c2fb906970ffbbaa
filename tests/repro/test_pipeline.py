"""The pipeline: what depends on what, and what happens when it is interrupted, edited, added to or run again."""

import functools
import hashlib
import itertools
import operator
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, contents, load_script, python
from tests.repro.conftest import Runner
from utils.cli import run as run_script

PROFILES = sorted(file.stem for file in (ROOT / "repro/profiles").glob("*.yaml"))
DATA = "build_dataset@cloud_removal"
VIEWS = "data/demo/cloud_removal"
# Stands in for what takes long: makes files of the names that the stage promises.
PYTHON = """#!/usr/bin/env bash
[ "$1" = repro/identify.py ] && exec {python} "$@"
for part; do
    case "$part" in --o=*) folder="${{part#*=}}" ;; --experiment_name=*) name="${{part#*=}}" ;; esac
done
mkdir -p "$folder" && cd "$folder"
case "$1" in
    *build_dataset.py) mkdir -p 1 && set 1/view ;;
    make*) set classifier.npz scores.json confusion_matrix.png ;;
    run_training.py)
        mkdir -p "$name"/run/{{samples,tensorboard}} "$name/checkpoints" && cd "$name"
        set run/{{identity.json,summary.json,metrics.csv,samples/1.png,tensorboard/1}} checkpoints/{{best,last}}.ckpt ;;
    run_testing.py) mkdir -p "$name/eval" && cd "$name" && set eval/metrics.json ;;
    *) set index.html ;;
esac
for file; do rm -f "$file"; echo "$RANDOM$RANDOM" > "$file"; done
"""
COPIED = {  # file: the name that it registers
    "src/toygeneration/modules/kernels/rbf.py": "rbf",
    "src/toygeneration/modules/postprocesses/speckle.py": "speckle",
    "src/rsgan/models/patchgan.py": "patchgan",
    "src/rsgan/evaluation/classifiers/random_forest.py": "random_forest",
    "src/rsgan/experiments/cloud_removal/cgan_toy.py": "cgan_toy_cloud_removal",
    "src/rsgan/baselines/cloudy_copy.py": "cloudy_copy",
}
SMALL_STUDY = {
    "experiments": ["cloud_removal/cgan_toy", "sar_to_optical/cycle_gan_toy"],
    "baselines": ["cloud_removal/cloudy_copy", "sar_to_optical/linear_regression"],
}
LEVEL = {"build_level": "", "train_level": "-sequence_toy-17", "test_level": "-cloudy_copy"}  # stages at each value
CONFIGURED = {
    "without_radar.yaml": (
        "base: cgan_toy.yaml\ndataset: {name: optical, sources: [clouded_optical], target: clean_optical}\n"
    ),
    "my_experiment.yaml": "base: cgan_toy.yaml\nexperiment: {name: my_cgan_toy_cloud_removal}\n",
    "my_rule.yaml": "base: ../base/cloud_removal.yaml\nexperiment: {name: my_cloudy_copy}\n",
}


def whole_study(studies: list[dict[str, Any]]) -> dict[str, Any]:
    """All that any profile runs, with one seed: DVC is slow with hundreds of stages."""

    def every(*keys: str) -> list[Any]:
        found = (functools.reduce(operator.getitem, keys, study) for study in studies)
        return [*dict.fromkeys(itertools.chain.from_iterable(found))]

    first, *_ = studies
    lists = {key: every(key) for key in ("datasets", "experiments", "baselines")}
    given = {key: first[key] | {"names": every(key, "names")} for key in ("time_series", "images")}
    sweep = next(study["sweep"] for study in studies if study["sweep"]["values"])
    return first | lists | given | {"sweep": sweep, "seeds": [17]}


def test_every_command_is_one_that_its_script_takes(dvc: Runner, checkout: Path) -> None:
    """Of what all profiles run, and of one that leaves most lists empty."""
    profiles = {name: yaml.safe_load((ROOT / f"repro/profiles/{name}.yaml").read_text()) for name in PROFILES}
    for params in (whole_study([*profiles.values()]), profiles["difficulty"]):
        (checkout / "params.yaml").write_text(yaml.safe_dump(params))
        shown = dvc("repro", "--dry", "--force").stdout
        commands = [shlex.split(line) for line in re.findall("> python (.*)\n", shown)]
        runs = len(params["experiments"]) * len(params["seeds"])
        given = len(params["time_series"]["names"]) + len(params["images"]["names"])
        data = 2 * len(params["datasets"]) + given
        sweep, seeds = params["sweep"], len(params["seeds"])
        at_each = 2 + 2 * seeds * len(sweep["experiments"]) + len(sweep["baselines"])
        whole = 2 * runs + len(params["baselines"]) + data + 2
        assert len(commands) == whole + at_each * len(sweep["values"])
        for script, *arguments in commands:
            parsed = load_script(script).build_parser().parse_args(arguments)
            given = [file for file in getattr(parsed, "cfg", None) or () if "levels" not in file.parts]
            assert all((ROOT / file).exists() for file in given)
            assert script != "make_reference_classifier.py" or not parsed.o.suffix  # which would make it a file
    scales = [options.values() for study in profiles.values() for options in study["scale"].values()]
    assert all((ROOT / file).exists() for file in itertools.chain.from_iterable(scales))


def ran(shown: str) -> set[str]:
    return set(re.findall("Running stage '(.*)'", shown))


@pytest.fixture
def finished(checkout: Path, environment: dict[str, str], dvc: Runner, tmp_path: Path) -> Path:
    """A checkout whose study is done, as far as DVC can tell, in folders with blanks."""
    params = checkout / "params.yaml"
    study = yaml.safe_load(params.read_text().replace("data/demo", "data/my demo"))
    params.write_text(yaml.safe_dump(study | SMALL_STUDY))
    stand_in = tmp_path / "bin/python"
    stand_in.parent.mkdir()
    stand_in.write_text(PYTHON.format(python=python()[0]))
    stand_in.chmod(0o755)
    environment["PATH"] = f"{stand_in.parent}{os.pathsep}{environment['PATH']}"
    dvc("repro")
    return checkout


def add(checkout: Path) -> None:
    """Something of each kind."""
    for file, name in COPIED.items():
        text = (checkout / file).read_text()
        (checkout / file).with_name("mine.py").write_text(text.replace(f'"{name}"', f'"my_{name}"'))
    for file, text in CONFIGURED.items():
        (checkout / "src/rsgan/config/cloud_removal" / file).write_text(text)
    unet = checkout / "src/rsgan/models/unet.py"
    unet.write_text("# A comment.\n" + unet.read_text().replace('"""', '"""Documented otherwise: ', 1))


def change_params(checkout: Path, **more: list[str] | dict[str, Any]) -> None:
    """Put a sweep in the place of another, and lists at the end of others."""
    params = checkout / "params.yaml"
    study = yaml.safe_load(params.read_text())
    study |= {key: value if key == "sweep" else study[key] + value for key, value in more.items()}
    params.write_text(yaml.safe_dump(study))


def test_what_is_added_or_edited_runs_what_it_concerns(finished: Path, dvc: Runner) -> None:
    """And results are linked into the cache, whose copies stay as they are when results are made again."""
    files = [file for file in (finished / "data").rglob("*") if file.is_file() and file.name != ".gitignore"]
    assert {file.stat().st_nlink > 1 for file in files} == {True}
    tested = sum(map(len, SMALL_STUDY.values()))  # each with one seed
    assert dvc("metrics", "show").stdout.count("metrics.json") == tested

    add(finished)
    assert ran(dvc("repro").stdout) == {"identify"}

    sweep = yaml.safe_load((finished / "repro/profiles/difficulty.yaml").read_text())["sweep"]
    sweep |= {"experiments": ["sequence_toy"], "baselines": ["cloudy_copy"]}
    new = {"experiments": ["cloud_removal/without_radar", "cloud_removal/my_experiment"]}
    new |= {"baselines": ["cloud_removal/my_rule"]}
    change_params(finished, **new, sweep=sweep | {"values": [0]})
    scoring = finished / "src/rsgan/evaluation/scoring.py"
    scoring.write_text(scoring.read_text() + "\nMORE = 1\n")
    stages = ran(dvc("repro").stdout)
    tests = {stage for stage in stages if stage.startswith("test")}
    trained = {f"train@{name}-17" for name in new["experiments"]}
    assert stages - tests == {"identify", "report", "build_level@0", "train_level@0-sequence_toy-17"} | trained
    assert len(tests) == tested + 3 + 1

    change_params(finished, sweep=sweep | {"values": [0, 0.25]})
    at_the_new_one = {f"{stage}@0.25{method}" for stage, method in LEVEL.items()}
    assert ran(dvc("repro").stdout) == {"identify", "report"} | at_the_new_one
    assert dvc("status").stdout == "Data and pipelines are up to date.\n"

    for file in (finished / ".dvc/cache/files/md5").glob("*/*"):
        name = file.parent.name + file.name.removesuffix(".dir")
        assert hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == name


def interrupt(checkout: Path, environment: dict[str, str], how: signal.Signals) -> None:
    """Make a data set until one more product is whole; as with Ctrl-C in a terminal, all processes get the signal."""
    whole = set((checkout / VIEWS).glob("*/*/index.json"))
    command = python("-m", "dvc", "repro", DATA)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=checkout, env=environment, start_new_session=True, **quiet) as process:
        while not set((checkout / VIEWS).glob("*/*/index.json")) - whole:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, how)
    assert process.returncode != 0


def test_a_data_set_by_dvc(checkout: Path, environment: dict[str, str], dvc: Runner, tmp_path: Path) -> None:
    """Interrupted ones go on, deleted views return, other seeds and settings make other views; all bit for bit."""
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("views: 1-40", "views: 1-6 "))
    for how in (signal.SIGINT, signal.SIGKILL):
        interrupt(checkout, environment, how)
    made = {path: path.stat().st_mtime_ns for path in (checkout / VIEWS).glob("*/[!.]*/index.json")}
    assert len(made) < 18
    dvc("repro", DATA)
    assert all(path.stat().st_mtime_ns == modified for path, modified in made.items())
    build = load_script("repro/toy-data/build_dataset.py")
    options = ["--task=cloud_removal", "--cfg=src/toygeneration/config/demo.yaml", f"--o={tmp_path / 'undisturbed'}"]
    assert run_script(build.build_parser(), build.main, [*options, "--seeds=1-6", "--njobs=1"]) == 0
    before = contents(checkout / VIEWS)
    assert before == contents(tmp_path / "undisturbed")
    shutil.rmtree(checkout / VIEWS / "3")
    assert f"modified:           {VIEWS}" in dvc("status", DATA).stdout
    changed = checkout / "src/toygeneration/config/cloud_removal/sar/derivation_sar.yaml"
    changed.write_text(changed.read_text() + "seed: 3\n")
    params.write_text(params.read_text().replace("views: 1-6", "views: 2-3"))
    assert ran(dvc("repro", DATA).stdout) == {"identify", DATA}
    after = contents(checkout / VIEWS)
    assert {path.split("/")[0] for path in after} == {"2", "3", "identity.json", "README.md", "croissant.json"}
    differing = {path for path, content in after.items() if before[path] != content}
    assert {path.split("/")[1] for path in differing if "/" in path} == {"sar"}


@pytest.mark.usefixtures("dvc")
def test_stages_are_run_by_hand(run: Runner, checkout: Path) -> None:
    """Their own command, with further options; whoever sources the script keeps their shell, folder and settings."""
    stage = "repro/experiments/stage.sh"
    shown = run(
        "bash", "-c", f"{stage} nothing; echo $?; . {stage} train@cloud_removal/cgan_toy-17 --help; echo $? $PWD $-"
    )
    flags = run("bash", "-c", "echo $-").stdout.strip()
    assert "found no such stage" in shown.stderr
    assert shown.stdout.startswith("1\nusage: run_training.py")
    assert shown.stdout.endswith(f"\n0 {checkout} {flags}\n")
