"""The report's parts: what is said, what is drawn, how numbers are written, and results that are not all there."""

import io
import json
import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from src.report import cloud_cover, findings, runs
from src.report.charts import Dot, Line, Look, draw_dots, draw_lines
from src.report.estimates import RATIO, in_words, show
from src.report.page import below
from src.report.tasks import Shown, Task, words
from src.report.thumbnails import shrink
from src.report.training import Figure, split
from tests.report.study import classifier, no_generation, page, parse, picture, result, study, tables, tasks
from utils.comparison import ratio_difference
from utils.errors import DataError
from utils.identity import Identity
from utils.intervals import Interval
from utils.results import read_classifier_scores
from utils.scores import KNOCKED_OUT, NO_GENERATION, SCORES
from utils.tables import write_csv, write_json


def only(root: Path) -> Task:
    (task,) = tasks(root)
    return task


def names(task: Task) -> dict[str, Shown]:
    return {method.label: method for method in task.methods}


@pytest.mark.parametrize(
    ("experiment", "dataset", "expected"),
    [
        ("cgan_toy_cloud_removal", "toy_cloud_removal", "cGAN"),
        ("cgan_frame_recurrent_toy_cloud_removal", "toy_cloud_removal", "cGAN frame recurrent"),
        ("cgan_toy_cloud_removal_upper_bound", "toy_cloud_removal", "cGAN upper bound"),
        ("cycle_gan_toy_sar_to_optical", "toy_sar_to_optical", "cycle GAN"),
        ("linear_interpolation", "toy_cloud_removal", "linear interpolation"),
        ("cgan_toy", "toy_cloud_removal", "cGAN"),
        ("toy", "toy", "toy"),
        ("_toy", "toy", "toy"),
    ],
)
def test_labels(tmp_path: Path, experiment: str, dataset: str, expected: str) -> None:
    result(tmp_path, experiment, 1, 0.5, dataset=dataset)
    assert list(names(only(tmp_path))) == [expected]


def test_words() -> None:
    assert words("sar_to_optical", capital=True) == "SAR to optical"
    assert words("bell\x07") == "bell\ufffd"


def test_labels_that_would_be_the_same_are_whole_names(tmp_path: Path) -> None:
    result(tmp_path, "cgan_toy_cloud_removal", 1, 0.5)
    result(tmp_path, "cgan", 1, 0.5)
    assert sorted(names(only(tmp_path))) == ["cgan", "cgan_toy_cloud_removal"]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.5, 0.45, 0.6), "0.500 [0.450, 0.600]"),
        ((12.34, 9.5, 15.0), "12.3 [9.5, 15.0]"),
        ((0.5, None, None), "0.500"),
        (("inf", "inf", "inf"), "∞"),
        (("inf", 30.0, "inf"), "∞"),
        ((None, None, None), "–"),
    ],
)
def test_scores_are_written_with_their_interval(
    tmp_path: Path, ends: tuple[float | str | None, ...], expected: str
) -> None:
    interval = dict(zip(("mean", "low", "high"), ends, strict=True)) | {"count": 2}
    result(tmp_path, "cloudy_copy", None, 0.5, scores={"jaccard_ratio": interval})
    assert in_words(only(tmp_path).methods[0], RATIO) == expected


def test_numbers() -> None:
    values = (0.12345, 12.345, -1.0, math.nan, math.inf, -math.inf)
    assert [show(value) for value in values] == ["0.123", "12.3", "−1.000", "–", "∞", "−∞"]
    assert show(0.04, like=12.0) == "0.0"


