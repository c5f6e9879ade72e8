"""What lies where in a segmentation: kidneys, lesions, stones, shapes. Found once, used by all measures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from KidneySegLib.exam import Exam
from KidneySegLib.findings import Measures
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.measuring.instances import LESIONS, Instance, Segmentation
from KidneySegLib.measuring.kidneys.organ import KidneyShape, organ_of
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.measurements import measure
from KidneySegLib.structures import KIDNEYS, Side, Structure
from KidneySegLib.volume import AxisOrder, Volume


@dataclass(frozen=True)
class Anatomy:
    """An exam with what was drawn in it, in canonical order.

    Attributes:
        order: from the stored order to the canonical one.
        canonical: the image in HU, axes to the head, the back and the left.
        labels: label map ``(k, j, i)`` on the same grid.
        kidneys: the kidneys' own voxels.
        lesions: masses, then cysts; each right before left, head to feet.
        stones: right before left, head to feet.
        organs: the kidneys' shapes; a kidney that is too small to have one is missing.
        remade: what a reader made of whole kidneys. They are none any more, but what lies in them keeps its place.
        specks: number of voxel groups, by structure key, that are too small to be lesions.
        known: what was measured before on another version of the same label map; None if nothing was.
    """

    order: AxisOrder
    canonical: Volume
    labels: np.ndarray
    kidneys: dict[Side, Body]
    lesions: tuple[Instance, ...]
    stones: tuple[Instance, ...]
    organs: dict[Side, KidneyShape]
    specks: dict[str, int]
    remade: dict[Side, Structure] = field(default_factory=dict)
    known: KnownFindings | None = None

    @classmethod
    def of(cls, exam: Exam, segmentation: Segmentation, known: KnownFindings | None = None) -> Anatomy:
        """Sorts the instances of a segmentation and finds the kidneys' shapes."""
        kidneys = segmentation.kidneys
        lesions = tuple(item for item in segmentation.instances if item.structure in LESIONS)
        stones = tuple(item for item in segmentation.instances if item.structure.key == "stone")
        remade, before = (known.remade(segmentation.labels), known.kidneys) if known is not None else ({}, {})
        organs = {}
        for side, kidney in ({each: before[each] for each in remade} | kidneys).items():
            organ = organ_of(exam.volume, kidney, side, [lesion.body for lesion in lesions if lesion.side is side])
            if organ is not None:
                organs[side] = organ
        left_out = [structure.key for structure, _ in segmentation.specks]
        specks = {key: left_out.count(key) for key in dict.fromkeys(left_out)}
        labels = segmentation.labels
        return cls(exam.order, exam.volume, labels, kidneys, lesions, stones, organs, specks, remade, known)

    def outline(self, side: Side) -> tuple[Body, int]:
        """Returns what shows the shape of a kidney that has one, and its label: the kidney, or what was made of it."""
        if side in self.kidneys:
            return self.kidneys[side], KIDNEYS[side].label
        assert self.known is not None
        return self.known.kidneys[side], self.remade[side].label

    def organ(self, lesion: Instance) -> KidneyShape | None:
        """Returns the shape of the kidney that a lesion lies in; one that is a whole kidney lies in none."""
        known = self.known
        is_kidney = known is not None and known.origin(lesion.body, lesion.structure, self.remade) is not None
        return None if is_kidney else self.organs.get(lesion.own_side)

    def lesions_of(self, side: Side) -> list[Instance]:
        """Returns the lesions of one side."""
        return [lesion for lesion in self.lesions if lesion.side is side]

    def measure(self, body: Body) -> Measures:
        """Measures a body, unless that is known; its axial slice is counted in the stored order.

        Raises:
            InputError: the image has no valid values inside it.
        """
        before = self.known.measures(body) if self.known is not None else None
        if before is not None:
            return before
        measures = measure(self.canonical, body.mask, body.offset)
        last = self.canonical.voxels.shape[0] - 1
        stored = last - measures.axial_slice if self.order.flipped[0] else measures.axial_slice
        return replace(measures, axial_slice=stored)
