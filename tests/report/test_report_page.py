"""The report as a web page: whole in itself, well formed, true to the files, safe, and readable on any screen."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from src.report import estimates
from tests.report.study import Element, change_json, page, parse, result, study, tables, tasks
from utils.scores import ORIGINAL, REFLECTANCE, TABLES, Score

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
    assert not re.findall(r"https?:|url\((?!#)|@import|/secret", text)


def test_page_is_well_formed(text: str, tree: Element) -> None:
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
    assert linked == [f"#{section.attributes['aria-labelledby']}" for section in tree.all("section")]
    inner = re.findall(r'(?:href="#|url\(#)([^")]+)', text)
    assert set(inner) <= set(names)


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


def columns(scores: tuple[Score, ...]) -> dict[str, Score]:
    return {score.title.replace("ratio", "Jaccard ratio"): score for score in scores}


@pytest.mark.parametrize("protocol", [REFLECTANCE, ORIGINAL])
def test_scores_are_those_of_the_files(root: Path, tree: Element, protocol: str) -> None:
    shown: dict[str, dict[str, str]] = {}
    said = "How uncertain" if protocol == "uncertainty" else f"{protocol} protocol"
    for rows in (rows for caption, rows in tables(tree).items() if said in caption):
        for name, cells in rows.items():
            plain = {re.sub(" (↑|↓|→.*)$", "", column): cell for column, cell in cells.items()}
            shown.setdefault(name, {}).update(plain)
    task = tasks(root)[0]
    assert list(shown) == [method.label for method in task.methods]
    for method in task.methods:
        cells = shown[method.label]
        assert cells.pop("seeds") == ("–" if method.kind == "baseline" else str(len(method.results)))
        assert cells.pop("told") == "sar, one frame"
        assert set(cells) == set(columns(TABLES[protocol]))
        for title, score in columns(TABLES[protocol]).items():
            value, interval = method.mean(score), method.interval(score)
            ends = (
                f"± {interval.high - value:.3f}"
                if len(method.results) > 1
                else f"[{value - 0.05:.3f}, {value + 0.1:.3f}]"
            )
            assert cells[title] == f"{value:.3f} {ends}"


def test_networks_and_baselines_are_apart_and_the_best_is_in_bold(tree: Element) -> None:
    table = next(table for table in tree.all("table") if "Errors" in table.all("caption")[0].text)
    heads = [(cell.attributes["scope"], cell.text) for cell in table.all("tbody")[0].all("th")]
    assert heads == [("rowgroup", "Networks"), ("row", "cGAN"), ("row", "cGAN frame recurrent")]
    assert [body.all("th")[0].text for body in table.all("tbody")] == ["Networks", "Baselines", "Upper bounds"]
    assert {line.all("th")[0].text for line in table.all("tr") if line.all("strong")} == {"cloudy copy"}
    table = next(table for table in tree.all("table") if "Land cover" in table.all("caption")[0].text)
    assert {line.all("th")[0].text for line in table.all("tr") if line.all("strong")} == {"cGAN"}


def test_published_figures_stand_beside_data_of_the_published_size_only(tmp_path: Path) -> None:
    size = {"height": 256, "width": 256, "views": {"train": 175, "val": 37, "test": 38}}
    for name, about in (("full", size), ("small", {})):
        root = tmp_path / name / "experiments"
        result(root, "cgan_toy_cloud_removal", 1, 0.5, **about)
        result(root, "cloudy_copy", None, 0.4, **about)
        found = tables(parse(page(root)))
        published = {caption[:10]: rows["published"] for caption, rows in found.items() if "published" in rows}
        if name == "full":
            assert list(published) == ["All scores"]
            assert published["All scores"]["MAE ↓"] == "0.246"
            assert published["All scores"]["Jaccard ratio ↑"] == "0.496"
        else:
            assert not published


def test_runs_versions_splits_and_configurations_are_there(root: Path, tree: Element) -> None:
    found = tables(tree)
    assert found["Versions of libraries in training."]["torch"] == {"version": "9.9.9"}
    split = found["Split of the views."]["Cloud removal"]
    assert split["names of the test views"] == "2, 10"
    runs = next(rows for caption, rows in found.items() if caption.startswith("Runs"))
    assert runs["cloudy copy"]["seed"] == "–"
    assert runs["cGAN"] == runs["cGAN"] | {"epochs trained": "3", "checkpoint of epoch": "2", "seed": "10"}
    listings = [listing.text for listing in tree.all("pre")]
    assert listings.count("batch: 4\nmodel_checkpoint:\n  monitor: Metric/val_mae") == 6


EVIL = '<script>alert("1")</script>&amp;|$\\frac$ _x \x07 #010101 id="y" {{ 7 * 7 }}'
NAMED = EVIL.replace("/", "")  # as a folder may be


def test_what_files_say_is_text_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "experiments"
    folder = result(root, "a", 1, 0.5, name=NAMED)
    about = json.loads((folder / "eval/test_scores.json").read_text())["about"]
    about |= {"experiment": EVIL, "dataset": '"><img src=http://x>', "classifier": "<b>bold</b>"}
    change_json(folder / "eval/test_scores.json", about=about)
    change_json(folder / "run/identity.json", configuration={"a": "</code></pre><script>"}, versions={"<i>": "<u>"})
    (folder / "run/metrics.csv").write_text('epoch,step,"<b>x/val_<title>"\n0,1,1\n1,2,2\n')
    text = page(root)
    tree = parse(text)
    assert not tree.all("script", "b", "i", "u")
    assert all(image.attributes["src"].startswith("data:") for image in tree.all("img"))
    assert EVIL in tree.all("table")[-2].text
    assert "</code></pre><script>" in tree.text
    assert "<b>bold</b>" in tree.text
    (dots, *_, training) = tree.all("svg")
    assert NAMED.split("_")[0] in dots.all("desc")[0].text
    assert any("<script>" in element.text for element in dots.all("text"))
    assert "<title> over training" in training.all("title")[0].text


def test_bootstrap_intervals_are_those_over_views(root: Path) -> None:
    scores = json.loads((root / "toy_cloud_removal/cloudy_copy/eval/test_scores.json").read_text())
    method = next(method for method in tasks(root)[0].methods if method.label == "cloudy copy")
    for key, protocol, name in (
        ("rmse", "reflectance", "rmse"),
        ("test_sam", "original", "sam"),
        ("test_jaccard_ratio", "reflectance", "jaccard_ratio"),
    ):
        expected, found = scores[protocol][name], method.interval(estimates.BY_KEY[key])
        assert (found.mean, found.low, found.high) == (expected["mean"], expected["low"], expected["high"])


WIDTHS = (360, 1200)
TEXTS = ("h1", "figcaption", "nav a", "caption", "td small", "svg text")
MARKS = tuple(f'svg [style*="stroke: var(--{name})"]' for name in ("c0", "c1", "c2", "c3", "muted"))
PROBE = """<script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const inner = frame.contentDocument;
    inner.querySelectorAll("details").forEach(one => one.open = true);
    const style = css => inner.defaultView.getComputedStyle(inner.querySelector(css));
    return {
      width: inner.documentElement.scrollWidth,
      scrolled: [...inner.querySelectorAll(".table")].filter(one => one.scrollWidth > one.clientWidth + 1).length,
      paper: style("body").backgroundColor,
      texts: TEXTS.map(css => css.startsWith("svg") ? style(css).fill : style(css).color),
      marks: MARKS.map(css => style(css).stroke),
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
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    for width, found in zip(
        WIDTHS, json.loads(html.unescape(re.search(r'data-found="([^"]*)"', done.stdout)[1])), strict=True
    ):
        assert found["width"] == width
        assert width < 1200 or not found["scrolled"]
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
