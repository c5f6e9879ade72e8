"""Instance map: which voxel belongs to which finding, as it travels with a label map.

A voxel's value is the number of its finding, from 1, in the order of ``Findings.all``; 0 belongs to none.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.findings import Findings
from KidneySegLib.geometry.bodies import SPECK_MM, Body, connected_bodies
from KidneySegLib.geometry.boxes import bounding_boxes, hull, within
from KidneySegLib.measuring.instances import LESIONS, Instance, LesionCandidate, Segmentation
from KidneySegLib.structures import BY_KEY, Structure
from KidneySegLib.volume import Volume


def instance_map(segmentation: Segmentation) -> Volume:
    """Returns the map, uint16 ``(k, j, i)``, of the part of the grid that holds instances; one voxel if it has none."""
    return _numbered([instance.body for instance in segmentation.instances], segmentation.label_map)


def candidate_map(segmentation: Segmentation) -> Volume:
    """Returns the same kind of map of the candidates, in the order of ``Findings.candidates``."""
    return _numbered([candidate.instance.body for candidate in segmentation.candidates], segmentation.label_map)


def _numbered(bodies: Sequence[Body], grid: Volume) -> Volume:
    around = hull([body.box for body in bodies] or [(slice(0, 1), slice(0, 1), slice(0, 1))])
    part = grid.crop(around)
    numbers = np.zeros(part.voxels.shape, np.uint16)
    for number, body in enumerate(bodies, start=1):
        numbers[within(body.box, around)][body.mask] = number
    return part.like(numbers)


def by_candidate_map(numbers: np.ndarray, findings: Findings) -> tuple[LesionCandidate, ...]:
    """Returns the candidates with their voxels; none where map and findings do not belong together.

    Args:
        numbers: the map on the whole grid, ``(k, j, i)`` in canonical order.
        findings: what was measured on it.
    """
    boxes = bounding_boxes(numbers)
    if list(boxes) != list(range(1, len(findings.candidates) + 1)):
        return ()
    found = []
    for (number, box), finding in zip(boxes.items(), findings.candidates, strict=True):
        body = Body(numbers[box] == number, (box[0].start, box[1].start, box[2].start))
        if np.count_nonzero(body.mask) != finding.measures.voxels:
            return ()
        found.append(LesionCandidate(Instance(BY_KEY[finding.structure], finding.side, body), finding.confidence))
    return tuple(found)


def by_instance_map(label_map: Volume, numbers: np.ndarray, findings: Findings) -> Segmentation | None:
    """Takes a label map apart by its instance map.

    Args:
        label_map: uint8 ``(k, j, i)`` in canonical order.
        numbers: the instance map on the whole of its grid.
        findings: what was measured on it.

    Returns:
        The segmentation, its instances in the order of the findings; None where label map, instance map and findings
        do not belong together.
    """
    boxes = bounding_boxes(numbers)
    if list(boxes) != list(range(1, len(findings.all) + 1)):
        return None
    instances = []
    for (number, box), finding in zip(boxes.items(), findings.all, strict=True):
        body, structure = (
            Body(numbers[box] == number, (box[0].start, box[1].start, box[2].start)),
            BY_KEY[finding.structure],
        )
        if not np.all(label_map.voxels[box][body.mask] == structure.label):
            return None
        if np.count_nonzero(body.mask) != finding.measures.voxels:
            return None
        instances.append(Instance(structure, finding.side, body))
    specks = _specks(label_map, numbers)
    return None if specks is None else Segmentation(label_map, tuple(instances), specks)


def _specks(label_map: Volume, numbers: np.ndarray) -> tuple[tuple[Structure, Body], ...] | None:
    """Returns the groups of labelled voxels without a number; None if one of them is not a speck of a lesion."""
    rest = np.where(numbers == 0, label_map.voxels, np.uint8(0))
    specks = []
    for label, box in bounding_boxes(rest).items():
        structure = next((lesion for lesion in LESIONS if lesion.label == label), None)
        bodies = connected_bodies(rest, label, box)
        largest = max(np.count_nonzero(body.mask) for body in bodies) * label_map.voxel_volume
        if structure is None or largest >= np.pi / 6 * SPECK_MM**3:
            return None
        specks += [(structure, body) for body in bodies]
    return tuple(specks)