def test_findings_are_computed(tmp_path: Path) -> None:
    cloud_removal, sar_to_optical = tasks(study(tmp_path))
    said = " ".join(findings.sentences(cloud_removal))
    assert "Of 4 methods, the network “cGAN” has the best Jaccard ratio: 0.667 ± 0.517." in said
    assert "is 0.047 above the best baseline, “linear interpolation” with 0.620 [0.570, 0.720]" in said
    assert "The upper bound “cGAN upper bound”, a network that is given the real image itself, reaches 0.980" in said
    assert "“cloudy copy” has the smallest RMSE (0.400, against 0.667), but a ratio of 0.400" in said
    assert (
        "From pixels with a mean opacity of 0.05 to those of 0.15, the ratio of “cGAN” goes from 0.667 to 0.567" in said
    )
    said = " ".join(findings.sentences(sar_to_optical))
    assert "“cycle GAN” with 0.300 [0.250, 0.400], is 0.100 above the best baseline" in said
    assert "is [0.100, 0.100]; it leaves 0 out" in said  # the same difference on each view


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([("n", 1, 0.5)], "No: by"),
        ([("n", 1, 0.9)], "Undecided"),
        ([("n", 1, 0.97), ("m", 1, 1.01)], "Yes: by"),
        ([("cgan_upper_bound", 1, 1.1), ("copy", None, 1.1)], "No network's images have been judged"),
        ([("n", 1, None)], "No network's images have been judged"),
    ],
)
def test_answer_follows_the_networks(
    tmp_path: Path, ratios: list[tuple[str, int | None, float]], expected: str
) -> None:
    for name, seed, ratio in ratios:
        result(tmp_path, name, seed, ratio)
    assert findings.answer(tasks(tmp_path)).startswith(expected)


def test_submissions_compete_beside_networks(tmp_path: Path) -> None:
    """Nobody knows what they were told, so nothing is said of what that is worth."""
    result(tmp_path, "cgan_toy_cloud_removal", 1, 0.5)
    assert "no network's images" in findings.answer(tasks(tmp_path))
    result(tmp_path, "mine", None, 0.97, kind="submission", told=None)
    result(tmp_path, "cloudy_copy", None, 0.3)
    no_generation(tmp_path, 0.6, "sar")
    task = only(tmp_path)
    assert [method.kind for method in task.methods] == ["network", "submission", "baseline", "no generation"]
    assert findings.answer([task]).startswith("Undecided: the interval of at least one network or submission's")
    said = " ".join(findings.sentences(task))
    assert "Of 3 methods, the submission “mine” has the best Jaccard ratio: 0.970" in said
    assert "The best network, “cGAN” with 0.500 [0.450, 0.600], is 0.200 above the best baseline" in said
    assert "The best submission, “mine” with 0.970 [0.920, 1.070], is 0.670 above the best baseline" in said
    assert "worse from the images of these networks than without any image: “cGAN” (0.500)" in said
    assert "all else being equal" not in said


def test_answers_on_several_data_sets_are_told_apart(tmp_path: Path) -> None:
    result(tmp_path, "n", 1, 1.0, dataset="toy_a")
    result(tmp_path, "n", 1, 0.1, dataset="toy_b")
    assert findings.answer(tasks(tmp_path)) == (
        "A: yes: by this measure, the images of at least one network are good enough; "
        "B: no: by this measure, no network's images are good enough."
    )


def test_paired_difference(tmp_path: Path) -> None:
    root = study(tmp_path)
    found = names(tasks(root)[0])
    network, baseline = found["cGAN"], found["linear interpolation"]
    assert (ratio_difference(network, network).low, ratio_difference(network, network).high) == (0, 0)
    there, back = ratio_difference(network, baseline), ratio_difference(baseline, network)
    assert (there.low, there.high) == pytest.approx((2 / 3 - 0.62,) * 2)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    (baseline.results[0].file.with_name("views.csv")).unlink()
    assert ratio_difference(network, baseline) is None


