"""The table of several experiments and seeds: what is averaged, what stands together, what is refused."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from tests.utils.scores import content, write
from utils import score_table
from utils.cli import run
from utils.tables import write_csv

RULE = {"experiment": "cloudy_copy", "kind": "baseline", "seed": None}


def call(*arguments: object) -> int:
    return run(score_table.build_parser(), score_table.main, [str(argument) for argument in arguments])


def test_means_and_intervals_over_seeds(tmp_path: Path) -> None:
    values = [0.5, 0.6, 0.9]
    for seed, value in enumerate(values):
        write(tmp_path, value, f"gan/{seed}", seed=seed)
    rule = write(tmp_path, 0.8, **RULE)
    changed = content(0.8, **RULE)
    changed["test_psnr"] = changed["original"]["psnr"]["mean"] = changed["original"]["psnr"]["high"] = "inf"
    changed["reflectance"]["correlation"] = {"mean": None, "low": None, "high": None, "count": 0}
    rule.write_text(json.dumps(changed))
    assert call(tmp_path, f"--o={tmp_path / 'table'}") == 0
    with (tmp_path / "table/scores.csv").open() as stream:
        best, gan = csv.DictReader(stream)
    assert (best["method"], best["seeds"], best["test_mae_low"]) == ("cloudy_copy", "1", "0.8")
    assert (gan["method"], gan["experiment"], gan["seeds"]) == ("gan", "cgan_toy_cloud_removal", "3")
    assert (best["correlation"], best["test_psnr"]) == ("", "inf")
    assert float(gan["rmse"]) == pytest.approx(2 / 3)
    low, high = stats.t.interval(0.95, 2, loc=2 / 3, scale=stats.sem(values))
    assert [float(gan[f"rmse_{end}"]) for end in ("low", "high")] == pytest.approx([low, high])
    assert "| cloudy_copy | 1 | 0.800 |" in (tmp_path / "table/scores.md").read_text()
    assert "–" in (tmp_path / "table/scores.md").read_text()


def test_published_figures_stand_beside_data_of_the_published_size_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = write(tmp_path / "full", 0.5)
    small = write(tmp_path / "small", 0.5, height=64, width=64)
    for path, published in ((full, True), (small, False)):
        assert call(path) == 0
        shown = capsys.readouterr().out
        assert ("| *published* | *5* | *0.246* |" in shown) == published
        assert "| cgan | 1 | 0.500 |" in shown


def test_what_is_compared_decides_what_stands_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other sources make another row; other views, targets or judges another table."""
    write(tmp_path / "a", 0.5)
    write(tmp_path / "b", 0.4, dataset="optical_only")
    assert call(tmp_path) == 0
    shown = capsys.readouterr().out
    assert shown.count("## ") == 1
    assert "## optical_only, toy_cloud_removal: 38 test views" in shown
    assert "| b/cgan | 1 | 0.400 |" in shown
    write(tmp_path / "c", 0.3, data="xyz")
    write(tmp_path / "d", 0.2, judge="xyz")
    assert call(tmp_path) == 0
    assert capsys.readouterr().out.count("## ") == 3


def test_references_stand_last_whatever_they_reach_and_are_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, 0.5)
    write(tmp_path, 0.9, experiment="bound", kind="upper bound")
    for value, sensors in ((0.7, ["sar"]), (0.8, ["clouded_optical", "sar"])):
        told = {"sensors": sensors, "opacity": "none", "sees": "series"}
        about = {"experiment": "no_generation", "kind": "no generation", "told": told}
        write(tmp_path, value, f"no_generation_{len(sensors)}", **RULE | about)
    assert call(tmp_path) == 0
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines() if " | 1 | " in line]
    assert rows[:4] == [
        "| cgan",
        "| bound *(reference)*",
        "| no_generation_2 *(reference)*",
        "| no_generation_1 *(reference)*",
    ]


