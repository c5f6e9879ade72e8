"""The report as PDF: one or two pages A4, fonts embedded, the same bytes for the same report."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from KidneySegLib.reporting.content.content import Report
from KidneySegLib.reporting.pdf.pages import BOTTOM, LEFT, PAGE, TOP, page_class
from KidneySegLib.reporting.pdf.parts import WIDTH, legend, picture_row, text_parts
from KidneySegLib.reporting.pdf.style import FONT, paragraph, register_fonts

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

MOST_PAGES = 2


def pdf(report: Report) -> bytes:
    """Returns the report as a PDF file.

    All text is set first; the pictures take what is left of two pages, as many rows of them as fit.
    """
    register_fonts()
    text = text_parts(report)
    _, page, room = _built(report, text)
    return _built(report, [*text_parts(report), *_pictures(report, page, room)])[0]


def _pictures(report: Report, page: int, room: float) -> list[Flowable]:
    """Returns the key images that fit.

    Args:
        report: the report.
        page: where its text ends, from 1.
        room: height in points that the text leaves on that page.
    """
    from reportlab.platypus import PageBreak

    heads = [paragraph(report.pictures_title, "heading"), legend(report)]
    rows = [picture_row(row) for row in report.pictures]
    # the line on what is not shown is reckoned with before it is known whether it is needed
    parts = [*_remainder(report, 0), *heads, *rows]
    before = len(parts) - len(rows)
    fitting = _fitting(parts, room) - before
    new_page = page < MOST_PAGES and fitting < len(rows)
    if new_page:
        fitting = _fitting(parts, PAGE[1] - TOP - BOTTOM) - before
    count = max(0, fitting)
    remainder = _remainder(report, count)
    if count == 0:
        return remainder
    return [*([PageBreak()] if new_page else []), *heads, *rows[:count], *remainder]


def _remainder(report: Report, rows: int) -> list[Flowable]:
    """Returns the line on what the first rows of pictures do not show, if there is anything to say."""
    text = report.remainder(rows)
    return [paragraph(text, "note")] if text else []


def _fitting(parts: Sequence[Flowable], room: float) -> int:
    """Returns how many of the parts fit below each other into this height in points."""
    used = 0.0
    for count, part in enumerate(parts):
        used += part.getSpaceBefore() + part.wrap(WIDTH, room)[1] + part.getSpaceAfter()
        if used > room:
            return count
    return len(parts)


def _built(report: Report, parts: list[Flowable]) -> tuple[bytes, int, float]:
    """Returns the file, the number of pages, and the height in points that is left on the last one."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    file = BytesIO()
    frame = Frame(LEFT, BOTTOM, WIDTH, PAGE[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document = BaseDocTemplate(
        file,
        pagesize=PAGE,
        title=report.title,
        author=report.made_by,
        subject=report.disclaimer,
        creator=report.mark,
        lang=report.language,
        initialFontName=FONT,
        invariant=True,
        pageTemplates=[PageTemplate(frames=[frame])],
    )
    document.build(parts, canvasmaker=page_class(report))
    return file.getvalue(), document.page, frame._y - BOTTOM
