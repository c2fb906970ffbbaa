"""A report as one self-contained web page: nothing is fetched, nothing runs."""

import base64
import re
from collections.abc import Iterable, Sequence
from functools import singledispatchmethod
from html import escape
from pathlib import Path

from utils.report import svg
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
    Row,
    Section,
    Table,
)

STYLE = Path(__file__).with_name("page.css")
NUMBER = re.compile("[-−–∞0-9.,]+")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render(document: Document) -> str:
    """Write a report as a web page.

    Args:
        document: the report.

    Returns:
        HTML, with all pictures, charts and styles inside.
    """
    page = _Page()
    content = page.all(document.sections)
    style = svg.STYLE.read_text(encoding="utf-8") + STYLE.read_text(encoding="utf-8")
    title, question = escape(document.title), escape(document.question)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{question}">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>{title}</h1>
<p class="question">{question}</p>
</header>
<nav aria-label="Contents">
{_contents(document.sections)}
</nav>
<main id="content">
{content}
</main>
</body>
</html>
"""


def _contents(sections: Iterable[Section]) -> str:
    entries = []
    for section in sections:
        inner = [block for block in section.blocks if isinstance(block, Section)]
        below = _contents(inner) if inner else ""
        entries.append(f'<li><a href="#{section.anchor}">{escape(section.title)}</a>{below}</li>')
    return f"<ol>{''.join(entries)}</ol>"


class _Page:
    """Renders blocks, and numbers tables so that their captions have names."""

    def __init__(self) -> None:
        self._level = 2
        self._tables = 0

    def all(self, blocks: Iterable[object]) -> str:
        return "\n".join(self.one(block) for block in blocks)

    @singledispatchmethod
    def one(self, block: object) -> str:
        raise TypeError(f"no way to render {type(block).__name__}")

    @one.register
    def _(self, block: Section) -> str:
        heading = f'<h{self._level} id="{block.anchor}">{escape(block.title)}</h{self._level}>'
        self._level += 1
        content = self.all(block.blocks)
        self._level -= 1
        return f'<section aria-labelledby="{block.anchor}">\n{heading}\n{content}\n</section>'

    @one.register
    def _(self, block: Paragraph) -> str:
        return f"<p>{_paragraph(block)}</p>"

    @one.register
    def _(self, block: Bullets) -> str:
        return "<ul>" + "".join(f"<li>{_paragraph(item)}</li>" for item in block.items) + "</ul>"

    @one.register
    def _(self, block: Picture) -> str:
        data = base64.b64encode(block.data).decode()
        image = f'<img src="data:image/webp;base64,{data}" alt="{escape(block.alt)}">'
        return f"<figure>{image}<figcaption>{_text(block.caption)}</figcaption></figure>"

    @one.register
    def _(self, block: Chart) -> str:
        return f"<figure>{block.drawing.inline()}<figcaption>{_text(block.caption)}</figcaption></figure>"

    @one.register
    def _(self, block: Listing) -> str:
        return f'<pre tabindex="0"><code>{escape(block.text)}</code></pre>'

    @one.register
    def _(self, block: Gallery) -> str:
        return f'<div class="gallery">\n{self.all(block.blocks)}\n</div>'

    @one.register
    def _(self, block: Fold) -> str:
        opened = " open" if block.opened else ""
        return f"<details{opened}><summary>{escape(block.title)}</summary>\n{self.all(block.blocks)}\n</details>"

    @one.register
    def _(self, block: Table) -> str:
        self._tables += 1
        name = f"table-{self._tables}"
        classes = _classes([row for _, rows in block.groups for row in rows])
        columns = zip(("", *classes), block.columns, strict=True)
        head = "".join(f'<th scope="col"{css}>{escape(column)}</th>' for css, column in columns)
        body = "".join(_group(title, rows, classes) for title, rows in block.groups)
        return (
            f'<div class="table" role="region" aria-labelledby="{name}" tabindex="0"><table>'
            f'<caption><span id="{name}">{_text(block.caption)}</span></caption>'
            f"<thead><tr>{head}</tr></thead>{body}</table></div>"
        )


def _paragraph(block: Paragraph) -> str:
    lead = f"<strong>{escape(block.lead)}</strong> " if block.lead else ""
    return lead + _text(block.text)


def _text(text: str) -> str:
    """Escape, and keep a number and its percent sign on one line."""
    return escape(text).replace(" %", "&nbsp;%")


def _classes(rows: Iterable[Row]) -> list[str]:
    """Choose how columns are aligned: numbers at their end, text at its start."""
    columns = zip(*(row.cells for row in rows), strict=True)
    return ["" if all(NUMBER.fullmatch(cell.text) for cell in cells) else ' class="text"' for cells in columns]


def _group(title: str, rows: Iterable[Row], classes: Sequence[str]) -> str:
    head = f'<th scope="rowgroup" colspan="{len(classes) + 1}"><span>{escape(title)}</span></th>' if title else ""
    lines = [f'<tr class="group">{head}</tr>' if title else "", *(_row(row, classes) for row in rows)]
    return f"<tbody>{''.join(lines)}</tbody>"


def _row(row: Row, classes: Sequence[str]) -> str:
    cells = (_cell(cell, css) for cell, css in zip(row.cells, classes, strict=True))
    return f'<tr><th scope="row">{escape(row.head)}</th>{"".join(cells)}</tr>'


def _cell(cell: Cell, css: str) -> str:
    text = f"<strong>{escape(cell.text)}</strong>" if cell.strong else escape(cell.text)
    note = f" <small>{escape(cell.note)}</small>" if cell.note else ""
    shade = "" if cell.share is None else f' class="shade" style="--share: {cell.share:.0%}"'
    return f"<td{css or shade}>{text}{note}</td>"
