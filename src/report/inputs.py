"""What a report is made from: which score files and classifiers, by hand or as a study's parameters name them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.config import read
from utils.errors import DataError
from utils.results import find, find_scores
from utils.scores import CLASSIFIER_SCORES, SCORES
from utils.study import Study


@dataclass(frozen=True)
class Inputs:
    """Files of scores and of classifiers' scores, folders of data sets, and the study's parameters to show."""

    scores: Sequence[Path]
    classifiers: Sequence[Path]
    data: Sequence[Path]
    params: Path | None = None


def of_study(params: Path) -> Inputs:
    """Exactly what a study's parameters name, whatever else lies in its folders."""
    study = read(Study, params)
    scores = [folder / SCORES for folder in study.results]
    classifiers = [study.folders.classifiers / dataset / CLASSIFIER_SCORES for dataset in study.used]
    for file in (*scores, *classifiers):
        if not file.exists():
            raise DataError(f"{file}: no such file, but {params} names it; run dvc repro, or correct {params}")
    return Inputs(scores, classifiers, [study.folders.views / dataset for dataset in study.used], params)


def below(experiments: Iterable[Path], classifiers: Iterable[Path], data: Sequence[Path]) -> Inputs:
    """All that is in some folders, at any depth; hidden ones are not searched."""
    scores = dict.fromkeys(file for folder in experiments for file in find_scores(folder))
    remedy = "run make_reference_classifier.py, or correct --classifiers"
    judges = dict.fromkeys(file for folder in classifiers for file in find(folder, CLASSIFIER_SCORES, remedy))
    return Inputs([*scores], [*judges], data)
