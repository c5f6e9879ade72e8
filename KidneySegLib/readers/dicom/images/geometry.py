"""Where an image lies in the patient: axes, position along the normal, and whether the header tells it at all.

Source: PS3.3 C.7.6.2 (Image Plane). Vectors are in LPS, lengths in mm.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.languages.language import N_
from KidneySegLib.readers.dicom.images.frames import FrameHeader

# Images closer together than this lie at the same position; no scanner makes slices that thin.
SAME_POSITION = 0.05
# Direction cosines may deviate this much from right angles and unit length: they are often written with two decimals.
COSINE_TOLERANCE = 0.01
# No table moves farther (mm), and no CT has pixels (mm) beyond these: such values are damage, and numbers of any size
# would do harm further on.
FARTHEST = 1e5
SMALLEST_PIXEL, LARGEST_PIXEL = 1e-3, 100.0


def placement_problem(frame: FrameHeader) -> str | None:
    """Returns a sentence that says why the image has no certain place in the patient, or None."""
    if frame.position is None or frame.orientation is None:
        if frame.has_slice_location:
            return N_(
                "The images have no position and orientation in the patient (the slice location alone does not tell "
                "where the patient's sides are). Export the original series again, not a secondary capture."
            )
        return N_(
            "The images have no position and orientation in the patient. Export the original series again, not a "
            "secondary capture."
        )
    if np.abs(frame.position).max() > FARTHEST:
        return N_(
            "The positions of the images in the header lie outside any scanner. Export the original series again."
        )
    if not _are_perpendicular_unit_vectors(frame.orientation):
        return N_(
            "The image orientation in the header is not a pair of perpendicular unit vectors, so distances cannot be "
            "trusted. Export the series again."
        )
    spacing = frame.pixel_spacing
    if spacing is None or min(spacing) < SMALLEST_PIXEL or max(spacing) > LARGEST_PIXEL:
        return N_("The header has no valid pixel spacing, so nothing can be measured. Export the series again.")
    return None


def _are_perpendicular_unit_vectors(orientation: Sequence[float]) -> bool:
    vectors = np.array(orientation).reshape(2, 3)
    if np.abs(vectors).max() > 2:  # also what is too large to be squared
        return False
    lengths = np.linalg.norm(vectors, axis=1)
    return bool(np.abs(lengths - 1).max() <= COSINE_TOLERANCE and abs(vectors[0] @ vectors[1]) <= COSINE_TOLERANCE)


def image_axes(frame: FrameHeader) -> np.ndarray:
    """Returns the unit vectors along a row, along a column and along the normal, as the rows of a 3x3 array.

    The normal is row x column. The two given vectors are turned by the smallest angle that makes them perpendicular.
    """
    assert frame.orientation is not None
    given = np.array(frame.orientation, dtype=np.float64).reshape(2, 3)
    left, _, right = np.linalg.svd(given, full_matrices=False)
    row, column = left @ right
    return np.array([row, column, np.cross(row, column)])


def positions(frames: Sequence[FrameHeader]) -> np.ndarray:
    """Returns ImagePositionPatient of all frames, array (n, 3)."""
    return np.array([frame.position for frame in frames], dtype=np.float64)


def along_normal(frames: Sequence[FrameHeader]) -> np.ndarray:
    """Returns the position of each frame along the normal of the first one in mm, array (n,)."""
    return positions(frames) @ image_axes(frames[0])[2]


def slots(along: np.ndarray) -> np.ndarray:
    """Numbers the distinct positions from 0 upwards; frames at the same position get the same number, array (n,)."""
    order = np.argsort(along, kind="stable")
    numbers = np.concatenate([[0], np.cumsum(np.diff(along[order]) > SAME_POSITION)])
    result = np.empty(len(along), dtype=np.int64)
    result[order] = numbers
    return result


def same_plane(first: FrameHeader, second: FrameHeader) -> bool:
    """Whether two images can be slices of one volume: same size, orientation and pixel spacing."""

    def close(a: tuple[float, ...] | None, b: tuple[float, ...] | None, tolerance: float) -> bool:
        if a is None or b is None:
            return a is b
        return max(abs(x - y) for x, y in zip(a, b, strict=True)) <= tolerance

    return (
        (first.rows, first.columns) == (second.rows, second.columns)
        and close(first.orientation, second.orientation, 1e-3)
        and close(first.pixel_spacing, second.pixel_spacing, 1e-4)
    )
