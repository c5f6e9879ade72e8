"""What lies where in a segmentation: kidneys, lesions, stones, shapes. Found once, used by all measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.exam import Exam
from KidneySegLib.findings import Measures
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.measuring.instances import LESIONS, Instance, Segmentation
from KidneySegLib.measuring.kidneys.organ import KidneyShape, organ_of
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.measurements import measure
from KidneySegLib.structures import Side
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
    known: KnownFindings | None = None

    @classmethod
    def of(cls, exam: Exam, segmentation: Segmentation, known: KnownFindings | None = None) -> Anatomy:
        """Sorts the instances of a segmentation and finds the kidneys' shapes."""
        kidneys = segmentation.kidneys
        lesions = tuple(item for item in segmentation.instances if item.structure in LESIONS)
        stones = tuple(item for item in segmentation.instances if item.structure.key == "stone")
        organs = {}
        for side, kidney in kidneys.items():
            organ = organ_of(exam.volume, kidney, side, [lesion.body for lesion in lesions if lesion.side is side])
            if organ is not None:
                organs[side] = organ
        left_out = [structure.key for structure, _ in segmentation.specks]
        specks = {key: left_out.count(key) for key in dict.fromkeys(left_out)}
        return cls(exam.order, exam.volume, segmentation.labels, kidneys, lesions, stones, organs, specks, known)

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
