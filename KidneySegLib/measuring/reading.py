"""What a reader made of each lesion and stone, told by the label map before and after: found, changed, added, rejected.

Only what no label map tells comes from the findings of before: which ones were confirmed, and the reader's names.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from KidneySegLib.findings import (
    Findings,
    KidneyFinding,
    KidneyView,
    LesionFinding,
    Reading,
    RejectedFinding,
    StoneFinding,
)
from KidneySegLib.findings.candidates import with_candidates
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import MOST, KnownFindings
from KidneySegLib.structures import BY_LABEL, KIDNEYS

Named = LesionFinding | StoneFinding


def with_reading(
    findings: Findings, segmentation: Segmentation, known: KnownFindings, original: Findings, last: Findings
) -> Findings:
    """Returns the findings of a corrected label map with what the reader made of each, and with those rejected.

    Args:
        findings: what was measured on ``segmentation``.
        segmentation: the corrected label map, its instances in the findings' order.
        known: what the network drew, on the same grid.
        original: findings of the network's run.
        last: findings of before, with the reader's marks.
    """
    network = {each.id: each for each in _named(original)}
    marked = (*(each.finding for each in last.rejected), *_named(last), *last.candidates)
    marks = {each.id: each.reading for each in marked}
    pairs = zip(findings.all, segmentation.instances, strict=True)
    bodies = {finding.id: each.body for finding, each in pairs if not isinstance(finding, KidneyFinding | KidneyView)}
    shape = segmentation.labels.shape
    drawn_or_doubted = {**known.candidates, **known.voxels}
    origins = {name: _origin(body, drawn_or_doubted, shape) for name, body in bodies.items() if name not in network}
    kidneys = _kidney_origins(segmentation, findings, known)
    origins |= kidneys

    def reading(finding: Named) -> Reading:
        was = origins.get(finding.id)
        mark = marks.get(finding.id) or marks.get(was or "") or Reading()
        if finding.id not in network:
            is_new = was is None or was in known.candidates
            return Reading("added" if is_new else "changed", mark.reader_name, was)
        if not _as_drawn(finding, bodies[finding.id], network[finding.id], known):
            return Reading("changed", mark.reader_name, was)
        return Reading("confirmed" if mark.state == "confirmed" else "found", mark.reader_name)

    kept = bodies.keys() | {was for was in origins.values() if was is not None}
    rejected = tuple(
        RejectedFinding(
            replace(finding, side_certain=findings.sides_certain, reading=marks.get(name, finding.reading)),
            _became(known.voxels.get(name), segmentation, bodies),
        )
        for name, finding in network.items()
        if name not in kept
    )
    findings = with_candidates(
        findings, (replace(each, reading=marks.get(each.id, each.reading)) for each in findings.candidates)
    )
    flags = [Flag.of("rejected_by_reader", findings=[each.finding.id for each in rejected])] if rejected else []
    flags += _in_pieces(kidneys)
    return replace(
        findings,
        lesions=tuple(replace(lesion, reading=reading(lesion)) for lesion in findings.lesions),
        stones=tuple(replace(stone, reading=reading(stone)) for stone in findings.stones),
        rejected=rejected,
        flags=(*findings.flags, *flags),
    )


def _named(findings: Findings) -> tuple[Named, ...]:
    return (*findings.lesions, *findings.stones)


def _as_drawn(finding: Named, body: Body, network: Named, known: KnownFindings) -> bool:
    """Whether a body is as the network drew it; where only its place is known, its size tells."""
    drawn = known.voxels.get(finding.id)
    if drawn is None:
        return finding.measures.voxels == network.measures.voxels
    return np.array_equal(drawn, body.voxels())


def _origin(body: Body, known: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> str | None:
    """Returns the identifier of the network's finding that a body, or most of it, was; None if it was not one."""
    own = np.ravel_multi_index(tuple(body.voxels().T), shape)
    best, most = None, 0
    for name, voxels in known.items():
        shared = int(np.isin(np.ravel_multi_index(tuple(voxels.T), shape), own, assume_unique=True).sum())
        if shared > most and shared >= MOST * min(len(own), len(voxels)):
            best, most = name, shared
    return best


def _kidney_origins(segmentation: Segmentation, findings: Findings, known: KnownFindings) -> dict[str, str]:
    """Returns what a reader made of a whole kidney, by its name: the kidney's key."""
    remade, origins = known.remade(segmentation.labels), {}
    for finding, instance in zip(findings.all, segmentation.instances, strict=True):
        side = known.origin(instance.body, instance.structure, remade)
        if side is not None and not isinstance(finding, KidneyFinding | KidneyView):
            origins[finding.id] = KIDNEYS[side].key
    return origins


def _in_pieces(origins: Mapping[str, str]) -> list[Flag]:
    """Returns a flag on each kidney of which a reader made more than one finding."""
    flags = []
    for side, kidney in KIDNEYS.items():
        names = [name for name, was in origins.items() if was == kidney.key]
        if len(names) > 1:
            flags.append(Flag.of("kidney_became_several", side=side.value, findings=names))
    return flags


def _became(voxels: np.ndarray | None, segmentation: Segmentation, bodies: Mapping[str, Body]) -> str:
    """Returns what most voxels of a rejected finding are now."""
    if voxels is None:
        return ""
    label = int(np.bincount(segmentation.labels[tuple(voxels.T)]).argmax())
    if label == 0:
        return "background"
    if label in (kidney.label for kidney in KIDNEYS.values()):
        return BY_LABEL[label].key
    shape = segmentation.labels.shape
    old = np.ravel_multi_index(tuple(voxels.T), shape)
    shares = {name: int(np.isin(_flat(body, shape), old).sum()) for name, body in bodies.items()}
    return max(shares, key=lambda name: shares[name])


def _flat(body: Body, shape: tuple[int, ...]) -> np.ndarray:
    return np.ravel_multi_index(tuple(body.voxels().T), shape)
