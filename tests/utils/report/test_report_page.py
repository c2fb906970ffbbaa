"""The report as a web page: whole in itself, well formed, true to the files, safe, and readable on any screen."""

import csv
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.utils.report.study import Element, compose, page, parse, result, study, tables
from utils import score_table
from utils.report import estimates, markdown_page
from utils.report.results import read_results

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("study") / "experiments")


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return page(root)


@pytest.fixture(scope="module")
def tree(text: str) -> Element:
    return parse(text)


def test_page_is_self_contained(text: str, tree: Element) -> None:
    anchors = {element.attributes["id"] for element in tree.all() if "id" in element.attributes}
    for element in tree.all():
        assert element.tag not in {"script", "iframe", "object", "embed"}
        assert not {name for name in element.attributes if name.startswith("on")}
        source, target = element.attributes.get("src"), element.attributes.get("href")
        assert source is None or source.startswith("data:image/")
        assert target is None or target == "data:," or target.removeprefix("#") in anchors
    assert not re.findall(r"https?:|url\(|@import|/secret", text)


def test_page_is_well_formed(tree: Element) -> None:
    (root,) = tree.all("html")
    assert root.attributes["lang"] == "en"
    metas = {meta.attributes.get("name"): meta.attributes.get("content") for meta in tree.all("meta")}
    assert "width=device-width" in metas["viewport"]
    assert metas["color-scheme"] == "light dark"
    names = [element.attributes["id"] for element in tree.all() if "id" in element.attributes]
    assert len(names) == len(set(names))
    references = [element.attributes.get("aria-labelledby", "") for element in tree.all()]
    assert set(" ".join(references).split()) <= set(names)
    levels = [int(element.tag[1]) for element in tree.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    linked = [link.attributes["href"] for link in tree.all("nav")[0].all("a")]
    sections = [f"#{section.attributes['aria-labelledby']}" for section in tree.all("section")]
    assert linked == sections


def test_pictures_charts_and_tables_say_what_they_are(tree: Element) -> None:
    assert len(tree.all("img")) > 5
    assert len(tree.all("svg")) > 5
    assert all(image.attributes["alt"].strip() for image in tree.all("img"))
    for chart in tree.all("svg"):
        title, description = chart.all("title")[0], chart.all("desc")[0]
        assert chart.attributes["role"] == "img"
        assert title.text
        assert description.text
    for figure in tree.all("figure"):
        assert figure.all("figcaption")[0].text
    for table in tree.all("table"):
        assert table.all("caption")[0].text
        assert all(cell.attributes.get("scope") in {"col", "row", "rowgroup"} for cell in table.all("th"))
        width = len(table.all("thead")[0].all("th"))
        for line in table.all("tr"):
            cells = line.all("th", "td")
            assert sum(int(cell.attributes.get("colspan", 1)) for cell in cells) == width


@pytest.mark.parametrize(
    ("protocol", "columns"),
    [("Scores in the reflectance", score_table.REFLECTANCE), ("Scores in the original", score_table.ORIGINAL)],
)
def test_scores_are_those_of_the_files(root: Path, tree: Element, protocol: str, columns: dict[str, str]) -> None:
    shown = next(rows for caption, rows in tables(tree).items() if caption.startswith(protocol))
    dataset = read_results(root)[0]
    assert list(shown) == [method.label for method in dataset.methods]
    (rows,) = [score_table.records(dataset.groups)]
    by_name = {row["experiment"]: row for row in rows}
    for method in dataset.methods:
        cells = list(shown[method.label].values())
        keys = sorted(columns, key=lambda key: ("jaccard" not in key, "ratio" not in key))
        for key, cell in zip(keys, cells[1:], strict=True):
            row = by_name[method.experiment]
            mean, spread = cell.split(" ", 1)
            assert mean == f"{row[key]:.3f}"
            if len(method.results) > 1:
                assert spread == f"± {row[f'{key}_±']:.3f}"
            else:
                assert spread == f"[{row[key] - 0.05:.3f}, {row[key] + 0.1:.3f}]"


def test_networks_and_baselines_are_apart_and_the_best_is_in_bold(tree: Element) -> None:
    table = next(table for table in tree.all("table") if "reflectance" in table.all("caption")[0].text)
    heads = [(cell.attributes["scope"], cell.text) for cell in table.all("tbody")[0].all("th")]
    assert heads == [("rowgroup", "Networks"), ("row", "cGAN"), ("row", "cGAN frame recurrent")]
    assert [body.all("th")[0].text for body in table.all("tbody")] == ["Networks", "Baselines", "Upper bound"]
    bold = {line.all("th")[0].text for line in table.all("tr") if line.all("strong")}
    assert bold == {"cGAN", "cloudy copy"}  # the highest of what should be high, the lowest of errors


def test_published_figures_stand_beside_data_of_the_published_size_only(tmp_path: Path) -> None:
    size = {"height": 256, "width": 256, "views": {"train": 175, "val": 37, "test": 38}}
    for name, about in (("full", size), ("small", {})):
        root = tmp_path / name / "experiments"
        result(root, "cgan_toy_cloud_removal", 1, 0.5, **about)
        result(root, "cloudy_copy", None, 0.4, **about)
        found = tables(parse(page(root)))
        published = {caption[:20]: rows["published"] for caption, rows in found.items() if "published" in rows}
        if name == "full":
            assert list(published) == ["Scores in the origin"]
            assert published["Scores in the origin"]["MAE ↓"] == "0.246"
            assert published["Scores in the origin"]["Jaccard ratio ↑"] == "0.496"
        else:
            assert not published


def test_runs_versions_splits_and_configurations_are_there(root: Path, tree: Element) -> None:
    found = tables(tree)
    assert found["Versions of libraries in training."]["torch"] == {"version": "9.9.9"}
    split = found["Split of the views."]["Cloud removal"]
    assert (split["names of the test views"], split["fingerprint of the data"]) == ("2, 10", "abc123")
    runs = next(rows for caption, rows in found.items() if caption.startswith("Runs"))
    assert runs["cloudy copy"]["seed"] == "–"
    assert runs["cGAN"] == runs["cGAN"] | {"epochs trained": "3", "checkpoint of epoch": "2", "seed": "10"}
    listings = [listing.text for listing in tree.all("pre")]
    assert sum("torch: 9.9.9" in listing for listing in listings) == 6
    config = root / "toy_cloud_removal/cgan_toy_cloud_removal/2/run/config.yaml"
    assert config.read_text().strip() in listings


def test_what_files_say_is_text_and_nothing_else(tmp_path: Path) -> None:
    evil = '<script>alert("1")</script>&amp;|x'
    root = tmp_path / "experiments"
    folder = result(root, evil, 1, 0.5, dataset='"><img src=http://x>', classifier="<b>bold</b>")
    (folder / "run/config.yaml").write_text("a: '</code></pre><script>'\nversions: {'<i>': '<u>'}\n")
    text = page(root)
    tree = parse(text)
    assert not tree.all("script", "b", "i", "u")
    assert all(image.attributes["src"].startswith("data:") for image in tree.all("img"))
    assert evil in tree.text
    assert "</code></pre><script>" in tree.text
    assert "<b>bold</b>" in tree.text
    assert html.escape(evil) in text
    markdown_page.write(compose(root), tmp_path)
    text = (tmp_path / "report.md").read_text()
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"</?\w+", outside)) == {"<details", "</details", "<summary", "</summary"}
    for table in re.findall(r"(?:^\|.*\n)+", outside, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_bootstrap_intervals_are_those_over_views(root: Path) -> None:
    file = root / "toy_cloud_removal/cloudy_copy/eval/test_scores.json"
    scores = json.loads(file.read_text())
    method = next(method for method in read_results(root)[0].methods if method.experiment == "cloudy_copy")
    for key, where in (
        ("rmse", "reflectance.rmse"),
        ("test_sam", "original.sam"),
        ("test_jaccard_ratio", "jaccard_ratio"),
    ):
        protocol, _, name = where.rpartition(".")
        expected = scores[protocol or "reflectance"][name]
        found = estimates.estimate(method, key)
        assert (found.mean, found.low, found.high) == (expected["mean"], expected["low"], expected["high"])


def test_rows_by_cloud_cover_are_those_of_all_experiments(root: Path, tmp_path: Path) -> None:
    from utils.report.cloud_cover import table
    from utils.tables import write_csv

    write_csv(tmp_path / "all.csv", table(read_results(root)))
    with (tmp_path / "all.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9 * 6
    chosen = [row for row in rows if row["experiment"] == "cgan_toy_cloud_removal" and row["seed"] == "10"]
    assert [row["jaccard_ratio"] for row in chosen if row["unit"] == "pixel series"] == ["0.9", "0.8", "0.7"]


WIDTHS = (360, 1440)
TEXTS = ("h1", "figcaption", "nav a", "caption", "td small", "svg text", "svg text.small")
MARKS = tuple(f"svg .{name}" for name in ("c0", "c1", "c2", "c3", "neutral"))
PROBE = """<script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const inner = frame.contentDocument;
    inner.querySelectorAll("details").forEach(one => one.open = true);
    const style = css => inner.defaultView.getComputedStyle(inner.querySelector(css));
    return {
      width: inner.documentElement.scrollWidth,
      paper: style("body").backgroundColor,
      texts: TEXTS.map(css => css.startsWith("svg") ? style(css).fill : style(css).color),
      marks: MARKS.map(css => style(css).color),
    };
  });
  document.body.dataset.found = JSON.stringify(found);
});
</script>""".replace("TEXTS", json.dumps(TEXTS)).replace("MARKS", json.dumps(MARKS))


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_fits_a_phone_and_a_desk_and_has_contrast(text: str, tmp_path: Path, dark: bool) -> None:
    frames = [f'<iframe style="width: {width}px; border: 0" srcdoc="{html.escape(text)}"></iframe>' for width in WIDTHS]
    file = tmp_path / "frames.html"
    file.write_text(f"<!DOCTYPE html><body>{''.join(frames)}{PROBE}</body>", encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={int(not dark)}"
    command = [BROWSER, *FLAGS, scheme, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    for width, found in zip(
        WIDTHS, json.loads(html.unescape(re.search(r'data-found="([^"]*)"', done.stdout)[1])), strict=True
    ):
        assert found["width"] == width
        paper = luminance(found["paper"])
        assert (paper < 0.2) == dark
        assert min(contrast(luminance(colour), paper) for colour in found["texts"]) >= 4.5
        assert min(contrast(luminance(colour), paper) for colour in found["marks"]) >= 3


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)`, as WCAG 2.1 defines it."""
    levels = [int(level) / 255 for level in re.findall(r"\d+", colour)[:3]]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
