"""The parts of the report on what the study starts from: data sets and reference classifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.report.blocks import Block, Cell, Gallery, Paragraph, Row, Section, Table, slug
from utils.report.classifiers import COLUMNS, PARTS, Classifier
from utils.report.estimates import show
from utils.report.pictures import embed


@dataclass(frozen=True)
class Preview:
    """A data set's first view.

    Attributes:
        name: of the data set.
        view: of the view.
        views: number of views.
        products: name and a few words on each.
        picture: a contact sheet of the view.
    """

    name: str
    view: str
    views: int
    products: Sequence[tuple[str, str]]
    picture: Path


def data_section(previews: Sequence[Preview]) -> Section:
    """Show the data sets.

    Args:
        previews: one for each, one or more.

    Returns:
        A picture of each, with its products.
    """
    said = Paragraph(
        "Every view is a synthetic scene whose land cover is known exactly, seen through several products. Black in "
        "the maps is background."
    )
    return Section("Data", "data", [said, *(_preview(number, preview) for number, preview in enumerate(previews, 1))])


def _preview(number: int, preview: Preview) -> Block:
    products = "; ".join(f"{name}: {words}" for name, words in preview.products)
    clouds = " Below clouded frames: the exact opacity of their clouds, from clear (black) to opaque (white)."
    return embed(
        preview.picture,
        name=f"data-{number}-{slug(preview.name)}",
        alt=f"View {preview.view} of {preview.name}: parcels, classes and frames of each product at several time steps",
        caption=f"View {preview.view} of {preview.name} ({preview.views} views). {products}.{clouds}",
    )


def classifier_section(classifiers: Sequence[Classifier]) -> Section:
    """Show how good the reference classifiers are.

    Args:
        classifiers: one or more.

    Returns:
        Their scores and confusion matrices.

    Raises:
        DataError: If a picture cannot be read.
    """
    said = Paragraph(
        "A reference classifier learns land cover from real series of the training views, and judges generated ones. A "
        "ratio to real images means something only if it works on those."
    )
    columns = ["classifier", "scored on", "views", "pixel series", *(f"{name}\u00a0↑" for name in COLUMNS.values())]
    table = Table(
        "Reference classifiers on real images.", columns, [("", [row for found in classifiers for row in _rows(found)])]
    )
    pictures = [picture for found in classifiers for picture in _matrix(found)]
    return Section("Reference classifiers", "classifiers", [said, table, *([Gallery(pictures)] if pictures else [])])


def _rows(classifier: Classifier) -> list[Row]:
    rows = []
    for part, words in PARTS.items():
        found = classifier.scores[part]
        numbers = [Cell(words), Cell(str(found["views"])), Cell(str(found["pixel_series"]))]
        scores = [Cell(show(float(found[key]))) for key in COLUMNS]
        rows.append(Row(f"{classifier.name} ({classifier.algorithm})", [*numbers, *scores]))
    return rows


def _matrix(classifier: Classifier) -> list[Block]:
    if classifier.picture is None:
        return []
    words = f"confusion matrix of the reference classifier {classifier.name} on real frames of the validation views"
    name = f"classifier-{slug(classifier.name)}"
    return [embed(classifier.picture, name=name, alt=words.capitalize(), caption=f"{words.capitalize()}.")]
