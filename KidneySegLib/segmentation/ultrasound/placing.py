"""From an exam to what a network sees of it, and back."""

from collections.abc import Callable, Sequence

import numpy as np

from KidneySegLib.exam import Exam
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.ultrasound.field import DARKEST, field_of, shown, side_of
from KidneySegLib.structures import KIDNEYS, UNSIDED_KIDNEY
from KidneySegLib.volume import Volume

# Takes the field of view as grey values, uint8 ``(k, j, i)``, k counting the frames, on a grid with its pixel size (1
# where it is not known); returns the outline of the kidney in each frame, bool of the same shape, and flags.
Outliner = Callable[[Volume], tuple[np.ndarray, Sequence[Flag]]]


def segment_field(exam: Exam, outline: Outliner) -> Segmentation:
    """Outlines the kidney within the region that is measured; what belongs to no tissue is black, and never part of it.

    The kidney's label is that of the side that the header tells, else that of a kidney without side.

    Args:
        exam: an ultrasound exam.
        outline: outlines what it is given.
    """
    field = field_of(exam)
    left, top, right, bottom = field.rectangle
    box = slice(0, exam.volume.voxels.shape[0]), slice(top, bottom), slice(left, right)
    seen = shown(exam)[top:bottom, left:right]
    part = exam.volume.crop(box)
    beside = ~seen & (part.voxels > DARKEST)
    if beside.any():
        part = Volume(np.where(beside, 0, part.voxels), part.ijk_to_lps)
    found, flags = outline(part)
    side = side_of(exam)
    labels = np.zeros(exam.volume.voxels.shape, np.uint8)
    structure = KIDNEYS[side] if side else UNSIDED_KIDNEY
    labels[box][found & seen] = structure.label
    return Segmentation.of(exam.volume, labels, flags=flags)
