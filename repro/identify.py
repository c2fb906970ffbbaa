"""Write down what determines each result of the study, in one small file for each.

`dvc repro` makes a result again if its file has changed. A file that would be the same is left alone.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, Python looks for modules beside the script

from utils.cli import Parser, run  # noqa: E402

if TYPE_CHECKING:
    from utils.identity import Identity
    from utils.study import Study

SCENES, EXPERIMENTS = "src/toygeneration/config", "src/rsgan/config"
Piece = tuple[str, "Identity", dict[str, Any]]  # name, identity, and what else decides whether it is done


def build_parser() -> Parser:
    return Parser(__doc__)


def main(arguments: argparse.Namespace) -> None:
    from utils.config import read
    from utils.study import Study

    study = read(Study, "params.yaml")
    write(study.folders.identities, [*of_datasets(study), *of_experiments(study)])


def of_datasets(study: "Study") -> Iterator[Piece]:
    """Each data set, and its classifier."""
    from src.rsgan import identities
    from src.rsgan.configuration import read_classifier_settings
    from src.toygeneration.dataset.recipe import Recipe

    for name in study.datasets:
        recipe = Recipe.load(Path(SCENES, name), *map(Path, study.scale.toygeneration.values()))
        yield f"datasets/{name}", recipe.identity(), {}
        settings = read_classifier_settings(*files(study, f"base/{name}"))
        yield f"classifiers/{name}", identities.of_classifier(settings), {}


def of_experiments(study: "Study") -> Iterator[Piece]:
    """Each experiment with each seed, and the test of each experiment and each baseline."""
    from src.rsgan import identities
    from src.rsgan.configuration import read_experiment

    configs = {name: read_experiment(*files(study, name)) for name in (*study.experiments, *study.baselines)}
    for name, seed in study.runs:
        settings = configs[name].experiment
        until = {"max_epochs": settings.max_epochs, "chkpt": settings.chkpt}
        yield f"experiments/{name}/{seed}", identities.of_run(configs[name], seed), until
    for name, config in configs.items():
        yield f"tests/{name}", identities.of_test(config), {}


def files(study: "Study", name: str) -> list[Path]:
    """What an experiment's configuration consists of."""
    return [Path(EXPERIMENTS, f"{name}.yaml"), *map(Path, study.scale.rsgan.values())]


def write(folder: Path, pieces: list[Piece]) -> None:
    """Write what has changed, and remove the files of what is no longer part of the study."""
    from utils.identity import keep

    wanted = {folder / f"{name}.json": (identity, more) for name, identity, more in pieces}
    for file in set(folder.rglob("*.json")) - set(wanted):
        file.unlink()
    for file, (identity, more) in wanted.items():
        if not file.exists() or json.loads(file.read_text()) != identity.record() | more:
            keep(file, identity, **more)


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
