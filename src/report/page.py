"""The whole report: one self-contained page, and the tables beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from src.report import cloud_cover, difficulty, estimates, findings, runs, thumbnails, training
from src.report.tasks import GROUPS, Task, read_tasks
from utils import score_table
from utils.config import read
from utils.errors import DataError, UsageError
from utils.files import find_files, new_file
from utils.reading import read_text
from utils.results import find, find_scores, read_classifier_scores
from utils.scores import BY_CLOUD_COVER, CLASSIFIER_PICTURE, CLASSIFIER_SCORES, PUBLISHED_SIZE, PUBLISHED_VIEWS, SCORES
from utils.study import Study
from utils.tables import write_csv

PAGE = "index.html"
MODULES = (cloud_cover, difficulty, estimates, findings, runs, thumbnails, training)  # that the template calls


@dataclass(frozen=True)
class Inputs:
    """Files of scores and of classifiers' scores, folders of data sets, and the study's parameters to show."""

    scores: Sequence[Path]
    classifiers: Sequence[Path]
    data: Sequence[Path]
    params: Path | None = None
    sweep: difficulty.Sweep | None = None


def of_study(params: Path) -> Inputs:
    """Exactly what a study's parameters name, whatever else lies in its folders."""
    study = read(Study, params)
    scores = [folder / SCORES for folder in study.results]
    levels = [*study.sweep.levels]
    swept = [folder / SCORES for level in levels for folder in study.results_at(level)]
    folders = [study.folders.classifiers / dataset for dataset in study.used] + [*map(study.judges_at, levels)]
    classifiers = [
        file for folder in folders for file in find_files(folder, CLASSIFIER_SCORES) or [folder / CLASSIFIER_SCORES]
    ]
    for file in (*scores, *swept, *classifiers):
        if not file.exists():
            raise DataError(f"{file}: no such file, but {params} names it; run dvc repro, or correct {params}")
    data = [study.folders.views / dataset for dataset in (*study.used, *levels)]
    return Inputs(scores, classifiers, data, params, difficulty.read_sweep(study))


def below(experiments: Iterable[Path], classifiers: Iterable[Path], data: Sequence[Path]) -> Inputs:
    """All that is in some folders, at any depth; hidden ones are not searched."""
    scores = dict.fromkeys(file for folder in experiments for file in find_scores(folder))
    remedy = "run make_reference_classifier.py, or correct --classifiers"
    judges = dict.fromkeys(file for folder in classifiers for file in find(folder, CLASSIFIER_SCORES, remedy))
    return Inputs([*scores], [*judges], data)


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
    score_table.write([task.comparison for task in tasks], folder)
    write_csv(folder / BY_CLOUD_COVER, by_cloud_cover)
    if inputs.sweep:
        write_csv(folder / difficulty.DIFFICULTY, difficulty.table(inputs.sweep))
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
        groups=GROUPS,
        answer=findings.answer(tasks),
        good_enough=findings.GOOD_ENOUGH,
        previews=previews,
        sweep=inputs.sweep,
        classifiers=classifiers,
        published_size={"views": PUBLISHED_VIEWS, **PUBLISHED_SIZE},
        matrix_file=CLASSIFIER_PICTURE,
        versions=runs.versions(tasks, classifiers.values()),
        params=inputs.params and (inputs.params.name, read_text(inputs.params).rstrip()),
    )
