"""What a list shows of a reader's change before the label map is measured: measuring a large exam takes seconds.

A new entry has the identifier that measuring will give to it, unless the change merges it with another finding. Its
densities are NaN, which no measured finding has; by that front ends know that it is being measured. Volumes and other
numbers of kidneys are those of before.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from KidneySegLib.findings.candidates import with_candidates
from KidneySegLib.findings.kidney import KidneyFinding
from KidneySegLib.findings.lesion import LesionFinding, LesionStructure
from KidneySegLib.findings.measures import Measures
from KidneySegLib.findings.reading import NOT_READ, Reading
from KidneySegLib.findings.result import Findings, RejectedFinding
from KidneySegLib.findings.stone import StoneFinding
from KidneySegLib.structures import Side

Listed = LesionFinding | StoneFinding
_LETTERS = {"mass": "M", "cyst": "C", "stone": "S"}


def rejected_at_once(findings: Findings, identifier: str, network: Findings) -> Findings:
    """Returns findings that list a lesion or stone as rejected.

    What a reader added leaves no entry, as nobody else has claimed it; if it was a candidate, it is one again, and so
    is a kidney of which the reader had made it. Where the reader had changed a lesion of the network's, the network's
    own is listed as rejected.

    Args:
        findings: as they are listed.
        identifier: of one of their lesions or stones; nothing changes if there is none.
        network: findings of the network's run.
    """
    finding = _of(findings, identifier)
    if finding is None:
        return findings
    if finding.reading.was_kidney is not None:
        return _with_kidney(_without(findings, identifier), network.kidney(finding.reading.was_kidney))
    reading, claimed = finding.reading, _of(network, finding.reading.was) or finding
    if claimed is not finding:
        claimed = replace(claimed, reading=Reading("found", reading.reader_name))
    entries = () if reading.state == "added" else (RejectedFinding(claimed, ""),)
    open_ones = {each.id: each for each in findings.candidates}
    candidates = [open_ones.get(each.id, each) for each in network.candidates if each.id in {*open_ones, reading.was}]
    listed = with_candidates(findings, candidates) if reading.state == "added" else findings
    return replace(_without(listed, identifier), rejected=(*findings.rejected, *entries))


def restored_at_once(findings: Findings, identifier: str) -> Findings:
    """Returns findings that list a rejected lesion or stone again, after those of its kind."""
    again = [each.finding for each in findings.rejected if each.finding.id == identifier]
    others = tuple(each for each in findings.rejected if each.finding.id != identifier)
    return _with(replace(findings, rejected=others), again)


def relabelled_at_once(findings: Findings, identifier: str, key: str, network: Findings) -> Findings:
    """Returns findings that list a lesion or stone as a ``mass``, ``cyst`` or ``stone``; as ``kidney`` it is rejected.

    The other arguments are those of ``rejected_at_once``.
    """
    finding = _of(findings, identifier)
    if finding is None or finding.structure == key:
        return findings
    if key == "kidney":
        return rejected_at_once(findings, identifier, network)
    was = finding.reading.was or (finding.id if _of(network, finding.id) is not None else None)
    origin = _of(network, was)
    is_new = origin is None and finding.reading.was_kidney is None
    reading = Reading("added" if is_new else "changed", finding.reading.reader_name, was)
    name = _unused(key, findings, network)
    if origin is not None and origin.structure == key:  # it is what the network said again
        name, reading = origin.id, replace(reading, was=None)
    return _with(_without(findings, identifier), [_as(finding, key, name, reading)])


def kidney_relabelled_at_once(findings: Findings, side: Side, key: str, network: Findings) -> Findings:
    """Returns findings in which the kidney of a side is listed as a ``mass``, ``cyst`` or ``stone``."""
    kidney = findings.kidney(side)
    if kidney is None:
        return findings
    reading, name = Reading("changed", "", kidney.structure), _unused(key, findings, network)
    others = tuple(each for each in findings.kidneys if each is not kidney)
    body = _lesion_of(kidney.measures, side, side_certain=kidney.side_certain)
    body = replace(body, cut_at=kidney.cut_at, length_at_least_mm=kidney.length_at_least_mm)
    return _with(replace(findings, kidneys=others), [_as(body, key, name, reading)])


def taken_over_at_once(findings: Findings, identifier: str, network: Findings) -> Findings:
    """Returns findings that list a candidate as a lesion that the reader added; see ``rejected_at_once``."""
    candidate = next((each for each in findings.candidates if each.id == identifier), None)
    if candidate is None:
        return findings
    kind = candidate.structure
    lesion = _as(candidate, kind, _unused(kind, findings, network), Reading("added", "", identifier))
    others = (each for each in findings.candidates if each.id != identifier)
    return _with(with_candidates(findings, others), [lesion])


def drawn_at_once(findings: Findings, measures: Measures, key: str, *, grown: bool, network: Findings) -> Findings:
    """Returns findings that list what a reader has drawn, on the side of the nearest kidney.

    Args:
        findings: as they are listed.
        measures: of the body that is drawn now; the densities are left aside.
        key: of its structure: ``mass``, ``cyst`` or ``stone``.
        grown: whether a part of the body was there before; then the nearest finding of its kind is being measured anew.
        network: findings of the network's run.
    """

    def distance(other: Listed | KidneyFinding) -> float:
        return math.dist(other.measures.centroid_lps_mm, measures.centroid_lps_mm)

    if grown:
        same = [each for each in _listed(findings) if each.structure == key]
        nearest = min(same, key=distance, default=None)
        return findings if nearest is None else _measured_anew(findings, nearest)
    if not findings.kidneys:
        return findings  # the side follows from the body's midline, which is not looked for here
    side = min(findings.kidneys, key=distance).side
    new = _lesion_of(measures, side, side_certain=findings.sides_certain)
    return _with(findings, [_as(new, key, _unused(key, findings, network), Reading("added"))])


def _measured_anew(findings: Findings, finding: Listed) -> Findings:
    """Returns findings of which one is not measured, with the marks that it had."""
    again = _as(finding, finding.structure, finding.id, finding.reading)
    if isinstance(again, StoneFinding):
        return replace(findings, stones=tuple(again if each is finding else each for each in findings.stones))
    return replace(findings, lesions=tuple(again if each is finding else each for each in findings.lesions))


def _listed(findings: Findings) -> list[Listed]:
    return [*findings.lesions, *findings.stones]


def _of(findings: Findings, identifier: str | None) -> Listed | None:
    return next((each for each in _listed(findings) if each.id == identifier), None)


def _without(findings: Findings, identifier: str) -> Findings:
    return replace(
        findings,
        lesions=tuple(each for each in findings.lesions if each.id != identifier),
        stones=tuple(each for each in findings.stones if each.id != identifier),
    )


def _with(findings: Findings, new: Iterable[Listed]) -> Findings:
    """Returns findings with further ones, each after those of its kind."""
    lesions = [*findings.lesions, *(each for each in new if isinstance(each, LesionFinding))]
    stones = [*findings.stones, *(each for each in new if isinstance(each, StoneFinding))]
    lesions.sort(key=lambda each: each.structure != "mass")
    return replace(findings, lesions=tuple(lesions), stones=tuple(stones))


def _with_kidney(findings: Findings, kidney: KidneyFinding | None) -> Findings:
    """Returns findings with a kidney of a side on which none is listed."""
    if kidney is None or findings.kidney(kidney.side) is not None:
        return findings
    order = list(Side)
    return replace(
        findings, kidneys=tuple(sorted((*findings.kidneys, kidney), key=lambda each: order.index(each.side)))
    )


def _unused(key: str, *findings: Findings) -> str:
    """Returns an identifier that none of the findings has, as measuring chooses it."""
    letter = _LETTERS[key]
    names = [each.id for every in findings for each in _listed(every)]
    numbers = [int(name[1:]) for name in names if name[:1] == letter and name[1:].isdigit()]
    return f"{letter}{max(numbers, default=0) + 1}"


def _lesion_of(measures: Measures, side: Side, *, side_certain: bool) -> LesionFinding:
    """Returns a lesion of which no more is known, to be made one of a kind (``_as``)."""
    return LesionFinding("", "mass", side, None, measures, None, None, None, None, side_certain=side_certain)


def _as(finding: Listed, key: str, identifier: str, reading: Reading = NOT_READ) -> Listed:
    """Returns a finding as another structure, not measured yet; its voxels are the same."""
    measures, at_least = finding.measures.without_densities(), finding.length_at_least_mm
    if key == "stone":
        known = not math.isnan(measures.length_mm)
        return StoneFinding(
            identifier,
            finding.side,
            finding.pole,
            finding.location if isinstance(finding, StoneFinding) else "kidney",
            measures,
            length_mm=measures.length_mm if known else None,
            volume_ml=measures.volume_ml,
            hu_peak=math.nan,
            hu_mean=math.nan,
            below_resolution=False,
            skin_distance_mm=None,
            cut_at=finding.cut_at,
            length_at_least_mm=at_least,
            side_certain=finding.side_certain,
            reading=reading,
        )
    place = finding if isinstance(finding, LesionFinding) else None
    return LesionFinding(
        identifier,
        cast(LesionStructure, key),
        finding.side,
        finding.pole,
        measures,
        sinus_distance_mm=place.sinus_distance_mm if place else None,
        capsule_distance_mm=place.capsule_distance_mm if place else None,
        exophytic_share=place.exophytic_share if place else None,
        confidence=None,
        cut_at=finding.cut_at,
        length_at_least_mm=at_least,
        side_certain=finding.side_certain,
        reading=reading,
    )