@pytest.mark.parametrize(
    ("ratio", "verdict", "worse"),
    [
        (0.5, "Generating images helps: “no generation SAR”", False),
        (0.605, "Whether generating images helps at all is not settled", False),
        (0.9, "Generating images does harm", True),
    ],
)
def test_the_first_finding_is_whether_images_help_at_all(
    tmp_path: Path, ratio: float, verdict: str, worse: bool
) -> None:
    """The best method of all is compared on the same views; its scores are 0.6 and 0.61."""
    result(tmp_path, "cgan_toy_cloud_removal", 1, 0.6)
    result(tmp_path, "cloudy_copy", None, 0.3)
    folder = no_generation(tmp_path, ratio, "sar")
    no_generation(tmp_path, 0.2, "clouded_optical", "sar")
    views = [{"view": view, "jaccard_generated": ratio, "jaccard_real": 1.0} for view in ("2", "10")]
    write_csv(folder / "eval/views.csv", views)
    first, second, *_ = findings.sentences(only(tmp_path))
    assert first.startswith(verdict)
    assert f"[{0.6 - ratio:.3f}, {0.61 - ratio:.3f}]".replace("-", "−") in first
    assert second.startswith("Land cover is recognised worse from the images of these networks than") == worse
    assert not worse or "“cGAN” (0.600)" in second


def test_no_generation_is_that_of_the_same_data_set(tmp_path: Path) -> None:
    """Both sensors see the same series, in the one, and share the class alone in the other: targets are the same."""
    result(tmp_path, "cgan_toy_cloud_removal", 1, 0.6)
    no_generation(tmp_path, 0.5, "sar")
    no_generation(tmp_path, 0.9, "sar", dataset="other", data="views of toy_cloud_removal")
    task = only(tmp_path)
    assert task.of(NO_GENERATION)[0].about.dataset == "other"
    assert next(iter(findings.sentences(task))).startswith("Generating images helps")
    assert "no generation: 0.500" in findings.ratios(task).svg


