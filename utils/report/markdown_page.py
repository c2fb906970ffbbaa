"""A report as Markdown, with links to pictures beside it."""

import re
from collections.abc import Iterable
from functools import singledispatchmethod
from pathlib import Path

from utils.report.blocks import (
    Bullets,
    Cell,
    Chart,
    Document,
    Fold,
    Gallery,
    Listing,
    Paragraph,
    Picture,
    Section,
    Table,
)

FILE, PICTURES = "report.md", "pictures"
SUFFIXES = (".webp", ".svg")


def write(document: Document, folder: Path) -> None:
    """Write a report as `report.md` and its pictures.

    Args:
        document: the report.
        folder: an existing one.

    Raises:
        OSError: If writing fails.
    """
    (folder / PICTURES).mkdir()
    page = _Page(folder / PICTURES)
    content = page.all(document.sections)
    text = f"# {_escape(document.title)}\n\n{_escape(document.question)}\n\n{content}\n"
    (folder / FILE).write_text(text, encoding="utf-8")


class _Page:
    """Renders blocks, and writes pictures on the way.

    Args:
        folder: for the pictures.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._level = 2

    def all(self, blocks: Iterable[object]) -> str:
        return "\n\n".join(self.one(block) for block in blocks)

    @singledispatchmethod
    def one(self, block: object) -> str:
        raise TypeError(f"no way to render {type(block).__name__}")

    @one.register
    def _(self, block: Section) -> str:
        heading = f"{'#' * self._level} {_escape(block.title)}"
        self._level += 1
        content = self.all(block.blocks)
        self._level -= 1
        return f"{heading}\n\n{content}"

    @one.register
    def _(self, block: Paragraph) -> str:
        return _paragraph(block)

    @one.register
    def _(self, block: Bullets) -> str:
        return "\n".join(f"- {_paragraph(item)}" for item in block.items)

    @one.register
    def _(self, block: Picture) -> str:
        (self._folder / block.name).write_bytes(block.data)
        return _link(block.name, block.alt, block.caption)

    @one.register
    def _(self, block: Chart) -> str:
        name = f"{block.drawing.name}.svg"
        (self._folder / name).write_text(block.drawing.standalone() + "\n", encoding="utf-8")
        return _link(name, block.drawing.title, block.caption)

    @one.register
    def _(self, block: Listing) -> str:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.text)), default=0))
        return f"{fence}\n{block.text}\n{fence}"

    @one.register
    def _(self, block: Gallery) -> str:
        return self.all(block.blocks)

    @one.register
    def _(self, block: Fold) -> str:
        return f"<details><summary>{_escape(block.title)}</summary>\n\n{self.all(block.blocks)}\n\n</details>"

    @one.register
    def _(self, block: Table) -> str:
        lines = [_line(map(_escape, block.columns)), "|---" * len(block.columns) + "|"]
        for title, rows in block.groups:
            if title:
                lines.append(_line([f"*{_escape(title)}*", *[""] * (len(block.columns) - 1)]))
            lines += [_line([_escape(row.head), *map(_cell, row.cells)]) for row in rows]
        return f"{_escape(block.caption)}\n\n" + "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = f"**{_escape(cell.text)}**" if cell.strong else _escape(cell.text)
    return f"{text} {_escape(cell.note)}" if cell.note else text


def _paragraph(block: Paragraph) -> str:
    return (f"**{_escape(block.lead)}** " if block.lead else "") + _escape(block.text)


def _link(name: str, alt: str, caption: str) -> str:
    return f"![{_escape(alt)}]({PICTURES}/{name})\n\n*{_escape(caption)}*"


def _escape(text: str) -> str:
    """Take away what text may mean in Markdown and in the HTML that Markdown lets through."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(text.split()))
