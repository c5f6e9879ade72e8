"""Whether labels can be those of their image: sizes, HU and sides are the anatomy's, not the file's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.datasets.exams import body_middle
from KidneySegLib.structures import KIDNEYS, Side

if TYPE_CHECKING:
    from KidneySegLib.exam import Exam

# Slices of an abdominal CT are up to 10 mm thick, its pixels 0.3 to 2 mm wide; what is further off is a wrong header.
_SPACING_MM = (0.2, 12.0)
_FEWEST_SLICES = 4
# Both kidneys have about 300 ml; a giant tumour or cyst may have litres. A speck is not a kidney.
_VOLUME_ML = (1.0, 8000.0)
# Median HU of what is labelled: fluid, tissue, contrast medium, fat of an angiomyolipoma.
_MEDIAN_HU = (-150.0, 800.0)
# A CT of the body has air and tissue in it.
_LEAST_RANGE_HU = 100.0
# A kidney with its side may lie this far beyond the middle of the body: transplants, ectopia, scoliosis.
_BEYOND_MM = 40.0


def plausible(exam: Exam, labels: np.ndarray) -> Iterator[tuple[str, str]]:
    """Yields a code and a sentence for each thing that cannot be.

    Args:
        exam: the image.
        labels: uint8 ``(k, j, i)`` in its stored order, values of ``structures``.
    """
    volume, drawn = exam.volume, exam.order.apply(labels)
    if not _SPACING_MM[0] <= min(volume.spacing) <= max(volume.spacing) <= _SPACING_MM[1]:
        yield "spacing_implausible", "No CT has such a spacing. The header is wrong; export the image again."
    if volume.voxels.shape[0] < _FEWEST_SLICES:
        yield "too_few_slices", "The image has too few slices for a volume. Use the recipe for slices."
    if float(np.ptp(volume.voxels)) < _LEAST_RANGE_HU:
        yield "image_flat", "The image shows nothing: all its values are nearly the same. Export it again."
    if not drawn.any():
        yield "labels_empty", "Nothing is labelled. Label the exam, or take it out of the data set."
        return
    millilitres = float(np.count_nonzero(drawn)) * volume.voxel_volume / 1000
    if not _VOLUME_ML[0] <= millilitres <= _VOLUME_ML[1]:
        yield "volume_implausible", f"What is labelled has {millilitres:.3g} ml. Spacing or labels are wrong."
    middle = float(np.median(volume.voxels[drawn > 0]))
    if not _MEDIAN_HU[0] <= middle <= _MEDIAN_HU[1]:
        yield (
            "labels_beside_tissue",
            "Most of what is labelled is air, lung or bone. Labels and image do not belong together.",
        )
    yield from _sides(exam, drawn)


def _sides(exam: Exam, drawn: np.ndarray) -> Iterator[tuple[str, str]]:
    """Checks that the right kidney lies on the patient's right; canonical i grows to the left."""
    columns = {
        side: float(np.nonzero(drawn == kidney.label)[2].mean())
        for side, kidney in KIDNEYS.items()
        if (drawn == kidney.label).any()
    }
    swapped = (
        "The kidneys' sides contradict the anatomy: right and left are exchanged. Correct the names of the labels."
    )
    if len(columns) == 2:
        if columns[Side.RIGHT] > columns[Side.LEFT]:
            yield "sides", swapped
        return
    beyond = _BEYOND_MM / exam.volume.spacing[0]
    middle = body_middle(exam.volume.voxels)
    for side, column in columns.items():
        if (column - middle if side is Side.RIGHT else middle - column) > beyond:
            yield "sides", swapped
