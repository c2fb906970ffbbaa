"""The whole report: what is in it, in which order, and how it is written to a folder."""

from collections.abc import Sequence
from pathlib import Path

from utils import score_table
from utils.errors import UsageError
from utils.files import new_directory
from utils.report import cloud_cover, configuration, findings, html_page, inputs, markdown_page, task
from utils.report.blocks import Bullets, Document, Paragraph, Section
from utils.report.classifiers import Classifier
from utils.report.results import DataSet
from utils.tables import write_csv

TITLE = "Can generated images replace real ones in land-cover monitoring?"
QUESTION = "Are images made by deep generative models good enough to replace real ones in land-cover monitoring?"
PAGE = "index.html"
FILES = {PAGE, markdown_page.FILE, "scores.csv", "scores.md", cloud_cover.FILE, markdown_page.PICTURES}


def check_output(folder: Path) -> None:
    """Make sure that a report may be written somewhere without losing anything.

    Args:
        folder: that will become the report.

    Raises:
        UsageError: If anything but a report or an empty folder is there.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder}: found a file or link, expected a new folder; choose another --o")
    entries = sorted(folder.iterdir()) if folder.exists() else []
    strangers = [entry for entry in entries if entry.name not in FILES]
    pictures = folder / markdown_page.PICTURES
    strangers += [entry for entry in sorted(pictures.glob("*")) if entry.suffix not in markdown_page.SUFFIXES]
    # Without its page it is still a report: a pipeline removes the files that it tracks before it makes them again.
    if strangers or entries == [pictures]:
        stranger = (strangers or entries)[0].relative_to(folder)
        raise UsageError(
            f"{folder}: found {str(stranger)!r} in it, not a report, which alone is replaced; choose another --o"
        )


def compose(
    datasets: list[DataSet],
    classifiers: Sequence[Classifier],
    previews: Sequence[inputs.Preview],
    params: Path | None = None,
) -> Document:
    """Put the report together.

    Args:
        datasets: results, one or more.
        classifiers: those that judged.
        previews: of the data.
        params: file with the study's parameters.

    Returns:
        The report. The same results make the same one.

    Raises:
        DataError: If a file is malformed.
    """
    sections = [
        findings.summary(datasets),
        _reading(),
        inputs.data_section(previews),
        inputs.classifier_section(classifiers),
        *map(task.section, datasets),
        configuration.section(datasets, classifiers, params),
    ]
    return Document(TITLE, QUESTION, sections)


def write(document: Document, datasets: list[DataSet], folder: Path) -> None:
    """Write the report, whole or not at all.

    Args:
        document: the report.
        datasets: results, for the tables.
        folder: to make or replace; see `check_output`.

    Raises:
        OSError: If writing fails.
    """
    with new_directory(folder) as temporary:
        (temporary / PAGE).write_text(html_page.render(document), encoding="utf-8")
        markdown_page.write(document, temporary)
        groups = {key: members for dataset in datasets for key, members in dataset.groups.items()}
        score_table.write(groups, temporary)
        write_csv(temporary / cloud_cover.FILE, cloud_cover.table(datasets))


def _reading() -> Section:
    items = [
        Paragraph("trained on the training views, with one seed or several, all on the same split.", lead="Networks:"),
        Paragraph(
            "simple rules, without a network. They know the exact opacity of clouds, which no real data offer.",
            lead="Baselines:",
        ),
        Paragraph(
            "a network of the same kind whose input is the real image. It says what such a network can reach at best, "
            "and competes with nobody.",
            lead="Upper bounds:",
        ),
        Paragraph(
            "reflectance, the one to trust, on values from 0 to 1 as they are; and the original one, in network scale "
            "from −1 to 1, which is blind to errors below reflectance 0.5 and is there to compare with published ones.",
            lead="Two protocols:",
        ),
        Paragraph(
            "95 % in all cases. Over seeds, it says how much a repeated training may differ; over test views, how much "
            "other views may. The two are not comparable in width: which of two methods is better is judged on the "
            "same views.",
            lead="Intervals:",
        ),
    ]
    return Section("How to read this report", "reading", [Bullets(items)])
