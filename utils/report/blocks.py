"""What a report is made of, whatever it is written as: text, tables, pictures, charts.

Text is plain: whoever renders a block escapes it.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from utils.report.svg import Drawing


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, perhaps with an emphasised start."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of paragraphs."""

    items: Sequence[Paragraph]


@dataclass(frozen=True)
class Cell:
    """A table's cell.

    Attributes:
        text: what it says.
        note: what it says in smaller type, such as an interval.
        strong: whether to emphasise it.
        share: 0 to 1, how strongly to shade it; None for not at all.
    """

    text: str
    note: str = ""
    strong: bool = False
    share: float | None = None


@dataclass(frozen=True)
class Row:
    """A table's row: its heading, and its other cells."""

    head: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: what it shows and how to read it.
        columns: headings, that of the rows' headings first.
        groups: title (may be empty) and rows of each group.
    """

    caption: str
    columns: Sequence[str]
    groups: Sequence[tuple[str, Sequence[Row]]]


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        name: of its file, with a suffix.
        data: the file's content.
        alt: what it shows, for those who don't see it.
        caption: below it.
    """

    name: str
    data: bytes = field(repr=False)
    alt: str
    caption: str


@dataclass(frozen=True)
class Chart:
    """A chart, and what is said below it."""

    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class Listing:
    """A file's text as it is."""

    text: str


@dataclass(frozen=True)
class Gallery:
    """Blocks side by side where there is room."""

    blocks: Sequence["Block"]


@dataclass(frozen=True)
class Fold:
    """Blocks that open on demand."""

    title: str
    blocks: Sequence["Block"]
    opened: bool = False


@dataclass(frozen=True)
class Section:
    """A heading and what belongs to it.

    Attributes:
        title: the heading.
        anchor: unique in the report.
        blocks: its content, subsections among them.
    """

    title: str
    anchor: str
    blocks: Sequence["Block"]


Block: TypeAlias = Paragraph | Bullets | Table | Picture | Chart | Listing | Gallery | Fold | Section


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: of the whole.
        question: what it answers.
        sections: from top to bottom.
    """

    title: str
    question: str
    sections: Sequence[Section]


def slug(name: str) -> str:
    """Turn a name into one that serves as file name and as anchor; different names stay different.

    Args:
        name: any text.

    Returns:
        Lower-case letters, digits, `_` and `-` only.
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