def test_a_method_is_named_by_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What else would be called the same by those above it, too; a seed's folder is none of a method's own."""
    for name, seed in (("a/gan/17", 17), ("a/gan/18", 18), ("b/gan", 17), ("rule_1", 17), ("b/17/rule_2", 17)):
        write(tmp_path, 0.5, name, seed=seed)
    write(tmp_path, 0.5, "17", **RULE)
    assert call(tmp_path) == 0
    rows = [line.split(" | ")[:2] for line in capsys.readouterr().out.splitlines() if " | 0.500" in line]
    expected = {"| 17": "1", "| a/gan": "2", "| b/gan": "1", "| rule_1": "1", "| rule_2": "1"}
    assert rows[: len(expected)] == [[name, seeds] for name, seeds in expected.items()]
    assert call(tmp_path, "--each_seed") == 0
    rows = [line.split(" | ")[:2] for line in capsys.readouterr().out.splitlines() if " | 0.500" in line]
    expected = ("17", "a/gan/17", "a/gan/18", "b/gan", "rule_1", "rule_2")
    assert rows[: len(expected)] == [[f"| {name}", "1"] for name in expected]


def test_data_without_clouds_have_no_columns_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, 0.5, clouds=False)
    assert call(tmp_path) == 0
    shown = capsys.readouterr().out
    assert "cloudy" not in shown
    assert shown.count("RMSE") == 1


def test_names_are_shown_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, 0.5, dataset="a|b `c`\n<b>&amp;", classifier="__x__ *y* [z](w)", experiment="\\|")
    assert call(tmp_path) == 0
    shown = capsys.readouterr().out
    assert r"## a\|b \`c\` \<b\>\&amp;: 38" in shown
    assert r"\_\_x\_\_ \*y\* \[z\](w)" in shown
    assert r"| \\\| | 1 |" in shown


def test_gains_over_no_generation_and_over_the_best_baseline(tmp_path: Path) -> None:
    """Each judge chooses what is the best by it; intervals are of differences over the same views."""
    without, rule = RULE | {"kind": "no generation"}, RULE
    for name, value, about in (("gan", 0.7, {}), ("rule", 0.6, rule), ("worse", 0.1, rule), ("none", 0.65, without)):
        folder = write(tmp_path, value, name, **about).parent
        views = [{"view": str(n), **_judged(n, value)} for n in range(5)]
        write_csv(folder / "views.csv", views)
    other = json.loads((tmp_path / "worse/eval/test_scores.json").read_text())
    other["judges"]["minirocket"]["jaccard_ratio"] |= {"mean": 0.9, "high": 1.0}
    (tmp_path / "worse/eval/test_scores.json").write_text(json.dumps(other))
    assert call(tmp_path, f"--csv={tmp_path / 'table'}") == 0
    with (tmp_path / "table/gains.csv").open() as stream:
        rows = {(row["method"], row["judge"], row["above"]): row for row in csv.DictReader(stream)}
    assert len(rows) == 2 * 2 + 2 * 2 + 2  # the best baseline isn't above itself
    row = rows["gan", "logistic_regression", "no generation"]
    assert (row["which"], float(row["gain"])) == ("none", pytest.approx(0.05 / 0.9))
    assert 0 < float(row["gain_low"]) == pytest.approx(float(row["gain_high"]))  # where views differ alike
    assert rows["gan", "logistic_regression", "baseline"]["which"] == "rule"
    assert rows["gan", "minirocket", "baseline"]["which"] == "worse"
    assert float(rows["worse", "minirocket", "no generation"]["gain"]) == pytest.approx(-0.55 / 0.9)


def _judged(view: int, value: float) -> dict[str, float]:
    """A view's scores: land cover is recognised in some views better than in others, whatever the method."""
    judges, ease = ("logistic_regression", "minirocket"), (view - 2) / 50
    of_frames = {f"jaccard_generated_{judge}": value + ease for judge in judges}
    return of_frames | {f"jaccard_real_{judge}": 0.9 for judge in judges}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "cgan_toy_cloud_removal: found two files of seed 17; leave one out"),
        ({"seed": None}, "cgan_toy_cloud_removal: found two files of what has no seed; leave one out"),
        (
            {"seed": 18, "run": {"configuration": {"model": {"width": 16}}, "data": "abc"}},
            "different runs cannot be averaged (model.width: found 8, expected 16)",
        ),
        ({"seed": 18, "run": {"configuration": {"model": {"width": 8}}, "data": "x"}}, "data: found abc, expected x"),
    ],
)
def test_what_cannot_be_averaged_is_named(
    changes: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write(tmp_path, 0.5, "gan", seed=changes.get("seed", 17) and 17)
    other = write(tmp_path, 0.5, "other", **changes).parent.rename(tmp_path / "gan/again") / one.name
    assert call(tmp_path) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert str(one) in shown
    assert str(other) in shown


def test_there_must_be_scores_and_hidden_folders_hold_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / ".ipynb_checkpoints", 0.5)
    for path in (tmp_path / "none", tmp_path):
        assert call(path) == 2
        assert "test_scores.json" in capsys.readouterr().err
