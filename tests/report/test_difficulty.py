"""The section on a sweep: its table is what the score files say, its charts show every method."""

import csv
from pathlib import Path

import pytest
import yaml

from src.report import difficulty
from src.report.page import of_study, write
from tests.report.study import classifier, no_generation, parse, preview, result, tables
from utils.comparison import Result
from utils.config import read
from utils.errors import ConfigError, DataError
from utils.intervals import Interval
from utils.results import read_scores
from utils.study import Study

KEY, VALUES = "lost.share", (0, 0.25, 0.5)
SCORES = {"ratio": "jaccard_ratio", "rmse": "rmse"}


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A sweep of a network with two seeds, a rule and what needs no image, the harder the worse; in no order."""
    for value in VALUES:
        level = f"{KEY}={value}"
        about = {"dataset": level, "data": "the same targets"}
        for seed in (1, 2):
            result(tmp_path / "experiments", "network", seed, 0.9 - value - 0.1 * seed, **about)
        result(tmp_path / "experiments", "copy", None, 0.6 - value, **about)
        no_generation(tmp_path / "experiments", 0.7 - value, "sar", **about)
        classifier(tmp_path / "classifiers" / level / "judges" / "minirocket")
    folders = {name: str(tmp_path / name) for name in ("views", "classifiers", "experiments", "identities")}
    sweep = {"key": KEY, "values": [0.5, 0, 0.25], "task": "cloud_removal", "dataset": "scenes", "file": "a.yaml"}
    sweep |= {"experiments": ["network"], "baselines": ["copy", "no_generation_sar"]}
    content = {"seeds": [1, 2], "datasets": [], "experiments": [], "baselines": [], "sweep": sweep}
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(content | {"scale": {"toygeneration": {}, "rsgan": {}}, "folders": folders}))
    return file


def found(params: Path) -> difficulty.Sweep:
    return difficulty.read_sweep(read(Study, params))


def test_the_table_is_what_the_score_files_say(params: Path) -> None:
    rows = list(difficulty.table(found(params)))
    assert [(row["value"], row["method"]) for row in rows] == [
        (value, name) for value in VALUES for name in ("network", "copy", "no generation SAR")
    ]
    for row in rows:
        assert (row["key"], row["views"]) == (KEY, 2)
        folder = params.parent / "experiments" / f"{KEY}={row['value']}" / row["method"].lower().replace(" ", "_")
        results = [Result(file, read_scores(file)) for file in sorted(folder.rglob("test_scores.json"))]
        assert len(results) == (2 if row["method"] == "network" else 1)
        for column, name in SCORES.items():
            section = "original" if column == "ratio" else "reflectance"
            own = [getattr(one.scores, section)[name] for one in results]
            assert row[column] == pytest.approx(sum(one.mean for one in own) / len(own))
            if len(own) == 1:
                assert (
                    Interval(mean=row[column], low=row[f"{column}_low"], high=row[f"{column}_high"], count=2) == own[0]
                )
        assert row["no_generation"] == pytest.approx(0.7 - row["value"])


def test_a_chart_has_a_line_with_its_interval_for_each_method(params: Path) -> None:
    ratios, errors = difficulty.charts(found(params))
    for chart in (ratios, errors):
        tree = parse(chart.svg)
        said = tree.all("desc")[0].text
        shown = " ".join(text.text for text in tree.all("text"))
        for name in ("network", "copy", "no generation SAR"):
            assert f"{name}: " in said
            assert name in shown
        assert KEY in shown
    assert "no generation SAR: 0.7 at 0, 0.2 at 0.5" in parse(ratios.svg).all("desc")[0].text


def test_values_that_grow_by_factors_are_equally_far_apart(params: Path) -> None:
    sweep = found(params)
    task = sweep.tasks[0]
    for values, geometric in (((1, 2, 4, 8), True), ((0, 2, 4, 8), False), ((1, 2, 3, 4), False)):
        other = difficulty.Sweep("postprocess.looks", dict.fromkeys(values, task))
        assert other.is_geometric == geometric
    ticks = parse(difficulty.charts(difficulty.Sweep("looks", dict.fromkeys((1, 4, 16), task)))[0].svg)
    places = [float(text.attributes["x"]) for text in ticks.all("text") if text.text in ("1", "4", "16")]
    assert len(places) == 3
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.1)


def test_the_report_has_a_section_and_a_table_of_a_sweep_alone(params: Path, tmp_path: Path) -> None:
    write(of_study(params), [preview(tmp_path)], tmp_path / "report")
    tree = parse((tmp_path / "report/index.html").read_text())
    (section,) = [one for one in tree.all("section") if one.attributes["aria-labelledby"] == "difficulty"]
    assert len(section.all("svg")) == 2
    (judges,) = [rows for caption, rows in tables(tree).items() if "Reference classifiers" in caption]
    assert list(judges) == [f"{KEY}={value} (minirocket)" for value in VALUES]
    assert KEY in section.text
    with (tmp_path / "report" / difficulty.DIFFICULTY).open() as stream:
        written = [{key: float(cell) for key, cell in row.items() if key in SCORES} for row in csv.DictReader(stream)]
    assert written == [{key: row[key] for key in SCORES} for row in difficulty.table(found(params))]


def test_what_is_missing_or_stale_is_named(params: Path) -> None:
    level = params.parent / "experiments" / f"{KEY}=0.25"
    (level / "copy/eval/test_scores.json").unlink()
    with pytest.raises(DataError, match=r"0\.25/copy/eval/test_scores\.json: no such file, but .*params\.yaml"):
        of_study(params)
    result(params.parent / "experiments", "copy", None, 0.4, dataset=level.name, data="other targets")
    with pytest.raises(DataError, match=r"test_scores\.json.*different data or judges"):
        of_study(params)
    content = yaml.safe_load(params.read_text())
    del content["sweep"]["key"]
    params.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="sweep: found values without key"):
        of_study(params)