def test_no_generation_is_a_line_of_charts_and_competes_with_nobody(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    result(root, "cgan_toy_cloud_removal", 1, 0.6)
    result(root, "cloudy_copy", None, 0.3)
    for ratio, sensors in ((0.9, ["sar"]), (0.8, ["clouded_optical", "sar"])):
        no_generation(root, ratio, *sensors)
    task = only(root)
    labels = ["cGAN", "cloudy copy", "no generation SAR", "no generation clouded optical SAR"]
    assert list(names(task)) == labels
    described = parse(findings.ratios(task).svg).all("desc")[0].text
    assert (
        described
        == "cGAN: 0.600 (0.550 to 0.700); cloudy copy: 0.300 (0.250 to 0.400); no generation: 0.900 (0.850 to 1.000)."
    )
    cover = parse(cloud_cover.charts(task)[0].svg).all("desc")[0].text
    assert "no generation SAR" in cover
    assert "clouded optical" not in cover
    tree = parse(page(root))
    table = next(table for table in tree.all("table") if "Land cover" in table.all("caption")[0].text)
    assert [body.all("th")[0].text for body in table.all("tbody")] == ["Networks", "Baselines", "No generation"]
    assert {line.all("th")[0].text for line in table.all("tr") if line.all("strong")} == {"cGAN"}
    assert "1 network, 1 baseline,\ntested" in tree.text
    assert "no generation SAR" in [fold.text for fold in tree.all("summary")]


def test_what_the_best_ratio_rests_on(tmp_path: Path) -> None:
    for name, ratio in (("cgan_toy_cloud_removal", 0.6), ("least_cloudy_frame", 0.8)):
        result(tmp_path, name, 1, ratio)
    file = tmp_path / "toy_cloud_removal/cgan_toy_cloud_removal/1/eval" / SCORES
    content = json.loads(file.read_text())
    assert "rests on" not in " ".join(findings.sentences(only(tmp_path)))
    less, more = ({"mean": ratio, "low": 0, "high": 1, "count": 2} for ratio in (0.3, 0.9))
    content["knock_outs"] = {
        "sar of another view": dict.fromkeys(KNOCKED_OUT, less),
        "no sar": dict.fromkeys(KNOCKED_OUT, more),
    }
    write_json(file, content)
    said = " ".join(findings.sentences(only(tmp_path)))
    assert "“cGAN” has a ratio of 0.600; 0.300 with SAR of another view (50 % less), 0.900 with no SAR (50 % mo" in said


def told(opacity: str, *sensors: str) -> dict[str, object]:
    return {"sensors": list(sensors), "opacity": opacity, "sees": "frame"}


def made(**dataset: object) -> dict[str, object]:
    channels = 3 * len(dataset["sources"])
    content = {"dataset": dataset | {"target": "clean"}, "model": {"generator": {"input_size": [channels, 64, 64]}}}
    return Identity(content, data=str(dataset), code=str(channels)).record()


def test_methods_alike_in_all_but_what_they_are_told_say_what_that_is_worth(tmp_path: Path) -> None:
    both, optical = ["clouded", "sar"], ["clouded"]
    for name, ratio, opacity, sources in (
        ("rule_without", 0.5, "none", optical),
        ("rule_with", 0.7, "none", both),
        ("rule_estimated", 0.55, "estimated", optical),
        ("rule_exact_with", 0.8, "exact", both),
    ):
        about = {"told": told(opacity, *sources), "run": made(sources=sources, opacity=opacity)}
        for seed in (1, 2):
            result(tmp_path, "cgan", seed, ratio, name=name, **about)
    result(tmp_path, "other", 1, 0.9, told=told("none", *both), run=made(sources=both, frames=5))
    said = [sentence for sentence in findings.sentences(only(tmp_path)) if sentence.startswith("What ")]
    start = "all else being equal, over the same test views:"
    assert said == [
        f"What the exact opacity is worth beside none, {start} “rule exact with” less “rule with” is "
        "0.100 [0.100, 0.100] in ratio and 0.100 [0.100, 0.100] in RMSE.",
        f"What SAR is worth, {start} “rule with” less “rule without” is "
        "0.200 [0.200, 0.200] in ratio and 0.200 [0.200, 0.200] in RMSE.",
        f"What the estimated opacity is worth beside none, {start} “rule estimated” less “rule without” is "
        "0.050 [0.050, 0.050] in ratio and 0.050 [0.050, 0.050] in RMSE.",
    ]


def test_methods_that_say_how_uncertain_they_are_have_a_table(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    for name in ("bold", "certain"):
        result(root, name, 1, 0.6)
    caption = "How uncertain"
    for certain, rows in (("certain", ["bold"]), ("bold", None)):
        file = root / "toy_cloud_removal" / certain / "1/eval" / SCORES
        content = json.loads(file.read_text())
        del content["uncertainty"]
        write_json(file, content)
        found = [table for table in parse(page(root)).all("table") if caption in table.all("caption")[0].text]
        shown = [[row.all("th")[0].text for row in table.all("tr")[2:]] for table in found]
        assert shown == ([rows] if rows else [])


def test_curves_are_means_over_seeds_without_sparse_bins(tmp_path: Path) -> None:
    network = names(tasks(study(tmp_path))[0])["cGAN"]
    points = cloud_cover.curve(network, "pixel series", "jaccard_ratio")
    assert [point[0] for point in points] == pytest.approx([0.05, 0.15])
    assert [point[1] for point in points] == pytest.approx([2 / 3, 2 / 3 - 0.1])


def marks(svg: str) -> int:
    return len([use for use in parse(svg).all("use") if "var(--c" in (use.attributes["style"] or "")])


def test_lines_break_where_values_are_not_finite() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 3.0), (4.0, math.inf), (5.0, 1.0), (6.0, 1.0)]

    def draw(*values: tuple[float, float]) -> str | None:
        chart = draw_lines([Line("s", values, Look(0))], title="t", x="x", y="y", caption="c")
        return chart and chart.svg

    drawn = draw(*points)
    assert marks(drawn) == 5 + 1  # and one in the legend
    (line,) = [path for path in parse(drawn).all("path") if path.attributes["d"].count("M") == 3]
    assert "var(--c0)" in line.attributes["style"]
    assert draw((0.0, math.nan)) is None
    assert draw() is None
    assert "nan" not in draw((1.0, 0.0))


