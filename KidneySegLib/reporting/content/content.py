"""What a report says, in its language and in no layout yet: PDF and HTML show the same."""

from collections.abc import Callable
from dataclasses import dataclass

# Before a size of which the image shows only a part.
AT_LEAST = "≥ "


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: what it holds.
        unit: of its numbers, "" if it has none.
        width: share of the table's width, relative to the other columns.
        number: whether its cells are numbers, which stand at the right.
    """

    title: str
    unit: str = ""
    width: float = 1.0
    number: bool = True


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: heading.
        columns: its columns; the first names the row.
        rows: cells, one per column.
        totals: indices of rows that sum up others.
        groups: titles over several columns, with the number of columns; empty if there are none.
        notes: sentences below the table.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: frozenset[int] = frozenset()
    groups: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """A flag.

    Attributes:
        severity: ``error``, ``warning`` or ``info``.
        word: what the severity is called.
        text: the sentence.
    """

    severity: str
    word: str
    text: str


@dataclass(frozen=True)
class Picture:
    """A key image.

    Attributes:
        jpeg: the picture.
        size: its width and height in pixels.
        caption: what stands below it.
        description: what is to be seen, for readers who cannot see it.
        finding: identifier of the lesion or stone that it shows close up, "" for others.
    """

    jpeg: bytes
    size: tuple[int, int]
    caption: str
    description: str
    finding: str = ""


@dataclass(frozen=True)
class PictureRow:
    """Key images side by side; ``columns`` is how many have room."""

    columns: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Report:
    """Everything that stands in a report; all texts are in its language.

    Attributes:
        language: ISO 639-1 code.
        title: title.
        header: the institution's line, "" if there is none.
        disclaimer: stands on every page.
        patient: who it is about, in one line, "" in a de-identified report.
        facts: patient, exam, technique and what made the report, as pairs of name and value.
        summary_title, summary: the findings in a few sentences.
        tables: kidneys, lesions, stones, change.
        remarks_title, remarks: flags, the most severe first.
        legend: names of structures with their colours (red, green, blue) in the pictures.
        pictures_title, pictures: rows of key images, the most important first.
        findings: number of lesions and stones, whether shown close up or not.
        not_shown: says how many of them are not.
        page: pattern with ``{page}`` and ``{pages}``.
        made_by: versions, for the foot of each page.
        mark: tells programs which result it was made from.
    """

    language: str
    title: str
    header: str
    disclaimer: str
    patient: str
    facts: tuple[tuple[str, str], ...]
    summary_title: str
    summary: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks_title: str
    remarks: tuple[Remark, ...]
    legend: tuple[tuple[str, tuple[int, int, int]], ...]
    pictures_title: str
    pictures: tuple[PictureRow, ...]
    findings: int
    not_shown: Callable[[int], str]
    page: str
    made_by: str
    mark: str

    def remainder(self, rows: int) -> str:
        """Returns how many lesions and stones the first rows of pictures do not show close up, "" if they show all."""
        shown = sum(bool(picture.finding) for row in self.pictures[:rows] for picture in row.pictures)
        return self.not_shown(self.findings - shown) if self.findings > shown else ""
