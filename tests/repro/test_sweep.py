"""The difficulty sweep: its values reach the data, and nothing else does."""

import re
from pathlib import Path

import pytest
import yaml

from src.toygeneration.dataset.recipe import Recipe
from tests.conftest import ROOT, load_script
from utils.config import load
from utils.identity import Identity
from utils.study import Sweep
from utils.tables import parse_json

SCENES = "src/toygeneration/config"
ROW = re.compile(
    r"^\| [^|]+ \| `(?P<file>[^`|]+\.yaml)` \| `(?P<key>[^`|]+)` \| (?P<values>[0-9., ]+) \|", re.MULTILINE
)


def documented() -> list[Sweep]:
    """The sweeps that the documentation lists."""
    found = ROW.finditer((ROOT / "docs/reproduction.md").read_text())
    profile = yaml.safe_load((ROOT / "repro/profiles/difficulty.yaml").read_text())["sweep"]
    rows = [row.groupdict() | {"values": yaml.safe_load(f"[{row['values']}]")} for row in found]
    return [Sweep.model_validate(profile | row) for row in rows]


def recipes(checkout: Path, sweep: Sweep) -> list[Recipe]:
    """What the study identifies at each value, at a scale whose time series need no download."""
    params = checkout / "params.yaml"
    content = yaml.safe_load(params.read_text()) | {"sweep": sweep.model_dump(), "datasets": [], "experiments": []}
    params.write_text(yaml.safe_dump(content | {"baselines": []}))
    script = load_script("repro/identify.py")
    script.main(script.build_parser().parse_args([]))
    folder = checkout / "data/demo/identities"
    found = []
    for level in sweep.levels:
        over = [checkout / SCENES / "demo.yaml", folder / "levels" / level / "scenes.json"]
        found.append(Recipe.load(checkout / SCENES / sweep.dataset, *over))
        record = parse_json((folder / "datasets" / f"{level}.json").read_text())
        assert Identity.restore(record).configuration == found[-1].identity().configuration
        (experiment, *_) = sweep.experiments
        assert (folder / "experiments" / level / experiment / "17.json").exists()
        methods = load([folder / "levels" / level / "methods.json"])
        assert methods["dataset"] == {"root": f"data/demo/{level}"}
    return found


@pytest.mark.parametrize("sweep", documented(), ids=lambda sweep: sweep.key)
def test_each_value_is_that_of_its_key_and_nothing_else_differs(
    sweep: Sweep, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    first, *others = recipes(checkout, sweep)
    assert others
    for other, value in zip(others, sweep.values[1:], strict=True):
        differing = first.identity().differences(other.identity(), apart_from=["code"])
        assert re.search(rf"{re.escape(sweep.key)}(\.\w+)?: found .*, expected {float(value):g}(\.0)?\b", differing)
        keys = re.findall(r"(?:^|; )(\S+): found", differing)
        assert all(sweep.key.split(".")[0] in key for key in keys)


def test_cover_rises_along_the_sweep_of_the_profile_over_the_same_scenes(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    profile = yaml.safe_load((checkout / "repro/profiles/difficulty.yaml").read_text())["sweep"]
    covers, targets = [], []
    for recipe in recipes(checkout, Sweep.model_validate(profile)):
        products = recipe.products(3, ["clean_optical", "clouded_optical"])
        clouded = products["clouded_optical"]
        covers.append(sum(clouded.read(step)["cloud"].mean() for step in clouded.steps[::5]))
        targets.append(products["clean_optical"].read(0)["frame"].tobytes())
    assert covers == sorted(set(covers))
    assert len(set(targets)) == 1
