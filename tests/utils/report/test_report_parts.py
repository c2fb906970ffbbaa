"""The report's parts: what is said, what is drawn, how numbers are written, and results that are not all there."""

import math
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.utils.report.study import change_json, page, parse, picture, result, study, tables
from utils.report import cloud_cover, findings
from utils.report.blocks import slug
from utils.report.dot_chart import Dot, draw_dots
from utils.report.estimates import Estimate, show
from utils.report.line_chart import LineChart, Series, draw_lines
from utils.report.paired import ratio_difference
from utils.report.pictures import LARGEST, embed
from utils.report.results import DataSet, label, read_results
from utils.report.svg import Look, ticks


def only(root: Path) -> DataSet:
    (dataset,) = read_results(root)
    return dataset


def names(dataset: DataSet) -> dict[str, Any]:
    return {method.label: method for method in dataset.methods}


@pytest.mark.parametrize(
    ("experiment", "dataset", "expected"),
    [
        ("cgan_toy_cloud_removal", "toy_cloud_removal", "cGAN"),
        ("cgan_frame_recurrent_toy_cloud_removal", "toy_cloud_removal", "cGAN frame recurrent"),
        ("cgan_toy_cloud_removal_upper_bound", "toy_cloud_removal", "cGAN upper bound"),
        ("cycle_gan_toy_sar_to_optical", "toy_sar_to_optical", "cycle GAN"),
        ("linear_interpolation", "toy_cloud_removal", "linear interpolation"),
        ("toy", "toy", "toy"),
    ],
)
def test_labels(experiment: str, dataset: str, expected: str) -> None:
    assert label(experiment, dataset) == expected


def test_labels_that_would_be_the_same_are_whole_names(tmp_path: Path) -> None:
    result(tmp_path, "cgan_toy_cloud_removal", 1, 0.5)
    result(tmp_path, "cgan", 1, 0.5)
    assert sorted(names(only(tmp_path))) == ["cgan", "cgan_toy_cloud_removal"]


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(0.5, 0.4, 0.6, 3), "0.500 ± 0.100"),
        (Estimate(0.5, 0.45, 0.6, 1), "0.500 [0.450, 0.600]"),
        (Estimate(12.34, 9.5, 15, 1), "12.3 [9.5, 15.0]"),
        (Estimate(0.5, math.nan, math.nan, 1), "0.500"),
        (Estimate(math.inf, math.nan, math.nan, 3), "∞"),
        (Estimate(math.inf, 30.0, math.inf, 1), "∞"),
        (Estimate(math.nan, math.nan, math.nan, 1), "–"),
        (Estimate(-0.5, -0.75, -0.25, 1), "−0.500 [−0.750, −0.250]"),
    ],
)
def test_estimates_are_written_with_their_interval(estimate: Estimate, expected: str) -> None:
    assert str(estimate) == expected


def test_findings_are_computed(tmp_path: Path) -> None:
    cloud_removal, sar_to_optical = read_results(study(tmp_path))
    said = " ".join(findings.sentences(cloud_removal))
    assert "Of 4 methods, the network “cGAN” has the best Jaccard ratio: 0.667 ± 0.517." in said
    assert "is 0.047 above the best baseline, “linear interpolation” with 0.620 [0.570, 0.720]" in said
    assert "upper bound, a network that is given the real image itself, reaches 0.980" in said
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
    assert findings.answer(read_results(tmp_path)).startswith(expected)


def test_answers_on_several_data_sets_are_told_apart(tmp_path: Path) -> None:
    result(tmp_path, "n", 1, 1.0, dataset="toy_a")
    result(tmp_path, "n", 1, 0.1, dataset="toy_b")
    assert findings.answer(read_results(tmp_path)) == (
        "A: yes: by this measure, the images of at least one network are good enough; "
        "B: no: by this measure, no network's images are good enough."
    )


def test_paired_difference(tmp_path: Path) -> None:
    root = study(tmp_path)
    found = names(read_results(root)[0])
    network, baseline = found["cGAN"], found["linear interpolation"]
    assert ratio_difference(network, network) == (0, 0)
    low, high = ratio_difference(network, baseline)
    assert (low, high) == pytest.approx((2 / 3 - 0.62,) * 2)
    assert ratio_difference(baseline, network) == pytest.approx((-high, -low))
    (baseline.results[0].folder / "views.csv").unlink()
    assert ratio_difference(network, baseline) is None


def test_curves_are_means_over_seeds_without_sparse_bins(tmp_path: Path) -> None:
    network = names(read_results(study(tmp_path))[0])["cGAN"]
    points = cloud_cover.curve(network, "pixel series", "jaccard_ratio")
    assert [point[0] for point in points] == pytest.approx([0.05, 0.15])
    assert [point[1] for point in points] == pytest.approx([2 / 3, 2 / 3 - 0.1])


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.sampled_from([0.0, 1.0]))
def test_ticks_are_equally_spaced_around_the_values(low: float, width: float, least: float) -> None:
    assume(width == 0 or width > 1e-6 * abs(low) + 1e-9)
    assume(low == 0 or abs(low) > 1e-9)
    found = ticks(low, low + width, least=least)
    step = found[1] - found[0]
    assert found[0] <= low + 1e-5 * step
    assert found[-1] >= low + width - 1e-5 * step
    assert [after - before for before, after in pairwise(found)] == pytest.approx([step] * (len(found) - 1), rel=1e-3)
    assert len(found) <= 8
    assert step >= least