def test_names_that_differ_at_either_end_are_drawn_as_different() -> None:
    long = "method of a name that is far too long to be written whole on two lines of a chart"
    drawn = [f"another {long}", long, f"{long} told more", "cGAN", "cGAN of one sensor, clouded optical"]
    dots = [Dot(name, Interval(mean=0.5, low=0.4, high=0.6, count=2), Look(0)) for name in drawn]
    lines = [Line(name, [(0.0, 1.0), (1.0, 2.0)], Look(0)) for name in drawn]
    for svg in (
        draw_dots(dots, title="t", caption="c").svg,
        draw_lines(lines, title="t", x="x", y="y", caption="c").svg,
    ):
        shown = " ".join(text.text for text in parse(svg).all("text"))
        assert "cGAN of one sensor, clouded optical" in shown
        for part in ("another method", "told more", "of a chart"):
            assert part in shown


@settings(max_examples=8, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=60),
    st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
)
def test_any_name_and_interval_can_be_drawn(name: str, values: list[float]) -> None:
    low, mean, high = sorted(values)
    dots = [
        Dot(name, Interval(mean=mean, low=low, high=high, count=2), Look(1, hollow=True)),
        Dot("b", Interval(mean=0.25, low=math.nan, high=math.inf, count=2), Look(None)),
    ]
    svg = draw_dots(dots, title=name, caption="c").svg
    tree = parse(svg)
    assert [element.tag for element in tree.all()[:3]] == ["svg", "title", "desc"]
    assert tree.all("title")[0].text == name
    assert "b: 0.250." in tree.all("desc")[0].text
    assert draw_dots(dots, title=name, caption="c").svg == svg


@pytest.mark.parametrize(
    ("tag", "figure", "part"),
    [
        ("Metric/train_mae", Figure("Metric", "mae"), "training"),
        ("Metric/val_mae_BA", Figure("Metric", "mae_BA"), "validation"),
        ("Loss/cycle_loss_AB", Figure("Loss", "cycle_loss_AB"), "training"),
        ("val_loss", Figure("Loss", "loss"), "validation"),
        ("val_odd", Figure("Others", "odd"), "validation"),
        ("a/b/c", Figure("a/b", "c"), "training"),
    ],
)
def test_tags(tag: str, figure: Figure, part: str) -> None:
    assert split(tag) == (figure, part)


TAGS = ("Metric/train_mae", "Metric/val_mae", "Loss/train_generator", "Loss/val_generator", "Loss/real", "odd")


