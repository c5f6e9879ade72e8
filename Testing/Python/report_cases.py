"""Reports written, and read again as their readers would: text of the PDF, structure of the HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdf
from numpy.typing import NDArray
from reporting_cases import findings_of, phantom
from result_cases import result_of

from KidneySegLib.findings import Findings
from KidneySegLib.reporting.report import write_report
from KidneySegLib.volume import Volume

LANGUAGES = ("en", "es", "tr")
SOURCE = {"modality": "CT", "manufacturer": "MAKER", "model": "One & <Two>", "kernel": "B30f", "kvp": 120.0}
VOID = {"meta", "img", "br", "link", "hr", "input"}


def case() -> tuple[Volume, NDArray, Findings]:
    """Two kidneys, a mass and a stone, from a scanner with a name."""
    volume, labels = phantom()
    labels[17:20, 33:37, 22:26] = 5  # a stone that can be measured
    return volume, labels, with_source(findings_of(volume, labels))


def with_source(findings: Findings, **more: Any) -> Findings:
    record = replace(findings.provenance.input, source={**SOURCE, **more})
    return replace(findings, provenance=replace(findings.provenance, input=record))


@dataclass
class Page(HTMLParser):
    """An HTML file taken apart; complains of tags that do not close in order.

    Attributes:
        language: of the root.
        tags: every start tag with its attributes.
        text: all text outside of styles.
    """

    language: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "html":
            self.language = dict(attrs)["lang"] or ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += f" {data}"

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def html_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    page.text = flat(page.text)
    return page


def flat(text: str) -> str:
    """Text without line breaks and runs of blanks."""
    return re.sub(r"\s+", " ", text)


@dataclass(frozen=True)
class Written:
    """A report as it was written."""

    folder: Path

    @property
    def pdf(self) -> pypdf.PdfReader:
        return pypdf.PdfReader(self.folder / "report.pdf")

    @property
    def pages(self) -> list[str]:
        return [flat(page.extract_text()) for page in self.pdf.pages]

    @property
    def text(self) -> str:
        return " ".join(self.pages)

    @property
    def html(self) -> Page:
        return html_page(self.folder / "report.html")


def written(folder: Path, volume: Volume, labels: NDArray, findings: Findings, **options: Any) -> Written:
    files = write_report(folder, result_of(volume, labels, findings), **options)
    assert [file.name for file in files] == ["report.pdf", "report.html"] and all(file.is_file() for file in files)
    return Written(folder)
