"""Building whole data sets from the command line."""

import os
import subprocess
from pathlib import Path

import pytest

from src.toygeneration.export import ProductDataset
from tests.conftest import ROOT, contents, load_script, python
from utils.cli import run

DEMO = ROOT / "src/toygeneration/config/demo.yaml"


script = load_script("repro/toy-data/build_dataset.py")


def build(*arguments: str) -> int:
    return run(script.build_parser(), script.main, ["--task=cloud_removal", *arguments])


def test_demo_views(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "set"
    assert build(f"--cfg={DEMO}", "--seeds=0,2-3", f"--o={folder}", "--njobs=2") == 0
    assert capsys.readouterr() == ("", "")
    assert sorted(str(path.relative_to(folder)) for path in folder.glob("*/*")) == [
        f"{seed}/{name}" for seed in (0, 2, 3) for name in ("clean_optical", "clouded_optical", "sar")
    ]
    clean, clouded, sar = (ProductDataset(folder / "2" / name) for name in ("clean_optical", "clouded_optical", "sar"))
    assert clouded.has_clouds
    assert not clean.has_clouds
    for other in (clouded, sar):
        assert (other.annotation(0) == clean.annotation(0)).all()
    before = contents(folder)
    assert build(f"--cfg={DEMO}", "--seeds=2", f"--o={folder}", "--njobs=1") == 0
    assert contents(folder) == before
    assert build(f"--cfg={DEMO}", "--seeds=2", f"--o={folder}", "--overwrite", "--njobs=1") == 0
    after = contents(folder)
    assert {path for path in after if "/" not in path} == {"identity.json", "README.md", "croissant.json"}
    for path in ("README.md", "croissant.json"):  # which say what views there are
        del before[path], after[path]
    assert after == {path: content for path, content in before.items() if path[:2] in ("2/", "id")}


def test_failures_are_counted_and_the_status_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "set"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "sar").write_text("in the way")
    assert build(f"--cfg={DEMO}", "--seeds=0-1", f"--o={folder}", "--njobs=1") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("view 1: ")
    assert "1 of 2 views failed (seeds 1)" in lines[1]


@pytest.mark.parametrize(
    "arguments", [["--seeds=x"], ["--seeds=1", "--njobs=0"], ["--seeds=1", "--njobs=-2"], ["--seeds=1", "--tas=x"]]
)
def test_bad_command_lines(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        build(*arguments, f"--o={tmp_path}")
    assert leaving.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_without_configurations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build("--seeds=1", f"--o={tmp_path / 'set'}", f"--cfg={tmp_path}") == 2
    assert "found no generation_*.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["cloud_removal", "sar_to_optical"])
def test_the_published_shell_scripts_are_wrappers(task: str) -> None:
    path = ROOT / "repro/toy-data" / task / f"generate_toy_{task}_dataset.sh"
    done = subprocess.run(
        ["bash", path, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHON": python()[0]},
    )
    assert done.returncode == 0
    assert "usage: build_dataset.py" in done.stdout
    assert f"--task={task}" in path.read_text()
