"""Score files made by hand, in which every score has the same value."""

import json
from pathlib import Path
from typing import Any

from utils.scores import ORIGINAL, REFLECTANCE, SCORES, TABLES, of_judge

CLASSIFIER = {
    "classifier": {"name": "minirocket", "seed": 42},
    **{
        part: dict.fromkeys(("jaccard", "macro_jaccard", "accuracy", "kappa"), 0.975) | {"views": 2, "pixel_series": 50}
        for part in ("validation", "training")
    },
    "about": {"identity": {"configuration": {}, "data": "abc"}, "versions": {"sktime": "3.2.1"}},
}


def content(value: float | None, *, clouds: bool = True, **about: Any) -> dict[str, Any]:
    """What `test_scores.json` holds."""
    every = {score for table in TABLES.values() for score in table if clouds or not score.key.startswith("rmse_")}
    high = None if value is None else value + 0.1
    interval = {"mean": value, "low": value, "high": high, "count": 3}
    protocols = {
        protocol: {score.name: dict(interval) for score in every if score.protocol == protocol}
        for protocol in (REFLECTANCE, ORIGINAL)
    }
    whole = ABOUT | about
    names = [judge["name"] for judge in whole["judges"]]
    judges = {name: {score.name: dict(interval) for score in of_judge(name)} for name in names}
    return {score.key: value for score in TABLES[ORIGINAL]} | protocols | {"judges": judges, "about": whole}


ABOUT = {
    "experiment": "cgan_toy_cloud_removal",
    "kind": "network",
    "run": {"configuration": {"model": {"width": 8}}, "data": "abc", "code": "123"},
    "seed": 17,
    "checkpoint": "best.ckpt",
    "epoch": 64,
    "split_seed": 73,
    "dataset": "toy_cloud_removal",
    "target": "clean_optical",
    "told": {"sensors": ["clouded_optical", "sar"], "opacity": "none", "sees": "frame"},
    "data": "abc",
    "test_series": "unseen",
    "judge": "def",
    "classifier": "logistic_regression",
    "judges": [
        {"name": "logistic_regression", "digest": "def", "validation_jaccard": 0.9},
        {"name": "minirocket", "digest": "ghi", "validation_jaccard": 0.8},
    ],
    "views": {"train": 175, "val": 37, "test": 38},
    "height": 256,
    "width": 256,
    "horizon": 30,
}


def write(folder: Path, value: float | None, name: str | None = None, **about: Any) -> Path:
    """What testing leaves of a method, in a folder of its name, by default that of the experiment."""
    path = folder / (name or about.get("experiment", "cgan")) / "eval" / SCORES
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content(value, **about)), encoding="utf-8")
    return path
