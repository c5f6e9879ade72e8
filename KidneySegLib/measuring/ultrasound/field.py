"""What of an exam may be measured, and what of it the image shows."""

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.readers.ultrasound.field_of_view import FieldOfView
from KidneySegLib.structures import Side

# Outside of the sector nothing is drawn; compression leaves a few grey levels there.
DARKEST = 8
# Screens and pages of other grey are even, as tissue never is: the same but for compression, over one hundredth of the
# field of view.
_EVEN, _LEAST_SHARE = 2, 0.01


def field_of(exam: Exam) -> FieldOfView:
    """Returns the field of view that the exam was read with.

    Raises:
        InputError: the exam has none: it is not an ultrasound image, or its record is damaged.
    """
    settings = exam.settings
    try:
        rectangle, *excluded = (_rectangle(box) for box in (settings["measured"], *settings["excluded"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "The result does not say which part of the ultrasound image was measured. Segment the image again."
        ) from error
    x, y, _ = exam.volume.spacing
    calibrated = bool(settings.get("calibrated"))
    return FieldOfView(rectangle, tuple(excluded), (x, y) if calibrated else None, aspect=1.0 if calibrated else y / x)


def side_of(exam: Exam) -> Side | None:
    """Returns the patient's side that the header tells."""
    side = exam.settings.get("side")
    return Side(side) if side in list(Side) else None


def shown(exam: Exam) -> np.ndarray:
    """Returns where the image shows anything, bool ``(j, i)``: the field of view without what lies beside the sector.

    Beside it is what stays black in every frame, or of one even grey, and is connected with a corner of the field of
    view.
    """
    from scipy.ndimage import label

    field = field_of(exam)
    inside = field.mask(exam.volume.voxels.shape[1:])
    left, top, right, bottom = field.rectangle
    frames = exam.volume.voxels[:, top:bottom, left:right]
    brightest = frames.max(axis=0).astype(np.int16)
    steady = brightest - frames.min(axis=0) <= _EVEN
    seen = np.ones(brightest.shape, bool)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        level = brightest[corner]
        is_black = level <= DARKEST
        pieces, _ = label(brightest <= DARKEST if is_black else steady & (abs(brightest - level) <= _EVEN))
        piece = pieces == pieces[corner]
        if pieces[corner] and (is_black or np.count_nonzero(piece) >= _LEAST_SHARE * piece.size):
            seen &= ~piece
    inside[top:bottom, left:right] &= seen
    return inside


def _rectangle(box: list[int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(value) for value in box)
    if not 0 <= left < right or not 0 <= top < bottom:
        raise ValueError("no rectangle")
    return left, top, right, bottom
