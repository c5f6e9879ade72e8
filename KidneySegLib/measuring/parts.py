"""The voxels of every finding: a label map taken apart again into the bodies that were measured.

Findings hold no voxels. They are found again from the label map by the rules that measured them (``bodies``,
``separation``, ``stones``), and each body is given to the finding of the same structure, size and centre of gravity. So
identifiers hold whatever the order of the bodies, also where a reader's correction kept earlier identifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings, KidneyFinding, LesionFinding, StoneFinding
from KidneySegLib.geometry.bodies import Body, find_bodies
from KidneySegLib.geometry.boxes import Box, bounding_boxes
from KidneySegLib.measuring.lesions.laterality import sides_of
from KidneySegLib.measuring.stones.stones import stone_bodies
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side, Structure
from KidneySegLib.volume import AxisOrder, Volume

Finding = KidneyFinding | LesionFinding | StoneFinding

# Findings state their centre of gravity in hundredths of a millimetre.
CENTRE_TOLERANCE_MM = 0.05


@dataclass(frozen=True)
class Part:
    """Voxels of one structure on one side.

    Attributes:
        structure: what they are.
        side: the patient's side.
        body: the voxels, on the stored grid.
        finding: whose voxels they are; None for groups that are too small to be listed as a lesion.
    """

    structure: Structure
    side: Side
    body: Body
    finding: Finding | None


def find_parts(volume: Volume, labels: np.ndarray, findings: Findings) -> list[Part]:
    """Takes a label map apart; every labelled voxel is in exactly one part.

    Args:
        volume: the image, or any volume on its grid.
        labels: label map, uint8 ``(k, j, i)`` on the same grid.
        findings: what was measured on it.

    Returns:
        Kidneys, lesions and stones in the order of the findings, then what was left out as too small.

    Raises:
        InputError: the findings are those of another label map.
    """
    order = volume.axis_order()
    grid, canonical = volume.reordered(order), order.apply(labels)
    boxes = bounding_boxes(canonical)
    kidneys = {side: _whole(canonical, boxes[k.label], k.label) for side, k in KIDNEYS.items() if k.label in boxes}
    parts = _kidney_parts(kidneys, findings)
    left_over: list[tuple[Structure, Body]] = []
    for key in ("mass", "cyst"):
        structure = BY_KEY[key]
        found = tuple(lesion for lesion in findings.lesions if lesion.structure == key)
        if structure.label in boxes:
            box = boxes[structure.label]
            bodies, _ = find_bodies(grid, canonical, structure.label, box)
            left_over += [(structure, body) for body in _rest(canonical, structure.label, box, bodies)]
        else:
            bodies = []
        parts += _matched(structure, bodies, found, grid)
    parts += _matched(BY_KEY["stone"], stone_bodies(canonical), findings.stones, grid)
    sides = sides_of([body for _, body in left_over], kidneys, grid)
    parts += [Part(structure, side, body, None) for (structure, body), side in zip(left_over, sides, strict=True)]
    return [_stored(part, order, canonical.shape) for part in parts]


def _kidney_parts(kidneys: dict[Side, Body], findings: Findings) -> list[Part]:
    if list(kidneys) != [kidney.side for kidney in findings.kidneys]:
        raise _other_labels()
    for kidney in findings.kidneys:
        if np.count_nonzero(kidneys[kidney.side].mask) != kidney.measures.voxels:
            raise _other_labels()
    return [Part(KIDNEYS[kidney.side], kidney.side, kidneys[kidney.side], kidney) for kidney in findings.kidneys]


def _matched(
    structure: Structure, bodies: Sequence[Body], found: Sequence[LesionFinding | StoneFinding], grid: Volume
) -> list[Part]:
    """Gives each finding its body: the one of the same size and place."""
    if len(bodies) != len(found):
        raise _other_labels()
    free = [(body, body.voxels()) for body in bodies]
    parts = []
    for finding in found:
        for number, (body, voxels) in enumerate(free):
            apart = np.abs(grid.to_lps(voxels.mean(axis=0)) - finding.measures.centroid_lps_mm).max()
            if len(voxels) == finding.measures.voxels and apart <= CENTRE_TOLERANCE_MM:
                parts.append(Part(structure, finding.side, body, finding))
                del free[number]
                break
        else:
            raise _other_labels()
    return parts


def _whole(labels: np.ndarray, box: Box, label: int) -> Body:
    k, j, i = (part.start for part in box)
    return Body(labels[box] == label, (k, j, i))


def _rest(labels: np.ndarray, label: int, box: Box, bodies: Sequence[Body]) -> list[Body]:
    """Returns the groups of a label's voxels that are in none of the bodies."""
    import cc3d

    start = tuple(part.start for part in box)
    mask = np.ascontiguousarray(labels[box] == label)
    for body in bodies:
        inside = tuple(slice(o - s, o - s + n) for o, s, n in zip(body.offset, start, body.mask.shape, strict=True))
        mask[inside] &= ~body.mask
    groups = cc3d.connected_components(mask, connectivity=26)
    rest = []
    for number, extent in enumerate(cc3d.statistics(groups)["bounding_boxes"][1:], start=1):
        k, j, i = (first + part.start for first, part in zip(start, extent, strict=True))
        rest.append(Body(groups[extent] == number, (k, j, i)))
    return rest


def _stored(part: Part, order: AxisOrder, shape: tuple[int, ...]) -> Part:
    """Returns a part on the stored grid; ``shape`` is that of the canonical one."""
    body = part.body
    offset = [0, 0, 0]
    for axis, (old, flipped) in enumerate(zip(order.permutation, order.flipped, strict=True)):
        first, size = body.offset[axis], body.mask.shape[axis]
        offset[old] = shape[axis] - first - size if flipped else first
    k, j, i = offset
    return Part(part.structure, part.side, Body(order.invert(body.mask), (k, j, i)), part.finding)


def _other_labels() -> InputError:
    return InputError(
        "The findings are not those of this label map. Give both from one result, or measure the label map again."
    )
