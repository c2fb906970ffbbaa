"""The report as a folder: made by the script, the same every time, whole or not at all."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from src.toygeneration.export import export
from tests.conftest import ROOT, contents, python, scene
from tests.utils.report.study import change_json, classifier, parse, result, study
from utils import score_table
from utils.cli import run

SCRIPT = ROOT / "repro/make_report.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_report", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two views with one product each."""
    root = tmp_path_factory.mktemp("data") / "cloud_removal"
    latent = scene()
    export({root / "10" / "optical": latent, root / "9" / "optical": latent})
    return root


def options(root: Path, data: Path, out: Path) -> list[str]:
    (root / "params.yaml").write_text("epochs: 3  # <- of all\nfence: ```\n")
    folders = {"experiments": root / "experiments", "classifiers": root / "classifiers", "data": data, "o": out}
    return [*(f"--{name}={path}" for name, path in folders.items()), f"--params={root / 'params.yaml'}"]


def report(*arguments: str) -> int:
    return run(script.build_parser(), script.main, list(arguments))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A study of one baseline."""
    result(tmp_path / "experiments", "cloudy_copy", None, 0.4)
    classifier(tmp_path / "classifiers")
    return tmp_path


def test_folder_holds_the_page_the_same_as_markdown_and_tables(tmp_path: Path, data: Path) -> None:
    study(tmp_path / "experiments")
    classifier(tmp_path / "classifiers" / "cloud_removal")
    out = tmp_path / "report"
    assert report(*options(tmp_path, data, out)) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"index.html", "report.md", "scores.csv", "scores.md", "by_cloud_cover.csv", "pictures"}
    text, tree = (out / "report.md").read_text(), parse((out / "index.html").read_text())
    links = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert sorted(links) == sorted(f"pictures/{path.name}" for path in (out / "pictures").iterdir())
    assert len(links) == len(tree.all("img")) + len(tree.all("svg"))
    headings = [heading.text for heading in tree.all("h1", "h2", "h3")]
    assert [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")] == headings
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    groups = score_table.group([score_table.read(file) for file in score_table.find(tmp_path / "experiments")])
    assert (out / "scores.md").read_text() == score_table.markdown(groups) + "\n"
    assert "````\nepochs: 3  # <- of all\nfence: ```\n````" in text
    assert "View 9 of cloud_removal (2 views). optical: 4 frames of 48 × 32 pixels and 3 bands" in tree.text

    again = subprocess.run(
        python(str(SCRIPT), *options(tmp_path, data, tmp_path / "again")),
        env=os.environ | {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"},
        check=True,
        capture_output=True,
    )
    assert again.stdout == b""
    assert contents(tmp_path / "again") == contents(out)
    assert str(tmp_path) not in (out / "index.html").read_text() + text


def test_help_and_modules_load_nothing_heavy() -> None:
    modules = "utils.report.document, utils.report.results"
    for command in ([str(SCRIPT), "--help"], ["-c", f"import {modules}"]):
        done = subprocess.run(
            python("-X", "importtime", *command), cwd=ROOT, check=True, capture_output=True, text=True
        )
        assert not re.findall(r"\| +(matplotlib|torch|scipy|pandas|PIL)\b", done.stderr)
    assert (
        "numpy"
        not in subprocess.run(
            python("-X", "importtime", str(SCRIPT), "--help"), check=True, capture_output=True, text=True
        ).stderr
    )


def test_a_report_is_replaced_whole_and_nothing_else_is(
    small: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small / "report"
    arguments = options(small, data, out)
    assert report(*arguments) == 0
    before = contents(out)
    samples = small / "experiments/toy_cloud_removal/cloudy_copy/eval/samples.png"
    samples.write_bytes(b"no picture")
    assert report(*arguments) == 2
    assert "samples.png: cannot be read as a picture" in capsys.readouterr().err
    assert contents(out) == before
    samples.unlink()
    assert report(*arguments) == 0
    assert contents(out) != before
    for file in (out / "mine.txt", out / "pictures" / "mine.png"):
        file.write_text("precious")
        assert report(*arguments) == 2
        assert f"found {str(file.relative_to(out))!r} in it, not a report" in capsys.readouterr().err
        file.unlink()
    (small / "mine" / "pictures").mkdir(parents=True)
    for path in (small / "mine", data):
        assert report(*options(small, data, path)) == 2
        assert "in it, not a report" in capsys.readouterr().err
    assert report(*options(small, data, samples.parent / "views.csv")) == 2
    assert "found a file or link" in capsys.readouterr().err
    for name in ("index.html", "report.md", "scores.csv"):  # as a pipeline does with files that it tracks
        (out / name).unlink()
    assert report(*arguments) == 0
    (small / "empty").mkdir()
    assert report(*options(small, data, small / "empty")) == 0
    assert not [path for path in small.iterdir() if path.name.startswith(".")]


def test_mistakes_are_one_line(small: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = options(small, data, small / "report")
    evaluation = small / "experiments/toy_cloud_removal/cloudy_copy/eval"

    def refused(message: str, *changed: str) -> None:
        assert report(*arguments, *changed) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert shown.count("\n") == 1
        assert not (small / "report").exists()

    refused("found no test_scores.json", f"--experiments={data}")
    refused("found no scores.json; run make_reference_classifier.py", f"--classifiers={data}")
    refused("found no view (DIR/SEED/PRODUCT)", f"--data={small}")
    refused("none.yaml: no such file", f"--params={small / 'none.yaml'}")
    for name, text in (
        ("by_cloud_cover.csv", "unit,above,up_to,count\npixel,low,high,many\n"),
        ("confusion_real.csv", "true,predicted 1\n1,x\n"),
        ("../run/config.yaml", "a: [\n"),
        ("../run/summary.json", "[]"),
        ("../run/metrics.csv", "epoch,Metric/val_mae\n0,x\n"),
    ):
        file = evaluation / name
        before = file.read_text() if file.exists() else None
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        change_json(evaluation / "test_scores.json", about=about(evaluation) | {"seed": 1})
        refused(file.name)
        file.unlink()
        if before:
            file.write_text(before)
    change_json(evaluation / "test_scores.json", about={"experiment": "x"})
    refused("'about.seed' is missing")
    scores = small / "classifiers/scores.json"
    for text in ("{}", "[", "[]"):
        scores.write_text(text)
        change_about(evaluation)
        refused("scores.json")


def about(evaluation: Path) -> dict[str, object]:
    return score_table.read(evaluation / "test_scores.json")["about"]


def change_about(evaluation: Path) -> None:
    """Make the score file whole again."""
    folder = result(evaluation.parents[3] / "spare", "cloudy_copy", None, 0.4)
    (evaluation / "test_scores.json").write_bytes((folder / "eval/test_scores.json").read_bytes())
