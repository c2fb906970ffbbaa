"""The report as a folder: made by the script, by hand or of a study, the same every time."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from src.report.page import below, of_study, write
from src.toygeneration.export import export
from tests.conftest import ROOT, contents, python, scene
from tests.report.study import classifier, parse, preview, result
from utils import score_table
from utils.cli import run
from utils.comparison import compare
from utils.errors import ConfigError, DataError, ProjectError
from utils.results import find_scores

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
    folders = {"experiments": root / "experiments", "classifiers": root / "classifiers", "data": data, "o": out}
    return [f"--{name}={path}" for name, path in folders.items()]


def report(*arguments: str) -> int:
    return run(script.build_parser(), script.main, list(arguments))


@pytest.fixture
def no_preview(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A small picture instead of a data set's first view."""
    monkeypatch.setattr(script, "preview", lambda _data, _picture: preview(tmp_path))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A study of one baseline."""
    result(tmp_path / "experiments", "cloudy_copy", None, 0.4)
    classifier(tmp_path / "classifiers")
    return tmp_path


def test_folder_holds_the_page_and_tables_the_same_every_time(tmp_path: Path, data: Path) -> None:
    result(tmp_path / "experiments", "n", 1, 0.5)
    result(tmp_path / "experiments", "cloudy_copy", None, 0.4)
    classifier(tmp_path / "classifiers" / "cloud_removal")
    out = tmp_path / "report"
    assert report(*options(tmp_path, data, out)) == 0
    assert {path.name for path in out.iterdir()} == {"index.html", "scores.csv", "scores.md", "by_cloud_cover.csv"}
    page = (out / "index.html").read_text()
    comparisons = compare(find_scores(tmp_path / "experiments"))
    assert (out / "scores.md").read_text() == score_table.markdown(comparisons) + "\n"
    assert "View 9 of cloud_removal (2 views). optical: 4 frames of 48 × 32 pixels and 3 bands." in parse(page).text
    assert len((out / "by_cloud_cover.csv").read_text().splitlines()) == 1 + 2 * 6
    assert str(tmp_path) not in page
    again = subprocess.run(
        python(str(SCRIPT), *options(tmp_path, data, tmp_path / "again")),
        env=os.environ | {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"},
        check=True,
        capture_output=True,
    )
    assert again.stdout == b""
    assert contents(tmp_path / "again") == contents(out)


def test_help_and_modules_load_nothing_heavy() -> None:
    modules = "src.report.page, src.report.tasks"
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


@pytest.fixture
def params(small: Path, data: Path) -> Path:
    """A study of two experiments with two seeds and a rule on the data set."""
    experiments, task = small / "experiments with blanks", data.name
    for name in ("n", "m"):
        for seed in (1, 2):
            folder = result(small / "made", f"{name}_of_{task}", seed, 0.5)
            shutil.copytree(folder, experiments / task / name / str(seed))
    shutil.copytree(result(small / "made", "cloudy_copy", None, 0.4), experiments / task / "copy")
    for name in ("minirocket", "random_forest"):
        classifier(small / "classifiers" / task / name)
    content = {
        "seeds": [1, 2],
        "datasets": [task],
        "scale": {"toygeneration": {}, "rsgan": {}},
        "experiments": [f"{task}/n", f"{task}/m"],
        "baselines": [f"{task}/copy"],
        "folders": {
            "views": str(data.parent),
            "classifiers": str(small / "classifiers"),
            "experiments": str(experiments),
            "identities": str(small / "identities"),
        },
    }
    file = small / "params.yaml"
    file.write_text(yaml.safe_dump(content | {"device": "cpu"}))
    return file


def change(params: Path, **changes: object) -> None:
    params.write_text(yaml.safe_dump(yaml.safe_load(params.read_text()) | changes))


@pytest.mark.usefixtures("no_preview")
def test_report_of_a_study_holds_what_its_parameters_name(params: Path, data: Path) -> None:
    out = params.parent / "report"
    assert report(f"--study={params}", f"--o={out}") == 0
    before = (out / "scores.md").read_text()
    assert before.count("±") > 0
    assert "| copy |" in before
    listings = [listing.text for listing in parse((out / "index.html").read_text()).all("pre")]
    assert params.read_text().strip() in listings

    change(params, seeds=[2], experiments=[f"{data.name}/n"], baselines=[])
    assert report(f"--study={params}", f"--o={out}") == 0
    after = (out / "scores.md").read_text()
    assert "±" not in after
    assert not re.findall(r"\| (copy|m) \|", after)
    assert "m_of" not in (out / "index.html").read_text()

    stale = out.parent / "experiments with blanks" / data.name / "m/1/eval/test_scores.json"
    stale.write_text("damaged")
    assert report(f"--study={params}", f"--o={out}") == 0
    (stale.parents[3] / "n/2/eval/test_scores.json").unlink()
    with pytest.raises(DataError, match=r"n/2/eval/test_scores\.json: no such file, but .*params\.yaml names it"):
        of_study(params)


def test_parameters_are_checked(params: Path) -> None:
    for wrong in ({"seeds": "all"}, {"experiments": {"n": 1}}, {"folders": {"views": "x"}}):
        before = params.read_text()
        change(params, **wrong)
        with pytest.raises(ConfigError, match=r"params\.yaml"):
            of_study(params)
        params.write_text(before)


@pytest.mark.usefixtures("no_preview")
def test_what_others_left_in_the_folder_stays(small: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = small / "report"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    samples = small / "experiments/toy_cloud_removal/cloudy_copy/eval/samples.png"
    assert report(*options(small, data, out)) == 0
    before = contents(out)
    samples.write_bytes(b"no picture")
    assert report(*options(small, data, out)) == 2
    assert "samples.png: cannot be read as a picture" in capsys.readouterr().err
    assert contents(out) == before
    samples.unlink()
    assert report(*options(small, data, out)) == 0
    assert contents(out)["mine.txt"] == before["mine.txt"]
    assert contents(out)["index.html"] != before["index.html"]
    assert report(*options(small, data, out / "mine.txt")) == 2
    assert "found a file, expected a folder" in capsys.readouterr().err


def test_mistakes_are_one_line(small: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = options(small, data, small / "report")
    (small / "empty").mkdir()

    def refused(message: str, *changed: str) -> None:
        assert report(*changed) == 2
        shown = capsys.readouterr().err
        assert message in shown
        assert shown.count("\n") == 1
        assert not (small / "report").exists()

    refused("found no test_scores.json", *arguments, f"--experiments={small / 'empty'}")
    refused("found no scores.json; run make_reference_classifier.py", *arguments, f"--classifiers={small / 'empty'}")
    refused("found no view (DIR/SEED/PRODUCT)", *arguments, f"--data={small}")
    refused("expected either --study, or all of", *arguments[1:])
    refused("expected either --study, or all of", *arguments, "--study=params.yaml")
    refused("none.yaml: no such file", "--study=none.yaml", arguments[-1])


READ = (
    *("eval/test_scores.json", "eval/views.csv", "eval/by_cloud_cover.csv", "eval/confusion_real.csv"),
    *("eval/confusion_generated.csv", "eval/samples.png", "run/identity.json", "run/metrics.csv"),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one network."""
    root = tmp_path_factory.mktemp("whole")
    result(root / "experiments", "n", 1, 0.5)
    classifier(root / "classifiers" / "c")
    return root


