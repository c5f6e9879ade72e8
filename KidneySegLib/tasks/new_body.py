"""What a change of a label map has drawn: one body, so that it can be listed before the label map is measured."""

from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.findings import Measures
from KidneySegLib.geometry.bodies import connected_bodies
from KidneySegLib.geometry.boxes import box_of, padded
from KidneySegLib.measuring.measurements import measure
from KidneySegLib.structures import Structure
from KidneySegLib.volume import Volume


@dataclass(frozen=True)
class NewBody:
    """What was drawn.

    Attributes:
        measures: of the body, or of that part of it that lies around the change; its densities are not known.
        grown: whether a part of it was there before.
    """

    measures: Measures
    grown: bool


def new_body(
    part: Volume, after: np.ndarray, structure: Structure, start: tuple[int, int, int] = (0, 0, 0)
) -> NewBody | None:
    """Returns what a change has drawn of a structure, the largest piece; None if nothing.

    Args:
        part: labels ``(k, j, i)`` of a part of the grid before the change, axes in any order.
        after: the same after it.
        structure: what was added.
        start: first voxel ``(k, j, i)`` of the part in the grid.
    """
    order = part.axis_order()
    before, labels = part.reordered(order), order.apply(after)
    drawn = (labels == structure.label) & (before.voxels != structure.label)
    if not drawn.any():
        return None
    box = padded(box_of(drawn), (1, 1, 1), drawn.shape)
    bodies = connected_bodies(labels, structure.label, box)
    body = max(bodies, key=lambda each: np.count_nonzero(each.mask & drawn[each.box]))
    measures = measure(before, body.mask, body.offset).without_densities()
    last = part.voxels.shape[order.permutation[0]] - 1
    stored = last - measures.axial_slice if order.flipped[0] else measures.axial_slice
    grown = bool((before.voxels[body.box][body.mask] == structure.label).any())
    return NewBody(replace(measures, axial_slice=stored + start[order.permutation[0]]), grown)
