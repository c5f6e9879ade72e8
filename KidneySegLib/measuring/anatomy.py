"""What lies where in a label map: kidneys, bodies of lesions, sides, shapes. Found once, used by all measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.findings import Measures
from KidneySegLib.geometry.bodies import Body, find_bodies
from KidneySegLib.geometry.boxes import bounding_boxes
from KidneySegLib.measuring.kidneys.organ import Organ, organ_of
from KidneySegLib.measuring.lesions.laterality import sides_of
from KidneySegLib.measuring.measurements import measure
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side, Structure
from KidneySegLib.volume import AxisOrder, Volume

LESIONS = (BY_KEY["mass"], BY_KEY["cyst"])


@dataclass(frozen=True)
class Lesion:
    """One solid mass or cyst, not yet measured."""

    structure: Structure
    body: Body
    side: Side


@dataclass(frozen=True)
class Anatomy:
    """A label map taken apart, in canonical order whatever the order of storage.

    Attributes:
        order: from the stored order to the canonical one.
        canonical: the image in HU, axes to the head, the back and the left.
        labels: label map ``(k, j, i)`` on the same grid.
        kidneys: the kidneys' own voxels.
        lesions: masses, then cysts; each right before left, head to feet.
        organs: the kidneys' shapes; a kidney that is too small to have one is missing.
        specks: number of voxel groups, by structure key, that are too small to be lesions.
    """

    order: AxisOrder
    canonical: Volume
    labels: np.ndarray
    kidneys: dict[Side, Body]
    lesions: tuple[Lesion, ...]
    organs: dict[Side, Organ]
    specks: dict[str, int]

    @classmethod
    def of(cls, volume: Volume, labels: np.ndarray) -> Anatomy:
        """Takes a label map apart.

        Args:
            volume: the image in HU.
            labels: label map, uint8 ``(k, j, i)`` on the volume's grid, values of ``structures``.
        """
        order = volume.axis_order()
        canonical, labels = volume.reordered(order), order.apply(labels)
        boxes = bounding_boxes(labels)
        kidneys = {}
        for side in Side:
            label = KIDNEYS[side].label
            if label in boxes:
                k, j, i = (part.start for part in boxes[label])
                kidneys[side] = Body(labels[boxes[label]] == label, (k, j, i))
        lesions, specks = [], {}
        for structure in LESIONS:
            if structure.label in boxes:
                bodies, left_out = find_bodies(canonical, labels, structure.label, boxes[structure.label])
                lesions += _in_order(structure, bodies, sides_of(bodies, kidneys, canonical), canonical)
                specks[structure.key] = left_out
        organs = {}
        for side, kidney in kidneys.items():
            organ = organ_of(canonical, kidney, side, [lesion.body for lesion in lesions if lesion.side is side])
            if organ is not None:
                organs[side] = organ
        return cls(order, canonical, labels, kidneys, tuple(lesions), organs, specks)

    def lesions_of(self, side: Side) -> list[Lesion]:
        """Returns the lesions of one side."""
        return [lesion for lesion in self.lesions if lesion.side is side]

    def measure(self, body: Body) -> Measures:
        """Measures a body; its axial slice is counted in the stored order.

        Raises:
            InputError: the image has no valid values inside it.
        """
        measures = measure(self.canonical, body.mask, body.offset)
        stored = self.stored(np.array([[measures.axial_slice, 0, 0]]))[0, self.order.permutation[0]]
        return replace(measures, axial_slice=int(stored))

    def stored(self, kji: np.ndarray) -> np.ndarray:
        """Takes canonical indices ``(n, 3)`` to those of the stored array, both in ``(k, j, i)``."""
        stored = np.empty_like(kji)
        for axis, (old, flipped) in enumerate(zip(self.order.permutation, self.order.flipped, strict=True)):
            stored[:, old] = self.labels.shape[axis] - 1 - kji[:, axis] if flipped else kji[:, axis]
        return stored


def _in_order(structure: Structure, bodies: list[Body], sides: list[Side], canonical: Volume) -> list[Lesion]:
    """Returns the lesions of a structure right before left, then from head to feet."""
    order = list(Side)
    heights = [float(canonical.to_lps(body.voxels().mean(axis=0))[2]) for body in bodies]
    ranked = sorted(range(len(bodies)), key=lambda n: (order.index(sides[n]), -heights[n]))
    return [Lesion(structure, bodies[n], sides[n]) for n in ranked]
