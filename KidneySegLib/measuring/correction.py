"""Corrections of a label map: what a reader changed, and which findings keep their identifiers."""

from __future__ import annotations

import numpy as np

from KidneySegLib.findings import Findings, LesionFinding, StoneFinding
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.structures import BY_KEY, STRUCTURES

# Name of the flag, and of the setting in the provenance that holds the Dice of each corrected structure by its key.
CORRECTED = "corrected_by_reader"


def corrections(findings: Findings) -> dict[str, float]:
    """Returns the Dice of each structure that a reader corrected, by its key."""
    return dict(findings.provenance.settings.get(CORRECTED, {}))


def changed_structures(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """Returns the Dice between two label maps of every structure that differs, by its key."""
    changed = {}
    for structure in STRUCTURES:
        one, other = before == structure.label, after == structure.label
        if not np.array_equal(one, other):
            total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
            changed[structure.key] = 2 * int(np.count_nonzero(one & other)) / total
    return changed


def correction_flags(changed: dict[str, float]) -> list[Flag]:
    """Returns one flag for each structure of ``changed_structures``."""
    flags = []
    for key, value in changed.items():
        side = BY_KEY[key].side
        what = {"structure": key} if side is None else {"kidney": side.value}
        flags.append(Flag.of("corrected_by_reader", dice=value, **what))
    return flags


def known_findings(segmentation: Segmentation, findings: Findings, last: Findings | None) -> KnownFindings:
    """Returns what is known of the findings of a segmentation, and by its place of what was drawn since.

    Args:
        segmentation: what the findings were measured on; another version may tell bodies apart in another way, and
            then their places must do.
        findings: whose identifiers are to be kept.
        last: findings of a correction since then.
    """
    named: list[LesionFinding | StoneFinding] = [*findings.lesions, *findings.stones]
    found = {finding.id: segmentation.instance_of(finding) for finding in named}
    voxels = {name: instance.body.voxels() for name, instance in found.items() if instance is not None}
    drawn_since: list[LesionFinding | StoneFinding] = [*last.lesions, *last.stones] if last is not None else []
    centres = {
        finding.id: segmentation.label_map.to_kji(np.array(finding.measures.centroid_lps_mm))
        for finding in (*named, *drawn_since)
        if finding.id not in voxels
    }
    return KnownFindings(voxels, centres, {lesion.id: lesion.confidence for lesion in findings.lesions})
