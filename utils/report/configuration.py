"""The part of the report on how results were made: splits, seeds, versions, exact configurations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from utils.report.blocks import Block, Cell, Fold, Listing, Paragraph, Row, Section, Table
from utils.report.classifiers import Classifier
from utils.report.results import DataSet, Method, Result, parse, read_json, read_rows

CONFIG, SUMMARY, VIEWS = "config.yaml", "summary.json", "views.csv"


def section(datasets: Sequence[DataSet], classifiers: Sequence[Classifier], params: Path | None) -> Section:
    """Report how results were made.

    Args:
        datasets: the study.
        classifiers: those that judged.
        params: the study's parameters, shown as they are.

    Returns:
        Splits, runs, versions, and configurations to unfold.

    Raises:
        DataError: If a file is malformed.
    """
    blocks: list[Block] = [_splits(datasets), _runs(datasets), *_versions(datasets, classifiers)]
    if params:
        blocks.append(Fold(f"The study's parameters ({params.name})", [Listing(_text(params))]))
    settings = [_settings(found) for found in classifiers]
    configs = [
        Fold(f"{dataset.label}: {method.label}, seed {result.about['seed']}", [Listing(_text(result.run / CONFIG))])
        for dataset in datasets
        for method in dataset.methods
        for result in method.results
        if (result.run / CONFIG).is_file()
    ]
    said = [Paragraph("The exact configuration of each classifier and of each run, defaults included.")]
    return Section(
        "Configuration", "configuration", [*blocks, *(said if settings + configs else []), *settings, *configs]
    )


def _splits(datasets: Sequence[DataSet]) -> Table:
    rows = []
    for dataset in datasets:
        first = dataset.methods[0].results[0]
        counts = [Cell(str(first.about["views"].get(part, 0))) for part in ("train", "val", "test")]
        seed = Cell(str(first.about.get("split_seed", "–")))
        names = Cell(", ".join(row.get("view", "") for row in read_rows(first.folder / VIEWS)) or "–")
        rows.append(Row(dataset.label, [*counts, seed, names, Cell(str(first.about["data"]))]))
    columns = ["data set", "training views", "validation views", "test views", "seed of the split"]
    return Table("Split of the views.", [*columns, "names of the test views", "fingerprint of the data"], [("", rows)])


def _runs(datasets: Sequence[DataSet]) -> Table:
    groups = []
    for dataset in datasets:
        rows = [_run(method, result) for method in dataset.methods for result in method.results]
        groups.append((dataset.label, rows))
    columns = ["method", "kind", "name", "seed", "epochs trained", "checkpoint of epoch", "classifier"]
    return Table("Runs. Baselines have no seed and no epochs.", columns, groups)


def _run(method: Method, result: Result) -> Row:
    summary = read_json(result.run / SUMMARY) if (result.run / SUMMARY).is_file() else {}
    about = result.about
    values = [
        method.kind,
        method.experiment,
        about["seed"],
        summary.get("epochs"),
        about.get("epoch"),
        about["classifier"],
    ]
    return Row(method.label, [Cell("–" if value is None else str(value)) for value in values])


def _versions(datasets: Sequence[DataSet], classifiers: Sequence[Classifier]) -> list[Block]:
    found: dict[str, set[str]] = {}
    results = [result for dataset in datasets for method in dataset.methods for result in method.results]
    recorded = [parse(result.run / CONFIG, lambda result=result: _recorded(result.run / CONFIG)) for result in results]
    for versions in (*recorded, *(found.about.get("versions", {}) for found in classifiers)):
        for library, version in versions.items():
            found.setdefault(library, set()).add(str(version))
    rows = [Row(library, [Cell(", ".join(sorted(versions)))]) for library, versions in sorted(found.items())]
    caption = "Versions of libraries in training."
    return [Table(caption, ["library", "version"], [("", rows)])] if rows else []


def _recorded(config: Path) -> dict[str, Any]:
    import yaml

    if not config.is_file():
        return {}
    try:
        return dict(yaml.safe_load(config.read_text(encoding="utf-8")).get("versions") or {})
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _settings(classifier: Classifier) -> Fold:
    lines = [f"name: {classifier.algorithm}", *(f"{key}: {value}" for key, value in classifier.settings.items())]
    return Fold(f"Reference classifier {classifier.name}", [Listing("\n".join(lines))])


def _text(file: Path) -> str:
    """Read a configuration; paths inside the working folder are shown without it."""
    content = parse(file, lambda: file.read_text(encoding="utf-8"))
    return content.replace(f"{Path.cwd()}/", "").rstrip()
