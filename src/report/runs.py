"""How results were made: what trainings left behind."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from src.report.tasks import Task
from utils.comparison import Result
from utils.files import natural
from utils.results import ClassifierScores, Content, ViewRow
from utils.scores import VIEWS
from utils.study import JUDGES
from utils.tables import EpochRow, read_json, read_rows

RUN, EPOCHS = "identity.json", "metrics.csv"


class Run(Content):
    """Of `identity.json`: what a training was made from."""

    configuration: dict[str, Any]
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def monitor(self) -> str:
        """The tag by which checkpoints were chosen; empty if that isn't said."""
        section = self.configuration.get("model_checkpoint")
        return str(section.get("monitor", "")) if isinstance(section, dict) else ""


def epochs(result: Result) -> list[EpochRow]:
    """What each epoch of the training recorded; nothing where there was none."""
    file = _folder(result) / EPOCHS
    return read_rows(file, EpochRow, "train again") if file.exists() else []


def run(result: Result) -> Run | None:
    """What the training was made from."""
    file = _folder(result) / RUN
    return read_json(Run, file, f"the {RUN} of a run", "train again") if file.exists() else None


def configurations(task: Task) -> list[tuple[str, str]]:
    """Title and text of each run's configuration; paths inside the working folder are shown without it."""
    results = ((method.label, result) for method in task.methods for result in method.results)
    runs = ((f"{label}, seed {result.about.seed}", run(result)) for label, result in results)
    texts = (
        (title, yaml.safe_dump(found.configuration, sort_keys=False, allow_unicode=True))
        for title, found in runs
        if found
    )
    return [(title, text.replace(f"{Path.cwd()}/", "").rstrip()) for title, text in texts]


def _folder(result: Result) -> Path:
    """Folder of the training, which a baseline doesn't have."""
    return result.file.parent.with_name("run")


def test_views(task: Task) -> list[str]:
    """Names of the test views, as far as they are known."""
    return sorted((row.view for row in task.methods[0].results[0].rows(VIEWS, ViewRow)), key=natural)


def whose(file: Path, found: ClassifierScores) -> str:
    """Name a classifier's data set, by the folder that holds its scores or its folders, and the classifier."""
    name = found.classifier.name
    folder = file.parent if file.parent.name != name else file.parent.parent
    folder = folder if folder.name != JUDGES else folder.parent
    return f"{folder.name} ({name})"


def versions(tasks: Iterable[Task], classifiers: Iterable[ClassifierScores]) -> dict[str, list[str]]:
    """Versions of libraries, of trainings and classifiers together."""
    results = [result for task in tasks for method in task.methods for result in method.results]
    recorded = [found.versions for result in results if (found := run(result))]
    recorded += [classifier.about.versions for classifier in classifiers]
    pairs = sorted({pair for one in recorded for pair in one.items()})
    return {library: [version for _, version in found] for library, found in groupby(pairs, key=itemgetter(0))}
