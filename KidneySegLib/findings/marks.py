"""Marks that a reader sets without drawing: a lesion is confirmed or gets a name, a candidate is dismissed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from KidneySegLib.errors import InputError
from KidneySegLib.findings.candidates import with_candidates
from KidneySegLib.findings.lesion import LesionFinding
from KidneySegLib.findings.reading import LONGEST_NAME, Reading, is_name
from KidneySegLib.findings.result import Findings
from KidneySegLib.findings.stone import StoneFinding

# States in which the outline is the network's, which a reader may confirm.
AS_DRAWN = ("found", "confirmed")
_WITHOUT_DRAWING = (*AS_DRAWN, "dismissed")


def confirmed(findings: Findings, identifier: str, *, yes: bool = True) -> Findings:
    """Returns findings with a lesion or stone that a reader confirmed, or with ``yes=False`` no longer.

    What a reader changed or added needs no confirmation and stays what it is.

    Raises:
        InputError: there is no such finding.
    """

    def mark(reading: Reading) -> Reading:
        if reading.state not in AS_DRAWN:
            return reading
        return replace(reading, state="confirmed" if yes else "found")

    return _marked(findings, identifier, mark, _counted(findings))


def dismissed(findings: Findings, identifier: str, *, yes: bool = True) -> Findings:
    """Returns findings with a candidate that a reader looked at and left as one, or with ``yes=False`` no longer.

    Raises:
        InputError: there is no such candidate.
    """

    def mark(reading: Reading) -> Reading:
        return replace(reading, state="dismissed" if yes else "found")

    return _marked(findings, identifier, mark, findings.candidates)


def named(findings: Findings, identifier: str, name: str) -> Findings:
    """Returns findings with a reader's name for a lesion or stone; an empty one takes it away.

    Raises:
        InputError: there is no such finding, or the name is more than a short line.
    """
    name = name.strip()
    if not is_name(name):
        raise InputError("A name of a lesion is one line of at most {most} characters.", most=LONGEST_NAME)
    return _marked(findings, identifier, lambda reading: replace(reading, reader_name=name), _counted(findings))


def marked_as(findings: Findings, identifier: str, reading: Reading) -> Findings:
    """Returns findings with the marks of a lesion, stone or candidate as they were; it is what undoing needs.

    Raises:
        InputError: there is no such finding.
    """
    return _marked(findings, identifier, lambda _reading: reading, _named(findings))


def carried(findings: Findings, last: Findings) -> Findings:
    """Returns findings with the marks that a reader set meanwhile on what has the same identifier.

    Args:
        findings: measured from a label map, with the marks of when that began.
        last: the findings that were shown until now.
    """
    marks = {each.id: each.reading for each in _named(last)}

    def mark(finding: LesionFinding | StoneFinding) -> Reading:
        mine, shown = finding.reading, marks.get(finding.id, finding.reading)
        both = mine.state in _WITHOUT_DRAWING and shown.state in _WITHOUT_DRAWING
        return replace(mine, reader_name=shown.reader_name, state=shown.state if both else mine.state)

    return _with(findings, mark)


def without_names(findings: Findings) -> Findings:
    """Returns findings without the reader's names, which are free text."""
    findings = _with(findings, lambda finding: replace(finding.reading, reader_name=""))
    nameless = (
        replace(each, finding=replace(each.finding, reading=replace(each.finding.reading, reader_name="")))
        for each in findings.rejected
    )
    return replace(findings, rejected=tuple(nameless))


def _marked(
    findings: Findings,
    identifier: str,
    mark: Callable[[Reading], Reading],
    among: Sequence[LesionFinding | StoneFinding],
) -> Findings:
    if identifier not in (each.id for each in among):
        raise InputError("There is no lesion, stone or candidate of this name in the result. Choose one of its list.")
    return _with(findings, lambda each: mark(each.reading) if each.id == identifier else each.reading)


def _counted(findings: Findings) -> list[LesionFinding | StoneFinding]:
    return [*findings.lesions, *findings.stones]


def _named(findings: Findings) -> list[LesionFinding | StoneFinding]:
    return [*_counted(findings), *findings.candidates]


def _with(findings: Findings, reading: Callable[[LesionFinding | StoneFinding], Reading]) -> Findings:
    marked = replace(
        findings,
        lesions=tuple(replace(lesion, reading=reading(lesion)) for lesion in findings.lesions),
        stones=tuple(replace(stone, reading=reading(stone)) for stone in findings.stones),
    )
    return with_candidates(marked, (replace(each, reading=reading(each)) for each in findings.candidates))
