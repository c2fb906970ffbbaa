"""Small studies made by hand, and a reader of the pages made from them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from src.report.page import Preview, below, render
from src.report.tasks import Task, read_tasks
from utils.identity import Identity
from utils.results import find_scores
from utils.scores import CLOUDS_ONLY, CONFUSION, SCORES, TABLES, Score, of_judge
from utils.tables import write_csv, write_json

VIEWS = ("2", "10")
VOID = {"meta", "link", "img", "base"}


def picture(path: Path, *, size: tuple[int, int] = (40, 30), seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def kind(experiment: str, seed: int | None) -> str:
    kinds = {"upper_bound": "upper bound", "no_generation": "no generation"}
    found = next((kind for name, kind in kinds.items() if name in experiment), None)
    return found or ("baseline" if seed is None else "network")


def no_generation(root: Path, ratio: float | None, *sensors: str, **about: Any) -> Path:
    """What judges reach that learn from some sensors' series."""
    told = {"sensors": list(sensors), "opacity": "none", "sees": "series"}
    return result(root, "no_generation", None, ratio, name="_".join(["no_generation", *sensors]), told=told, **about)


def interval(ratio: float | None, score: Score) -> dict[str, float | None]:
    if ratio is None:
        return dict.fromkeys(("mean", "low", "high")) | {"count": 0}
    return {"mean": min(ratio, score.range[1]), "low": ratio - 0.05, "high": ratio + 0.1, "count": 2}


def result(
    root: Path,
    experiment: str,
    seed: int | None,
    ratio: float | None,
    *,
    name: str = "",
    dataset: str = "toy_cloud_removal",
    scores: dict[str, Any] | None = None,
    clouds: bool = True,
    by_judge: dict[str, float] | None = None,
    **about: Any,
) -> Path:
    """A tested experiment with all files that training and testing leave; scores are `ratio`, or those by judge.

    Its folder is called like the experiment unless a name is given.
    """
    folder = root / f"{dataset}/{name or experiment.replace('/', '_')}/{'' if seed is None else seed}".rstrip("/")
    content: dict[str, Any] = {}
    for protocol, columns in TABLES.items():
        measured = [score for score in columns if clouds or not score.name.endswith(CLOUDS_ONLY)]
        content[protocol] = {score.name: interval(ratio, score) for score in measured}
    content["reflectance"] |= scores or {}
    content |= {score.key: content[score.protocol][score.name]["mean"] for score in TABLES["original"]}
    by_judge = by_judge or {}
    content["judges"] = {
        name: {score.name: interval(value, score) for score in of_judge(name)} for name, value in by_judge.items()
    }
    content["about"] = {
        "experiment": experiment,
        "kind": kind(experiment, seed),
        "run": Identity({"name": experiment}).record(),
        "seed": seed,
        "checkpoint": None if seed is None else "/secret/best.ckpt",
        "epoch": None if seed is None else 2,
        "split_seed": 73,
        "dataset": dataset,
        "target": "optical",
        "told": {"sensors": ["sar"], "opacity": "none", "sees": "frame"},
        "data": f"views of {dataset}",
        "test_series": "unseen",
        "judge": "judge",
        "views": {"train": 6, "val": 2, "test": 2},
        "height": 64,
        "width": 48,
        "horizon": 30,
        "classifier": "minirocket",
        "judges": [{"name": name, "digest": name, "validation_jaccard": 0.9} for name in by_judge],
    } | about
    evaluation = folder / "eval"
    write_json(evaluation / SCORES, content)
    score = 0.5 if ratio is None else ratio
    write_csv(
        evaluation / "views.csv",
        [
            {"view": view, "jaccard_generated": score + 0.01 * n, "jaccard_real": 1.0, "rmse": score}
            for n, view in enumerate(VIEWS)
        ],
    )
    if clouds:
        write_csv(evaluation / "by_cloud_cover.csv", list(bins(score)))
    for name in CONFUSION.values():
        write_csv(evaluation / name, [{"true": n, "predicted 1": 30 * n, "predicted 2": 10} for n in (1, 2)])
    for name in ("samples.png", "classification.png"):
        picture(evaluation / name)
    if seed is not None:
        training(folder / "run", seed)
    return folder


