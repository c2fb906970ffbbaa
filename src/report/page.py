"""The whole report: one self-contained page, and the tables beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from src.report import cloud_cover, estimates, findings, runs, tables, thumbnails, training
from src.report.inputs import Inputs
from src.report.tasks import KINDS, Task, read_tasks
from utils import score_files
from utils.errors import UsageError
from utils.files import new_file
from utils.reading import read_text
from utils.results import read_classifier_scores
from utils.scores import BY_CLOUD_COVER, CLASSIFIER_PICTURE, PUBLISHED_SIZE, PUBLISHED_VIEWS
from utils.tables import write_csv

PAGE = "index.html"
MODULES = (cloud_cover, estimates, findings, runs, tables, thumbnails, training)  # that the template calls


@dataclass(frozen=True)
class Preview:
    """A data set's first view, and a contact sheet of it."""

    name: str  # of the data set
    view: str
    views: int
    words: str  # about its products
    clouds: bool
    picture: Path


def write(inputs: Inputs, previews: Sequence[Preview], folder: Path) -> None:
    """Report on a study: the same results make the same bytes. Nothing is written before all is read."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: found a file, expected a folder; choose another --o")
    tasks = read_tasks(inputs.scores)
    text, by_cloud_cover = render(tasks, inputs, previews), cloud_cover.table(tasks)
    score_files.write([task.comparison for task in tasks], folder)
    write_csv(folder / BY_CLOUD_COVER, by_cloud_cover)
    with new_file(folder / PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def render(tasks: Sequence[Task], inputs: Inputs, previews: Sequence[Preview]) -> str:
    """Make the page: HTML with all pictures, charts and styles inside; nothing is fetched, nothing runs."""
    classifiers = {file: read_classifier_scores(file) for file in inputs.classifiers}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {module.__name__.rpartition(".")[2]: module for module in MODULES}
    return environment.get_template("page.html.j2").render(
        tasks=tasks,
        kinds=KINDS,
        answer=findings.answer(tasks),
        good_enough=findings.GOOD_ENOUGH,
        previews=previews,
        classifiers=classifiers,
        published_size={"views": PUBLISHED_VIEWS, **PUBLISHED_SIZE},
        matrix_file=CLASSIFIER_PICTURE,
        versions=runs.versions(tasks, classifiers.values()),
        params=inputs.params and (inputs.params.name, read_text(inputs.params).rstrip()),
    )
