"""Candidates, masses and cysts below the operating point: what is told of them, and which a reader dismissed."""

from collections.abc import Iterable
from dataclasses import replace

from KidneySegLib.findings.flag_values import name_of
from KidneySegLib.findings.lesion import LesionFinding
from KidneySegLib.findings.result import Findings
from KidneySegLib.flags import Flag


def candidate_flags(candidates: Iterable[LesionFinding]) -> list[Flag]:
    """Tells of the candidates that no reader dismissed, and names the largest."""
    open_ones = [each for each in candidates if each.reading.state != "dismissed"]
    if not open_ones:
        return []
    largest = max(open_ones, key=lambda lesion: lesion.measures.volume_ml)
    told = {"lesion": name_of(largest), "length_mm": largest.longest_mm, "confidence": largest.confidence or 0.0}
    flag = Flag.of("lesion_candidates", count=len(open_ones), **told)
    return [flag if largest.side_certain else flag.by_header()]


def with_candidates(findings: Findings, candidates: Iterable[LesionFinding]) -> Findings:
    """Returns findings with other candidates, and what is told of these."""
    listed = tuple(candidates)
    if listed == findings.candidates:
        return findings
    told = [n for n, flag in enumerate(findings.flags) if flag.code == "lesion_candidates"]
    place = told[0] if told else len(findings.flags)
    others = [flag for flag in findings.flags if flag.code != "lesion_candidates"]
    return replace(findings, candidates=listed, flags=(*others[:place], *candidate_flags(listed), *others[place:]))
