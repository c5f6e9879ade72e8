"""The findings as plain text, to be copied into a report system."""

from KidneySegLib.findings import Findings, LesionFinding, StoneFinding
from KidneySegLib.flags import Severity
from KidneySegLib.languages.language import Language
from KidneySegLib.languages.words import STRUCTURES
from KidneySegLib.reporting.content.content import AT_LEAST
from KidneySegLib.reporting.content.facts import phase_text, summary
from KidneySegLib.reporting.content.places import place_of
from KidneySegLib.reporting.content.reading import STATES
from KidneySegLib.reporting.content.tables import diameters, stone_size, volume_digits


def findings_text(findings: Findings, language: Language) -> str:
    """Returns the findings in lines: summary, every lesion and stone, what was rejected, what is to be checked.

    Args:
        findings: the findings.
        language: in which it speaks.
    """
    _ = language.text
    lines = list(summary(findings, language))
    if findings.phase is not None:
        contrast = _("Contrast phase")
        lines.append(f"{contrast}: {phase_text(findings.phase, language)}.")
    lines += [_line(lesion, _lesion_size(lesion, language), language) for lesion in findings.lesions]
    lines += [_line(stone, _stone_size(stone, language), language) for stone in findings.stones]
    lines += [flag.said(language) for flag in findings.flags if _is_told(flag.code, flag.severity)]
    lines.append(_("Research use, not a medical device"))
    return "\n".join(lines) + "\n"


def _is_told(code: str, severity: Severity) -> bool:
    return severity is not Severity.INFO or code == "rejected_by_reader"


def _line(finding: LesionFinding | StoneFinding, sizes: list[str], language: Language) -> str:
    """Returns a line such as ``M1, Solid mass, left, upper pole: 34 × 30 mm, 12 ml, 35 HU (added by the reader).``."""
    reading = finding.reading
    named = f" ({reading.reader_name})" if reading.reader_name else ""
    state = f" ({language.text(STATES[reading.state])})" if reading.state in STATES else ""
    what = f"{language.text(STRUCTURES[finding.structure])}, {place_of(finding, language)}"
    return f"{finding.id}{named}, {what}: {', '.join(sizes)}{state}."


def _lesion_size(lesion: LesionFinding, language: Language) -> list[str]:
    of, at_least = lesion.measures, AT_LEAST if lesion.cut_at else ""
    sizes = [f"{at_least}{diameters(lesion, language)} mm"]
    if of.volume_ml == of.volume_ml:  # NaN in a slice of unknown thickness
        sizes.append(f"{at_least}{language.number(of.volume_ml, volume_digits([of.volume_ml]))} ml")
    return [*sizes, f"{language.number(of.hu_mean)} {language.text('HU')}"]


def _stone_size(stone: StoneFinding, language: Language) -> list[str]:
    sizes = []
    if stone.longest_mm is not None:
        sizes.append(f"{stone_size(stone.longest_mm, bool(stone.cut_at), language, 1)} mm")
    return [*sizes, f"{language.number(stone.hu_peak)} {language.text('HU')}"]