def test_every_recorded_figure_is_drawn(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    folder = result(root, "n", 1, 0.5)
    rows = [{"epoch": n, "step": n} | dict.fromkeys(TAGS, n / 10) for n in range(2)]
    write_csv(folder / "run/metrics.csv", rows)
    tree = parse(page(root))
    charts = [chart for chart in tree.all("svg") if "over training" in chart.all("title")[0].text]
    assert [chart.all("title")[0].text.partition(": ")[2] for chart in charts] == [
        "Metric, mae over training",
        "Loss over training",
        "Others, odd over training",
    ]
    described = [chart.all("desc")[0].text.rstrip(".").split("; ") for chart in charts]
    ends = ": 0 at 1, 0.1 at 2"
    assert described == [
        [f"seed 1, training{ends}", f"seed 1, validation{ends}"],
        [f"generator, seed 1, training{ends}", f"generator, seed 1, validation{ends}", f"real, seed 1, training{ends}"],
        [f"seed 1, training{ends}"],
    ]
    assert [fold.text for fold in tree.all("summary")][:2] == ["Loss", "Others"]
    (folder / "run/identity.json").unlink()
    assert [fold.text for fold in parse(page(root)).all("summary")][:3] == ["Loss", "Metric", "Others"]


def test_pictures_are_small_and_maps_keep_their_colours(tmp_path: Path) -> None:
    noise = shrink(picture(tmp_path / "noise.png", size=(1500, 300)))
    assert Image.open(io.BytesIO(noise)).size == (1100, 220)
    assert len(noise) < (tmp_path / "noise.png").stat().st_size / 5
    colours = Image.new("RGB", (1500, 20), (200, 30, 40))
    colours.paste((0, 0, 255), (0, 0, 700, 20))
    colours.save(tmp_path / "map.png")
    assert Image.open(io.BytesIO(shrink(tmp_path / "map.png"))).convert("RGB").tobytes() == colours.tobytes()


def test_only_baselines(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    result(root, "cloudy_copy", None, 0.4)
    tree = parse(page(root))
    assert "No network's images have been judged yet." in tree.text
    assert "Training curves" not in tree.text
    assert "Networks" not in [cell.text for cell in tree.all("th")]


def test_data_without_clouds_have_no_columns_and_no_section_of_them(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    for name, seed in (("n", 1), ("rule", None)):
        result(root, name, seed, 0.4, clouds=False)
    tree = parse(page(root))
    assert not [cell.text for cell in tree.all("th") if "clear" in cell.text or "cloudy" in cell.text]
    assert "Scores and cloud cover" not in [heading.text for heading in tree.all("h3")]
    assert cloud_cover.table(tasks(root)) == []


def test_same_views_and_targets_are_one_table_whatever_the_sources(tmp_path: Path) -> None:
    result(tmp_path, "cgan", 1, 0.5)
    result(tmp_path, "cgan", 1, 0.4, dataset="optical_only", data="views of toy_cloud_removal")
    result(tmp_path, "linear", None, 0.4)
    task = only(tmp_path)
    assert task.title == "Cloud removal"
    assert sorted(names(task)) == ["linear", "optical only/cGAN", "toy cloud removal/cGAN"]


def test_variants_of_one_experiment_are_methods_of_their_own(tmp_path: Path) -> None:
    for folder, weight in (("with", 100), ("without", 1)):
        for seed in (1, 2):
            result(tmp_path / folder, "cgan", seed, 0.5, run=Identity({"name": "cgan", "weight": weight}).record())
    assert sorted(names(only(tmp_path))) == ["with/toy cloud removal/cGAN", "without/toy cloud removal/cGAN"]
    assert [len(method.results) for method in only(tmp_path).methods] == [2, 2]


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"run": Identity({"name": "n", "epochs": 2}).record()}, "epochs: found"),
        ({"data": "other views"}, "different views"),
        ({"judge": "other"}, "different classifiers"),
    ],
)
def test_runs_of_different_work_are_refused_by_file(tmp_path: Path, about: dict[str, object], message: str) -> None:
    first, second = result(tmp_path, "n", 1, 0.5), result(tmp_path, "n", 2, 0.5, **about)
    with pytest.raises(DataError, match=message) as caught:
        tasks(tmp_path)
    assert all(str(folder) in str(caught.value) for folder in (first, second))


