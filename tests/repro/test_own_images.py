"""The page on one's own images: its commands, and the profile, on a small scene."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from src.toygeneration.export import ProductDataset
from tests.conftest import ROOT, python
from tests.repro.conftest import Runner
from utils.number_lists import parse_numbers

PAGE = (ROOT / "docs/own_images.md").read_text(encoding="utf-8")
SIDE = 16  # of tiles
SMALL = {"size: {width: 768, height: 768}": f"size: {{width: {12 * SIDE}, height: {12 * SIDE}}}", "1200": "150"}


def commands(containing: str) -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    (block,) = [block for block in blocks if containing in block]
    return [shlex.split(line) for line in block.splitlines()]


@pytest.fixture
def imported(run: Runner, checkout: Path) -> Path:
    """A checkout with the profile, and its images imported."""
    scene = checkout / "src/toygeneration/config/templates/generation_own_scene.yaml"
    for text, small in SMALL.items():
        assert text in scene.read_text()
        scene.write_text(scene.read_text().replace(text, small))
    scene.write_text(scene.read_text() + "  horizon: 6\n")
    for _, *command in commands("generation_own_scene"):
        run(*python(*command))
    (prepare, _) = commands("--profile=own")
    run(*python(*prepare[1:]))
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("--tile=64", f"--tile={SIDE}"))
    images = yaml.safe_load(params.read_text())["images"]
    output = f"{images['imported']}/optical"
    command = [
        "utils/import_product.py",
        f"{images['folder']}/optical",
        *shlex.split(images["options"]),
        f"--o={output}",
    ]
    shown = run(*python(*command)).stderr
    assert "views 1-144 of 16x16x3" in shown
    return checkout


def test_the_profile_finds_what_was_imported(imported: Path, run: Runner) -> None:
    """Views as the profile lists them, with a split that its experiments take, and real frames under clouds."""
    study = yaml.safe_load((imported / "params.yaml").read_text())
    run(*python("repro/identify.py"))
    identities = imported / study["folders"]["identities"]
    assert len([*identities.glob("tests/own/*.json")]) == len(study["experiments"]) + len(study["baselines"])
    split = yaml.safe_load((imported / "data/own/imported/optical/split.yaml").read_text())["dataset"]["split"]
    assert set(parse_numbers(",".join(split.values()))) <= set(parse_numbers(study["views"]))
    build = ["repro/toy-data/build_dataset.py", "--task=own", "--seeds=3,144", f"--o={study['folders']['views']}/own"]
    run(*python(*build))
    for number in ("3", "144"):
        latent = ProductDataset(imported / "data/own/imported/optical" / number)
        clean, clouded = (
            ProductDataset(imported / f"data/own/views/own/{number}/{kind}_optical") for kind in ("clean", "clouded")
        )
        for step in range(6):
            assert (clean.frame(step) == latent.frame(step)).all()
            assert (clouded.annotation(step) == latent.annotation(step)).all()
        assert clouded.has_clouds
    (derive,) = commands("derivation_clouded_optical")
    run(*python(*derive[1:]))
    assert ProductDataset(imported / "data/mine/clouded").seeds == (73, 17)
