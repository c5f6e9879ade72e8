"""Corrections of a label map: what a reader changed, and which findings keep their identifiers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from KidneySegLib.findings import Findings, LesionFinding, StoneFinding
from KidneySegLib.flags import Flag
from KidneySegLib.flags.catalogue.measuring import MEASURING
from KidneySegLib.flags.catalogue.orientation import ORIENTATION
from KidneySegLib.flags.catalogue.ultrasound import ULTRASOUND_VIEWS
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.geometry.boxes import bounding_boxes, hull
from KidneySegLib.measuring.instances import LesionCandidate, Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.structures import BY_KEY, BY_LABEL, KIDNEYS, Side, Structure

# Name of the flag, and of the setting in the provenance that holds the Dice of each corrected structure by its key.
CORRECTED = "corrected_by_reader"

# What describing a label map says of it, and so says anew of a corrected one.
_SAID_ANEW = {*MEASURING, *ORIENTATION, *ULTRASOUND_VIEWS, "single_slice"}


def corrections(findings: Findings) -> dict[str, float]:
    """Returns the Dice of each structure that a reader corrected, by its key."""
    return dict(findings.provenance.settings.get(CORRECTED, {}))


def changed_structures(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    """Returns the Dice between two label maps of every structure that differs, by its key."""
    boxes = [*bounding_boxes(before).values(), *bounding_boxes(after).values()]
    if not boxes:
        return {}
    box = hull(boxes)
    count = 1 + max(BY_LABEL)
    pairs = np.bincount((before[box].astype(np.intp) * count + after[box]).ravel(), minlength=count**2)
    # voxels by their label before (rows) and after (columns)
    voxels = pairs.reshape(count, count)
    changed = {}
    for structure in BY_KEY.values():
        label = structure.label
        total, same = int(voxels[label].sum() + voxels[:, label].sum()), int(voxels[label, label])
        if total != 2 * same:
            changed[structure.key] = 2 * same / total
    return changed


def lasting_flags(findings: Findings) -> list[Flag]:
    """Returns the flags of a network's run that a correction leaves as they are: of the image and of how it was read.

    That a search for stones met contrast medium lasts only where the phase cannot be told; otherwise the phase says so.
    """
    told = findings.phase is not None and findings.phase.phase != "unknown"
    anew = _SAID_ANEW if told else _SAID_ANEW - {"stones_with_contrast"}
    return [flag for flag in findings.flags if flag.code not in anew]


def correction_flags(
    changed: dict[str, float], before: np.ndarray, after: np.ndarray, remade: Mapping[Side, Structure]
) -> list[Flag]:
    """Returns one flag for each structure of ``changed_structures``, which got the same two label maps.

    A Dice of nothing says nothing: of what one of the two does not show the flag tells who has drawn it, and of a
    kidney what a reader made of it (``KnownFindings.remade``).
    """
    flags = []
    for key, value in changed.items():
        structure = BY_KEY[key]
        what = {"structure": key} if structure.side is None else {"kidney": structure.side.value}
        if value:
            how: dict[str, Any] = {"dice": value}
        elif structure.side is not None and structure.side in remade:
            how = {"how": "remade", "became": remade[structure.side].key}
        else:
            drew, draws = ((labels == structure.label).any() for labels in (before, after))
            how = {"dice": 0.0} if drew and draws else {"how": "removed" if drew else "new"}
        flags.append(Flag.of("corrected_by_reader", **what, **how))
    return flags


def still_candidates(
    candidates: Sequence[LesionCandidate], findings: Findings, labels: np.ndarray
) -> tuple[LesionCandidate, ...]:
    """Returns those candidates of which a reader has not made a lesion or stone: less than half of one is labelled so.

    Args:
        candidates: below the operating point of the network's run.
        findings: of that run; candidates keep the identifiers that they have there.
        labels: the corrected label map, uint8 ``(k, j, i)``.
    """
    free = [0, *(kidney.label for kidney in KIDNEYS.values())]

    def is_free(body: Body) -> bool:
        return bool(np.isin(labels[body.box][body.mask], free).mean() > 0.5)

    pairs = zip(candidates, findings.candidates, strict=False)  # a folder whose map is damaged has no voxels of them
    return tuple(replace(each, identifier=named.id) for each, named in pairs if is_free(each.instance.body))


def known_findings(segmentation: Segmentation, findings: Findings, last: Findings | None) -> KnownFindings:
    """Returns what is known of a segmentation and its findings, and by its place of what was drawn since.

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
    bodies = ((segmentation.instance_of(finding), finding.measures) for finding in findings.placed)
    return KnownFindings(
        voxels,
        centres,
        {lesion.id: lesion.confidence for lesion in findings.lesions},
        # the length of what the image cuts was left out of its measures
        [(each.body, measures) for each, measures in bodies if each is not None and not math.isnan(measures.length_mm)],
        findings.phase,
        {
            named.id: each.instance.body.voxels()
            for each, named in zip(segmentation.candidates, findings.candidates, strict=False)
        },
        segmentation.kidneys,
    )
