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
    from utils.study import Study

SCENES, EXPERIMENTS = "src/toygeneration/config", "src/rsgan/config"


def build_parser() -> Parser:
    return Parser(__doc__)


def main(arguments: argparse.Namespace) -> None:
    """Write what has changed, and remove the files of what is no longer part of the study."""
    from utils.config import read
    from utils.study import Study
    from utils.tables import write_json

    study = read(Study, Path("params.yaml"))
    folder = study.folders.identities
    wanted = {folder / f"{name}.json": record for name, record in (*of_datasets(study), *of_experiments(study))}
    for file in set(folder.rglob("*.json")) - set(wanted):
        file.unlink()
    for file, record in wanted.items():
        if not file.exists() or json.loads(file.read_text(encoding="utf-8")) != record:
            write_json(file, record)


def of_datasets(study: "Study") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each data set, and its classifiers."""
    from src.rsgan import identities
    from src.rsgan.configuration import classifiers_of, read_common
    from src.toygeneration.dataset.recipe import Recipe

    for name in study.datasets:
        recipe = Recipe.load(Path(SCENES, name), *map(Path, study.scale.toygeneration.values()))
        yield f"datasets/{name}", recipe.identity().record()
        config = read_common(files(study, f"base/{name}"))
        made = {one.name: identities.of_classifier(one, config).record() for one in classifiers_of(config)}
        yield f"classifiers/{name}", made


def of_experiments(study: "Study") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each experiment with each seed, with when it is done, and the test of each experiment and each baseline."""
    from src.rsgan import identities
    from src.rsgan.configuration import ExperimentConfig
    from utils.config import read

    configs = {name: read(ExperimentConfig, files(study, name)) for name in (*study.experiments, *study.baselines)}
    for name, seed in study.runs:
        settings = configs[name].experiment
        until = {"max_epochs": settings.max_epochs, "chkpt": settings.chkpt}
        yield f"experiments/{name}/{seed}", identities.of_run(configs[name], seed).record() | until
    for name, config in configs.items():
        yield f"tests/{name}", identities.of_test(config).record()


def files(study: "Study", name: str) -> list[Path]:
    return [Path(EXPERIMENTS, f"{name}.yaml"), *map(Path, study.scale.rsgan.values())]


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