@settings(max_examples=15)
@given(data=st.data())
def test_damaged_files_are_named(whole: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "study"
        shutil.copytree(whole, root)
        results = [root / "experiments/toy_cloud_removal/n/1" / name for name in READ]
        file = data.draw(st.sampled_from([*results, *(root / "classifiers/c").iterdir()]))
        corrupt(file, data)
        error = failure(root)
        assert error is None or (file.name in str(error) and not (root / "report").exists())


def failure(root: Path) -> ProjectError | None:
    """What is wrong with a study, drawn in no chart: that takes long."""
    with mock.patch("matplotlib.figure.Figure.savefig", lambda _, stream, **_options: stream.write('<svg viewBox="">')):
        try:
            write(below([root / "experiments"], [root / "classifiers"], []), [], root / "report")
        except (DataError, ConfigError) as error:
            return error
    return None


TEXTS = ("", "[]", "{}", "null", "[" * 5000, "a: [", "a,b\n1", "epoch\nx\n", "view\n\n")
INSERTED = (b"\0", b"\xff", b"nan", b"-", b'"', b",", b"{", b"\n", b"1e999")


def corrupt(file: Path, data: st.DataObject) -> None:
    """Damage a file in one of many ways."""
    content = file.read_bytes()
    where = data.draw(st.integers(0, len(content) - 1))
    before, after = content[:where], content[where:]
    kind = data.draw(st.sampled_from(["cut", "flip", "insert", "text", "folder", "pipe", "link"]))
    file.unlink()
    match kind:
        case "cut":
            file.write_bytes(before)
        case "flip":
            file.write_bytes(before + bytes([after[0] ^ 32]) + after[1:])
        case "insert":
            file.write_bytes(before + data.draw(st.sampled_from(INSERTED)) + after)
        case "text":
            file.write_text(data.draw(st.sampled_from(TEXTS)))
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case "link":
            file.symlink_to(file.name)