def test_one_seed_has_no_interval_over_seeds(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    result(root, "cgan_toy_cloud_removal", 1, 0.5)
    rows = next(rows for caption, rows in tables(parse(page(root))).items() if "Errors" in caption)
    assert set(rows["cGAN"].values()) == {"1", "0.500 [0.450, 0.600]", "sar, one frame"}


def test_nothing_but_scores(tmp_path: Path) -> None:
    root = study(tmp_path / "experiments")
    for file in root.rglob("*"):
        if file.is_file() and file.name != "test_scores.json":
            file.unlink()
    tree = parse(page(root))
    headings = [heading.text for heading in tree.all("h3")]
    assert headings == ["Cloud removal", "SAR to optical", "Scores", "Scores"]


def test_undefined_and_infinite_scores(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    undefined = {"correlation": {"mean": None, "low": None, "high": None, "count": 0}}
    infinite = {"psnr": {"mean": "inf", "low": "inf", "high": "inf", "count": 2}}
    for seed in (1, 2):
        result(root, "cgan_toy_cloud_removal", seed, 0.5, scores=undefined | infinite)
    result(root, "cloudy_copy", None, None, scores=infinite)
    found = tables(parse(page(root)))
    rows = next(rows for caption, rows in found.items() if "Structure" in caption)
    assert (rows["cGAN"]["PSNR (dB) ↑"], rows["cGAN"]["correlation in time ↑"]) == ("∞", "–")
    assert rows["cloudy copy"]["PSNR (dB) ↑"] == "∞"
    errors = next(rows for caption, rows in found.items() if "Errors" in caption)
    assert errors["cloudy copy"]["RMSE ↓"] == "–"


def test_no_ratio_is_defined(tmp_path: Path) -> None:
    result(tmp_path, "cgan_toy_cloud_removal", 1, None)
    result(tmp_path, "cloudy_copy", None, None)
    assert findings.sentences(only(tmp_path)) == ["No method's Jaccard ratio is defined."]
    assert findings.ratios(only(tmp_path)) is None


def test_results_may_lie_at_any_depth(tmp_path: Path) -> None:
    root = study(tmp_path / "a" / "experiments")
    expected = [(method.title, method.mean(RATIO)) for task in tasks(root) for method in task.methods]
    moved = tmp_path / "b" / "experiments"
    shutil.copytree(root / "toy_cloud_removal", moved / "deeper" / "still")
    shutil.copytree(root / "toy_sar_to_optical", moved / "x")
    shutil.copytree(root / "toy_sar_to_optical", moved / ".ipynb_checkpoints" / "x")
    assert [(method.title, method.mean(RATIO)) for task in tasks(moved) for method in task.methods] == expected


def test_another_judge_may_put_methods_into_another_order(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    for name, one, other in (("a", 0.9, 0.4), ("b", 0.6, 0.5), ("c", 0.5, 0.3)):
        result(root, name, None, one, by_judge={"minirocket": one, "forest": other})
    result(root, "upper_bound", 1, 1.0, by_judge={"minirocket": 1.0, "forest": 1.0})
    no_generation(root, 0.7, "sar", by_judge={"minirocket": 0.7, "forest": 0.8})
    said = " ".join(findings.sentences(only(root)))
    assert "Under another judge, forest, “b” has the best ratio: 0.500 [0.450, 0.600]." in said
    assert "Without any image it is 0.800 [0.750, 0.900]." in said
    assert "order of 3 methods between the two is 0.333." in said  # of three pairs, two are in the same order
    assert "To learn land cover from, the images of “a” are the best" in said
    rows = next(rows for caption, rows in tables(parse(page(root))).items() if "by judge" in caption)
    assert rows["b"]["ratio, forest ↑"].startswith("0.500")
    assert rows["b"]["TSTR ratio, minirocket ↑"].startswith("0.600")
    charts = [parse(chart.svg).all("desc")[0].text for chart in findings.by_judge(only(root))]
    assert [chart.split(" (")[0] for chart in charts] == ["upper bound: 1.000", "upper bound: 1.000"]
    assert [chart.split("; ")[1].split(" (")[0] for chart in charts] == ["a: 0.900", "b: 0.500"]


def test_a_classifier_is_named_by_its_data_set(tmp_path: Path) -> None:
    for place in ("sar/minirocket", "optical"):
        classifier(tmp_path / place)
    found = {file: read_classifier_scores(file) for file in below([], [tmp_path], []).classifiers}
    assert sorted(runs.whose(*pair) for pair in found.items()) == ["optical (minirocket)", "sar (minirocket)"]
