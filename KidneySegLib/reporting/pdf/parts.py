"""Parts of the PDF: what stands above each other on its pages."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from KidneySegLib.reporting.content.content import Column, PictureRow, Remark, Report, Table
from KidneySegLib.reporting.pdf.pages import LEFT, MM, RIGHT
from KidneySegLib.reporting.pdf.style import BOLD, FONT, HAIRLINE, INK, SEVERITY_INKS, paragraph, styles

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

WIDTH = RIGHT - LEFT
NAME_WIDTH, SEVERITY_WIDTH = 30 * MM, 14 * MM
GUTTER = 2.5 * MM
LEAST_ROOM = 28 * MM  # for a heading with the first rows below it
LAST_ROWS = 3  # of a table stay together
NUMBER_SIZE, LEADING = 7.4, 9.6

Command = tuple[Any, ...]


def text_parts(report: Report) -> list[Flowable]:
    """Returns all of the report but its pictures."""
    from reportlab.platypus import CondPageBreak

    parts: list[Flowable] = [paragraph(report.title, "title"), _facts(report.facts)]
    parts += [paragraph(report.summary_title, "heading")]
    parts += [paragraph(sentence, "body") for sentence in report.summary]
    for table in report.tables:
        parts += [CondPageBreak(LEAST_ROOM), paragraph(table.title, "heading"), _table(table)]
        if table.notes:
            parts.append(paragraph(" ".join(table.notes), "note"))
    if report.remarks:
        parts += [CondPageBreak(LEAST_ROOM), paragraph(report.remarks_title, "heading"), _remarks(report.remarks)]
    return parts


def picture_row(row: PictureRow) -> Flowable:
    """Returns pictures side by side with their captions below them."""
    from reportlab.platypus import Image, Spacer

    width = (WIDTH - GUTTER * (row.columns - 1)) / row.columns
    images: list[Flowable] = [
        Image(BytesIO(picture.jpeg), width, width * picture.size[1] / picture.size[0]) for picture in row.pictures
    ]
    captions: list[Flowable] = [paragraph(picture.caption, "caption") for picture in row.pictures]
    empty: list[Flowable] = [Spacer(0, 0)] * (row.columns - len(row.pictures))
    style: list[Command] = [
        ("RIGHTPADDING", (0, 0), (-2, -1), GUTTER),
        ("TOPPADDING", (0, 1), (-1, 1), 2),
        ("BOTTOMPADDING", (0, 1), (-1, 1), 6),
    ]
    widths = [width + GUTTER] * (row.columns - 1) + [width]
    return _grid([images + empty, captions + empty], widths, style, splits=False)


def legend(report: Report) -> Flowable:
    """Returns the structures' names, each behind a dot of its colour."""
    from reportlab.platypus import Paragraph

    names = []
    for name, (red, green, blue) in report.legend:
        dot = f'<font name="{BOLD}" size="11" color="#{red:02x}{green:02x}{blue:02x}">•</font>'
        names.append(f"{dot} {escape(name)}")
    return Paragraph("&nbsp;&nbsp;&nbsp; ".join(names), styles()["legend"])


def _facts(facts: tuple[tuple[str, str], ...]) -> Flowable:
    rows: list[list[Flowable]] = [[paragraph(name, "name"), paragraph(value, "body")] for name, value in facts]
    lines = [("LINEABOVE", (0, 0), (-1, 0), 0.6, HAIRLINE), ("LINEBELOW", (0, -1), (-1, -1), 0.6, HAIRLINE)]
    space = [("TOPPADDING", (0, 0), (-1, 0), 3), ("BOTTOMPADDING", (0, -1), (-1, -1), 3)]
    return _grid(rows, [NAME_WIDTH, WIDTH - NAME_WIDTH], [*lines, *space])


def _remarks(remarks: tuple[Remark, ...]) -> Flowable:
    rows: list[list[Flowable]] = [
        [paragraph(remark.word, "total", SEVERITY_INKS[remark.severity]), paragraph(remark.text, "cell")]
        for remark in remarks
    ]
    return _grid(rows, [SEVERITY_WIDTH, WIDTH - SEVERITY_WIDTH], [("BOTTOMPADDING", (0, 0), (-1, -1), 1.5)])


def _table(table: Table) -> Flowable:
    """Returns a table with its headings: numbers at the right, hairlines between rows."""
    heads = [_group_titles(table)] if table.groups else []
    heads.append([paragraph(*_column_head(column)) for column in table.columns])
    top = len(heads)
    rows: list[list[Flowable | str]] = []
    for number, cells in enumerate(table.rows):
        kind = "total" if number in table.totals else "cell"
        pairs = zip(cells, table.columns, strict=True)
        rows.append([cell if column.number else paragraph(cell, kind) for cell, column in pairs])
    style: list[Command] = [
        ("TEXTCOLOR", (0, top), (-1, -1), INK),
        *(("FONT", (0, top + n), (-1, top + n), BOLD, NUMBER_SIZE, LEADING) for n in table.totals),
        *(("ALIGN", (n, top), (n, -1), "RIGHT") for n, column in enumerate(table.columns) if column.number),
        ("VALIGN", (0, 0), (-1, top - 1), "BOTTOM"),
        ("LINEBELOW", (0, top - 1), (-1, top - 1), 0.6, HAIRLINE),
        ("LINEBELOW", (0, top), (-1, -1), 0.3, HAIRLINE),
        ("TOPPADDING", (0, top), (-1, -1), 1.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ("LEFTPADDING", (1, 0), (-1, -1), 4),
        ("NOSPLIT", (0, -min(LAST_ROWS, len(rows))), (0, -1)),
        *_group_style(table),
    ]
    total = sum(column.width for column in table.columns)
    return _grid([*heads, *rows], [WIDTH * column.width / total for column in table.columns], style, heads=top)


def _column_head(column: Column) -> tuple[str, str]:
    return f"{column.title}\n{column.unit}".strip(), "number column" if column.number else "column"


def _group_titles(table: Table) -> list[Flowable | str]:
    titles: list[Flowable | str] = []
    for title, columns in table.groups:
        titles += [paragraph(title, "group"), *[""] * (columns - 1)]
    return titles


def _group_style(table: Table) -> list[Command]:
    style: list[Command] = []
    first = 0
    for title, columns in table.groups:
        style.append(("SPAN", (first, 0), (first + columns - 1, 0)))
        if title:
            style.append(("LINEBELOW", (first, 0), (first + columns - 1, 0), 0.3, HAIRLINE))
            style.append(("LEFTPADDING", (first, 0), (first, -1), 10))
        first += columns
    return style


def _grid(
    cells: list[list[Flowable | str]], widths: list[float], style: list[Command], *, heads: int = 0, splits: bool = True
) -> Flowable:
    """Returns cells without padding, at the left and the top, but for what ``style`` adds."""
    from reportlab.platypus import Table as Grid

    # reportlab sets empty cells, too, and would name a font for them that is not embedded
    plain: list[Command] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("FONT", (0, 0), (-1, -1), FONT, NUMBER_SIZE, LEADING)]
    plain += [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]
    return Grid(cells, widths, style=[*plain, *style], repeatRows=heads, splitByRow=int(splits), hAlign="LEFT")
