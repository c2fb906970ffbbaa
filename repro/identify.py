"""Write down what determines each result of the study, in one small file for each.

`dvc repro` makes a result again if its file has changed. A file that would be the same is left alone.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from functools import reduce
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
    wanted = set()
    for name, record in itertools.chain(of_levels(study), of_datasets(study), of_experiments(study)):
        file = folder / f"{name}.json"
        wanted.add(file)
        if not file.exists() or json.loads(file.read_text(encoding="utf-8")) != record:
            write_json(file, record)
    for file in set(folder.rglob("*.json")) - wanted:
        file.unlink()


def of_levels(study: "Study") -> Iterator[tuple[str, dict[str, Any]]]:
    """What is laid over the configurations at each value of the sweep."""
    sweep = study.sweep
    file = str(Path(SCENES, sweep.file).absolute())
    for level, value in sweep.levels.items():
        section = reduce(lambda inner, key: {key: inner}, reversed(sweep.key.split(".")), value)
        yield f"levels/{level}/scenes", {"over": {file: section}}
        judges = {"reference_classifier_path": str(study.judges_at(level))}
        yield f"levels/{level}/methods", {"dataset": {"root": str(study.folders.views / level)}, "testing": judges}


def of_datasets(study: "Study") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each data set, and its classifiers."""
    from src.rsgan import identities
    from src.rsgan.configuration import classifiers_of, read_common
    from src.toygeneration.dataset.recipe import Recipe

    described = {name: (name, name, ()) for name in study.datasets}
    described |= {level: (study.sweep.dataset, study.sweep.task, (level,)) for level in study.sweep.levels}
    for name, (scenes, task, level) in described.items():
        over = [*map(Path, study.scale.toygeneration.values()), *(laid(study, one, "scenes") for one in level)]
        yield f"datasets/{name}", Recipe.load(Path(SCENES, scenes), *over).identity().record()
        config = read_common(files(study, f"base/{task}", *level))
        made = {one.name: identities.of_classifier(one, config).record() for one in classifiers_of(config)}
        yield f"classifiers/{name}", made


def of_experiments(study: "Study") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each experiment with each seed, with when it is done, and the test of each experiment and each baseline."""
    from src.rsgan import identities
    from src.rsgan.configuration import ExperimentConfig
    from utils.config import read

    sweep = study.sweep
    configs = {name: read(ExperimentConfig, files(study, name)) for name in (*study.experiments, *study.baselines)}
    for level, name in itertools.product(sweep.levels, (*sweep.experiments, *sweep.baselines)):
        configs[f"{level}/{name}"] = read(ExperimentConfig, files(study, f"{sweep.task}/{name}", level))
    trained = [f"{level}/{name}" for level in sweep.levels for name in sweep.experiments]
    for name, seed in itertools.product((*study.experiments, *trained), study.seeds):
        settings = configs[name].experiment
        until = {"max_epochs": settings.max_epochs, "chkpt": settings.chkpt}
        yield f"experiments/{name}/{seed}", identities.of_run(configs[name], seed).record() | until
    for name, config in configs.items():
        yield f"tests/{name}", identities.of_test(config).record()


def files(study: "Study", name: str, *levels: str) -> list[Path]:
    """The files of a configuration, at a level of the sweep or none."""
    over = (laid(study, level, "methods") for level in levels)
    return [Path(EXPERIMENTS, f"{name}.yaml"), *map(Path, study.scale.rsgan.values()), *over]


def laid(study: "Study", level: str, what: str) -> Path:
    return study.folders.identities / "levels" / level / f"{what}.json"


if __name__ == "__main__":
    sys.exit(run(build_parser(), main))