def test_ticks_are_round() -> None:
    assert ticks(0.15, 0.38) == [0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(1, 3, least=1) == [1, 2, 3]
    assert ticks(0.5, 0.5)[0] <= 0.5 <= ticks(0.5, 0.5)[-1]


@given(st.lists(st.text(max_size=8), unique=True, max_size=5))
def test_slugs_are_plain_and_as_different_as_names(texts: list[str]) -> None:
    slugs = [slug(text) for text in texts]
    assert len(set(slugs)) == len(slugs)
    assert not set("".join(slugs)) - set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_lines_break_where_values_are_not_finite() -> None:
    look = Look(0, 0)
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 3.0), (4.0, math.inf), (5.0, 1.0), (6.0, 1.0)]
    drawing = draw_lines(LineChart("a", "title", "x", "y", [Series("s", points, look)]))
    assert drawing.body.count('class="line"') == 3 + 1  # and one in the legend
    assert drawing.body.count('class="mark"') == 5 + 1
    assert draw_lines(LineChart("a", "t", "x", "y", [Series("s", [(0.0, math.nan)], look)])) is None
    assert draw_lines(LineChart("a", "t", "x", "y", [])) is None
    constant = draw_lines(LineChart("a", "t", "x", "y", [Series("s", [(1.0, 0.0)], look)]))
    assert "nan" not in constant.body


def test_charts_are_files_of_their_own_too() -> None:
    dots = [Dot("<&> a very long name that nobody can read in full", 0.5, -3, 9, Look(1, 1, hollow=True))]
    dots.append(Dot("b", 0.25, math.nan, math.nan, Look(None, 3)))
    drawing = draw_dots("a", 'Title & "more"', dots, reference=(1, "real"))
    seen: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: seen.append(name)
    parser.Parse(drawing.standalone(), True)
    assert seen[0] == "svg"
    assert {"title", "desc", "style", "rect", "path"} <= set(seen)
    assert "b: 0.250." in drawing.description
    assert "…" in drawing.body


def test_pictures_are_small_and_maps_keep_their_colours(tmp_path: Path) -> None:
    import io

    from PIL import Image

    noise = embed(picture(tmp_path / "noise.png", size=(1500, 300)), name="a", alt="b", caption="c")
    with Image.open(io.BytesIO(noise.data)) as image:
        assert image.size == (1100, 220)
    assert len(noise.data) <= LARGEST
    colours = Image.new("RGB", (1500, 20), (200, 30, 40))
    colours.paste((0, 0, 255), (0, 0, 700, 20))
    colours.save(tmp_path / "map.png")
    with Image.open(io.BytesIO(embed(tmp_path / "map.png", name="a", alt="b", caption="c").data)) as image:
        assert image.tobytes() == colours.tobytes()


def test_only_baselines(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    result(root, "cloudy_copy", None, 0.4)
    tree = parse(page(root))
    assert "No network's images have been judged yet." in tree.text
    assert "Training curves" not in tree.text
    assert "Networks" not in [cell.text for cell in tree.all("th")]


def test_one_seed_has_no_interval_over_seeds(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    result(root, "cgan_toy_cloud_removal", 1, 0.5)
    rows = next(rows for caption, rows in tables(parse(page(root))).items() if "reflectance" in caption)
    assert set(rows["cGAN"].values()) == {"1", "0.500 [0.450, 0.600]"}


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
    undefined = {"correlation": {"mean": None, "low": None, "high": None}}
    infinite = {"psnr": {"mean": "inf", "low": "inf", "high": "inf"}}
    for seed in (1, 2):
        result(root, "cgan_toy_cloud_removal", seed, 0.5, scores=undefined | infinite)
    result(root, "cloudy_copy", None, None, scores=infinite)
    rows = next(rows for caption, rows in tables(parse(page(root))).items() if "reflectance" in caption)
    assert (rows["cGAN"]["PSNR (dB) ↑"], rows["cGAN"]["correlation in time ↑"]) == ("∞", "–")
    assert (rows["cloudy copy"]["PSNR (dB) ↑"], rows["cloudy copy"]["RMSE ↓"]) == ("∞", "–")


def test_no_ratio_is_defined(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    result(root, "cgan_toy_cloud_removal", 1, None)
    result(root, "cloudy_copy", None, None)
    assert "No method's Jaccard ratio is defined." in parse(page(root)).text


def test_old_files_without_intervals_of_the_original_protocol(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    folder = result(root, "cloudy_copy", None, 0.4)
    change_json(folder / "eval/test_scores.json", original={})
    rows = next(rows for caption, rows in tables(parse(page(root))).items() if "original" in caption)
    assert rows["cloudy copy"]["MAE ↓"] == "0.400"
    assert rows["cloudy copy"]["Jaccard ratio ↑"] == "0.400 [0.350, 0.500]"


def test_results_may_lie_at_any_depth(tmp_path: Path) -> None:
    root = study(tmp_path / "a" / "experiments")
    expected = page(root)
    moved = tmp_path / "b" / "experiments"
    shutil.copytree(root / "toy_cloud_removal", moved / "deeper" / "still")
    shutil.copytree(root / "toy_sar_to_optical", moved / "x")
    assert page(moved) == expected


def test_numbers() -> None:
    assert [show(value) for value in (0.12345, 12.345, -1.0, math.nan, math.inf)] == [
        "0.123",
        "12.3",
        "−1.000",
        "–",
        "∞",
    ]
