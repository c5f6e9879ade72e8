"""Fonts, colours and paragraph styles of the PDF.

The fonts are Bitstream Vera, which reportlab brings along: free to embed, with the letters of all three languages.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

FONT, BOLD = "Vera", "VeraBd"
INK, GREY, HAIRLINE, ACCENT = "#1d2730", "#5d6a75", "#d4dade", "#0f5a6b"
SEVERITY_INKS = {"error": "#a32118", "warning": "#8a5200", "info": "#5d6a75"}


def register_fonts() -> None:
    """Makes the fonts known to reportlab, which embeds of them what is used."""
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (FONT, BOLD):
        if name not in getRegisteredFontNames():
            registerFont(TTFont(name, f"{name}.ttf"))


def lacking_letters(text: str) -> str:
    """Returns the characters of a text that the fonts do not have, each once."""
    from reportlab.pdfbase.pdfmetrics import getFont

    register_fonts()
    known = getFont(FONT).face.charToGlyph
    return "".join(sorted({letter for letter in text if ord(letter) not in known}))


@cache
def styles() -> dict[str, ParagraphStyle]:
    """Returns the paragraph styles by name."""
    from reportlab.lib.enums import TA_CENTER, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle

    body = ParagraphStyle("body", fontName=FONT, fontSize=7.8, leading=11, textColor=INK)
    cell = ParagraphStyle("cell", body, fontSize=7.4, leading=9.6)
    small = ParagraphStyle("small", body, fontSize=6.6, leading=8.4, textColor=GREY)
    return {
        "body": body,
        "title": ParagraphStyle("title", body, fontName=BOLD, fontSize=14, leading=18, spaceAfter=5),
        "heading": ParagraphStyle(
            "heading", body, fontName=BOLD, fontSize=9, leading=12, textColor=ACCENT, spaceBefore=9, spaceAfter=3
        ),
        "name": ParagraphStyle("name", body, textColor=GREY),
        "cell": cell,
        "total": ParagraphStyle("total", cell, fontName=BOLD),
        "column": small,
        "number column": ParagraphStyle("number column", small, alignment=TA_RIGHT),
        "group": ParagraphStyle("group", small, alignment=TA_CENTER),
        "note": ParagraphStyle("note", small, spaceBefore=2),
        "legend": ParagraphStyle("legend", small, leading=10, textColor=INK, spaceAfter=6),
        "caption": ParagraphStyle("caption", small, textColor=INK),
    }


def paragraph(text: str, style: str, ink: str = "") -> Paragraph:
    """Returns a paragraph of plain text, lines broken where it breaks them, in another colour if one is given."""
    from reportlab.platypus import Paragraph

    marked = escape(text).replace("\n", "<br/>")
    return Paragraph(f'<font color="{ink}">{marked}</font>' if ink else marked, styles()[style])
