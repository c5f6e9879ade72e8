"""Reports as lines of text."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO

from pypdf import PdfReader

BLOCKS = {"p", "li", "tr", "dt", "dd", "h1", "h2", "figcaption", "title"}
CELLS = {"td", "th", "span"}


def checksum(content: bytes) -> str:
    """Returns the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def pdf_text(file: Path | BinaryIO) -> list[str]:
    """Returns a PDF's sentences; where its lines break is no matter."""
    text = " ".join(page.extract_text() for page in PdfReader(file).pages)
    return re.split(r"(?<=\.) ", " ".join(text.split()))


def html_text(text: str) -> dict[str, list[str]]:
    """Returns the lines of an HTML page under their headings; a picture is a line with its checksum."""
    parser = _Lines()
    parser.feed(text)
    parser.close()
    return parser.sections


class _Lines(HTMLParser):
    """Collects text by line, and lines by the heading (h2) above them."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: dict[str, list[str]] = {"": []}
        self._section = self.sections[""]
        self._line = ""
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._hidden = tag in ("style", "script")
        if tag == "html":
            self._section.append(f"language {values.get('lang')}")
        if tag == "img":
            picture = checksum((values.get("src") or "").encode())
            self._section.append(f"picture {picture} {values.get('width')} {values.get('height')} {values.get('alt')}")
        if tag in CELLS and self._line.strip():
            self._line += " | "

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag not in BLOCKS:
            return
        line, self._line = " ".join(self._line.split()), ""
        if tag == "h2":
            self._section = self.sections.setdefault(line, [])
        elif line:
            self._section.append(line)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._line += data