def bins(score: float) -> Iterator[dict[str, Any]]:
    for unit, column in (("pixel", "rmse"), ("pixel series", "jaccard_ratio")):
        for n, count in enumerate((100, 200, 7)):
            low = n / 10
            yield {"unit": unit, "above": low, "up_to": low + 0.1, "count": count, column: score - low}


def training(folder: Path, seed: int) -> None:
    rows = [
        {
            "epoch": n,
            "step": 8 * n,
            "Metric/train_mae": 0.3 / (n + 1),
            "Metric/val_mae": 0.4 / (n + 1),
            "Loss/val_generator": 1.0,
            "odd": n,
        }
        for n in range(3)
    ]
    write_csv(folder / "metrics.csv", rows)
    configuration = {"batch": 4, "model_checkpoint": {"monitor": "Metric/val_mae"}}
    versions = {"torch": "9.9.9", "numpy": "1.2.3"}
    write_json(folder / "identity.json", Identity(configuration, seed).record() | {"versions": versions})


def classifier(folder: Path) -> Path:
    scores = dict.fromkeys(("jaccard", "macro_jaccard", "accuracy", "kappa"), 0.975) | {"views": 2, "pixel_series": 500}
    content = {"classifier": {"name": "minirocket", "seed": 42}, "validation": scores, "training": scores}
    about = {"identity": Identity({}).record(), "data": "abc123", "versions": {"sktime": "3.2.1"}}
    write_json(folder / "scores.json", content | {"about": about})
    picture(folder / "confusion_matrix.png")
    return folder


def study(root: Path) -> Path:
    """Two data sets; two networks, one of them with three seeds, an upper bound and two baselines on the first."""
    for seed, ratio in ((1, 0.5), (2, 0.6), (10, 0.9)):
        result(root, "cgan_toy_cloud_removal", seed, ratio)
    result(root, "cgan_frame_recurrent_toy_cloud_removal", 1, 0.55)
    result(root, "cgan_toy_cloud_removal_upper_bound", 1, 0.98)
    result(root, "cloudy_copy", None, 0.4)
    result(root, "linear_interpolation", None, 0.62)
    result(root, "cycle_gan_toy_sar_to_optical", 1, 0.3, dataset="toy_sar_to_optical")
    result(root, "linear_regression", None, 0.2, dataset="toy_sar_to_optical")
    return root


def tasks(root: Path) -> list[Task]:
    return read_tasks(find_scores(root))


def preview(folder: Path) -> Preview:
    return Preview("cloud_removal", "1", 8, "sar: 30 frames", True, picture(folder / "preview.png"))


def page(root: Path) -> str:
    """The web page of a study, with a small picture instead of a view."""
    judges = classifier(root.parent / "classifiers" / "cloud_removal").parent
    return render(tasks(root), below([root], [judges], []), [preview(root.parent)])


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list["Element | str"] = field(default_factory=list)

    def all(self, *tags: str) -> list["Element"]:
        """Elements below this one, in order."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += ([child] if not tags or child.tag in tags else []) + child.all(*tags)
        return found

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class _Reader(HTMLParser):
    """Builds a tree, and insists that every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag}: an attribute is there twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(text: str) -> Element:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1
    return reader.open[0]


def tables(tree: Element) -> dict[str, dict[str, dict[str, str]]]:
    """Cells by the start of the caption, the row's heading and the column's."""
    found = {}
    for table in tree.all("table"):
        columns = [cell.text.replace("\u00a0", " ") for cell in table.all("thead")[0].all("th")]
        rows = {}
        for line in table.all("tr")[1:]:
            if line.all("td"):
                head, *cells = line.all("th", "td")
                rows[head.text] = {name: cell.text for name, cell in zip(columns[1:], cells, strict=True)}
        found.setdefault(table.all("caption")[0].text, rows)
    return found


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
