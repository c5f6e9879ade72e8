"""What stands on every page of the PDF: header, disclaimer, versions, page number."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from KidneySegLib.reporting.content.content import Report
from KidneySegLib.reporting.pdf.style import BOLD, FONT, GREY, HAIRLINE, INK

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

MM = 72 / 25.4
PAGE = (210 * MM, 297 * MM)  # A4
LEFT, RIGHT = 15 * MM, 195 * MM
TOP, BOTTOM = 19 * MM, 17 * MM
SIZE = 6.6


def page_class(report: Report) -> partial[Canvas]:
    """Returns a canvas that draws header and footer of the report on each page, once the number of pages is known."""
    from reportlab.pdfgen.canvas import Canvas

    class PageCanvas(Canvas):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  (reportlab's name)
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page in self._pages:
                self.__dict__.update(page)
                _decorate(self, report, self.getPageNumber(), len(self._pages))
                super().showPage()
            super().save()

    return partial(PageCanvas)


def _decorate(canvas: Canvas, report: Report, page: int, pages: int) -> None:
    canvas.setFillColor(GREY)
    canvas.setFont(FONT, SIZE + 0.8)
    canvas.drawString(LEFT, PAGE[1] - 12 * MM, report.header)
    if page > 1:
        canvas.drawRightString(RIGHT, PAGE[1] - 12 * MM, report.title)
        canvas.drawString(LEFT, PAGE[1] - 15.5 * MM, report.patient)
    canvas.setStrokeColor(HAIRLINE)
    canvas.setLineWidth(0.6)
    canvas.line(LEFT, 13 * MM, RIGHT, 13 * MM)
    canvas.setFont(FONT, SIZE)
    canvas.drawString(LEFT, 6.2 * MM, report.made_by)
    canvas.drawRightString(RIGHT, 9.6 * MM, report.page.format(page=page, pages=pages))
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, SIZE)
    canvas.drawString(LEFT, 9.6 * MM, report.disclaimer)
