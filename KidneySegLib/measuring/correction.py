"""Findings of a label map that a reader corrected, told apart from what the network drew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from KidneySegLib.findings import Findings, LesionFinding, Provenance, StoneFinding
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.measuring.anatomy import Anatomy
from KidneySegLib.measuring.describe import describe
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.lesions.lesions import LETTERS
from KidneySegLib.measuring.slice_findings import describe_slice
from KidneySegLib.measuring.stones.stones import find_stones
from KidneySegLib.structures import BY_KEY, STRUCTURES
from KidneySegLib.volume import Volume

# Name of the flag, and of the setting in the provenance that holds the Dice of each corrected structure by its key.
CORRECTED = "corrected_by_reader"


def describe_corrected(
    volume: Volume,
    labels: np.ndarray,
    *,
    network: np.ndarray,
    original: Findings,
    last: Findings | None = None,
) -> Findings:
    """Measures a corrected label map; a single slice is measured as one.

    Lesions and stones keep their identifiers, untouched lesions the network's certainty. Each corrected structure is
    told by a flag and in ``provenance.settings``, with the Dice between the network's version and the reader's.

    Args:
        volume: the image in HU.
        labels: the corrected label map, uint8 ``(k, j, i)`` on the volume's grid.
        network: the label map that the network drew, on the same grid.
        original: findings of the network's label map.
        last: findings of the correction before this one, so that what the reader drew then keeps its identifier.

    Returns:
        The findings; ``original`` itself where nothing differs.

    Raises:
        GeometryError: a label map does not lie on the volume's grid.
        InputError: the image has no valid values inside a kidney, lesion or stone.
    """
    changed = changed_structures(network, labels)
    if not changed:
        return original
    known = known_findings(volume, network, original, last)
    # what is said of the network's labels is said anew of the corrected ones, where it still holds
    remarks = _described(volume, network, original, [], original.provenance, known).flags
    again = {flag.code for flag in remarks}
    flags = [flag for flag in original.flags if flag.code not in again]
    for key, value in changed.items():
        text = f"{BY_KEY[key].name}: corrected by the reader (Dice with the network's version {value:.3f})."
        flags.append(Flag(CORRECTED, Severity.INFO, text))
    settings = {**original.provenance.settings, CORRECTED: {key: round(value, 4) for key, value in changed.items()}}
    return _described(volume, labels, original, flags, replace(original.provenance, settings=settings), known)


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


def known_findings(volume: Volume, labels: np.ndarray, findings: Findings, last: Findings | None) -> KnownFindings:
    """Returns what is known of the findings of a label map, and by its place of what was drawn since.

    Args:
        volume: the image in HU.
        labels: label map of ``findings``, uint8 ``(k, j, i)`` on the volume's grid.
        findings: whose identifiers are to be kept.
        last: findings of a correction since then.
    """
    anatomy = Anatomy.of(volume, labels)
    bodies = {
        letter: [lesion.body for lesion in anatomy.lesions if lesion.structure.key == key]
        for key, letter in LETTERS.items()
    }
    bodies["S"] = [body for body, _ in find_stones(anatomy)]
    named: list[LesionFinding | StoneFinding] = [*findings.lesions, *findings.stones]
    voxels: dict[str, np.ndarray] = {}
    for letter, found in bodies.items():
        names = [finding.id for finding in named if finding.id[0] == letter]
        # another version may tell bodies apart in another way; then their places must do
        if len(names) == len(found):
            voxels |= {name: body.voxels() for name, body in zip(names, found, strict=True)}
    drawn_since: list[LesionFinding | StoneFinding] = [*last.lesions, *last.stones] if last is not None else []
    centres = {
        finding.id: anatomy.canonical.to_kji(np.array(finding.measures.centroid_lps_mm))
        for finding in (*named, *drawn_since)
        if finding.id not in voxels
    }
    return KnownFindings(voxels, centres, {lesion.id: lesion.confidence for lesion in findings.lesions})


def _described(
    volume: Volume,
    labels: np.ndarray,
    original: Findings,
    flags: Sequence[Flag],
    provenance: Provenance,
    known: KnownFindings,
) -> Findings:
    """Describes labels in the way in which the original was."""
    if not original.is_single_slice:
        return describe(volume, labels, flags=flags, provenance=provenance, known=known)
    measures = [kidney.measures for kidney in original.kidneys] + [stone.measures for stone in original.stones]
    unknown = any(math.isnan(each.volume_ml) for each in measures)
    return describe_slice(
        volume,
        labels,
        thickness_mm=None if unknown else volume.canonical().spacing[2],
        estimated_hu=any(flag.code == "grey_values" for flag in original.flags),
        flags=flags,
        provenance=provenance,
        known=known,
    )
