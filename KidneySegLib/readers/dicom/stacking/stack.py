"""From slice positions to a grid: finds gaps, uneven spacing and tilt, and plans how they are repaired.

Nothing is read here; the plan says which images at which positions become which slices of a straight, even grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.errors import GeometryError
from KidneySegLib.flags import Flag
from KidneySegLib.readers.dicom.finding.choice import MINIMUM_SLICES
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.geometry import SAME_POSITION, along_normal, image_axes, positions
from KidneySegLib.volume import ORTHOGONALITY_TOLERANCE

# Slices farther apart than this (and than usual in the series) are not bridged: 10 mm may hide a whole stone or cyst.
WIDEST_BRIDGE = 10.0
# A slice may lie this far from its place on an even grid: 5 % of the spacing, or what rounding to 0.1 mm can do.
UNEVEN_SHARE = 0.05
UNEVEN_LENGTH = 0.1
# Where more of the slices are "missing" than this, the scan was made with two spacings.
MISSING_SHARE = 0.2
# An even grid with more slices than this for each image would be nearly all interpolated, and may not fit in memory.
MOST_SLICES_PER_IMAGE = 5
# Slices may lie this far (mm) beside the straight line through the stack; less than a third of a pixel.
SIDEWAYS_TOLERANCE = 0.2


@dataclass(frozen=True)
class StackPlan:
    """How images become a volume.

    Attributes:
        frames: the images to read, n of them, ascending along the normal, one per position.
        along: their positions along the normal in mm, array (n,).
        targets: positions of the volume's slices along the normal in mm, array (m,); the first and the last are
            those of the first and the last image.
        shifts: by how many pixels (rows, columns) each image is moved to stand straight, array (n, 2), all >= 0;
            None where the images stand straight already.
        shape: of the volume, ``(k, j, i)``.
        ijk_to_lps: its 4x4 matrix.
        flags: what was repaired.
    """

    frames: tuple[FrameHeader, ...]
    along: np.ndarray
    targets: np.ndarray
    shifts: np.ndarray | None
    shape: tuple[int, int, int]
    ijk_to_lps: np.ndarray
    flags: tuple[Flag, ...]

    @property
    def is_resampled(self) -> bool:
        """Whether slices of the volume differ from the images beyond the filling of gaps."""
        return self.shifts is not None or not np.isin(self.along, self.targets).all()


def plan_stack(frames: Sequence[FrameHeader]) -> StackPlan:
    """Plans the volume for images of one plane, one per position, ascending along the normal.

    Raises:
        GeometryError: no volume can be made of the positions.
    """
    frames, flags = _longest_piece(list(frames))
    along = along_normal(frames)
    targets, spacing_flags = _even_targets(along)
    axes = image_axes(frames[0])
    pixel_spacing = np.array(frames[0].pixel_spacing)  # distance of rows (j), of columns (i)
    offsets, straightness_flags = _sideways(frames, along, axes)
    flags += spacing_flags + straightness_flags
    flags += _header_doubts(frames, along, axes, offsets is not None)

    first, last = positions(frames)[[0, -1]]
    rows, columns = frames[0].rows, frames[0].columns
    shifts = None
    step = (last - first) / (len(targets) - 1)
    if offsets is not None:
        corner = offsets.min(axis=0)  # along column direction (j), along row direction (i)
        shifts = (offsets - corner) / pixel_spacing
        rows, columns = (rows, columns) + np.ceil(shifts.max(axis=0) - 1e-3).astype(int)
        if rows > 2 * frames[0].rows or columns > 2 * frames[0].columns:
            raise GeometryError("The images are displaced sideways too far for one volume. Export the series again.")
        first = first + corner[1] * axes[0] + corner[0] * axes[1]
        step = axes[2] * (along[-1] - along[0]) / (len(targets) - 1)
    matrix = np.eye(4)
    matrix[:3, 0] = axes[0] * pixel_spacing[1]
    matrix[:3, 1] = axes[1] * pixel_spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = first
    shape = (len(targets), int(rows), int(columns))
    return StackPlan(tuple(frames), along, targets, shifts, shape, matrix, tuple(flags))


def _longest_piece(frames: list[FrameHeader]) -> tuple[list[FrameHeader], list[Flag]]:
    """Cuts the stack where too much is missing to be bridged, and keeps the longest piece."""
    along = along_normal(frames)
    distances = np.diff(along)
    cuts = np.flatnonzero(distances > max(WIDEST_BRIDGE, 1.5 * float(np.median(distances)))) + 1
    if cuts.size == 0:
        return frames, []
    pieces = np.split(np.arange(len(frames)), cuts)
    piece = max(pieces, key=lambda members: float(np.ptp(along[members])))
    if len(piece) < MINIMUM_SLICES:
        raise GeometryError("Too many slices are missing from the series. Transfer it again completely.")
    flag = Flag.of(
        "series_interrupted",
        gaps=cuts.size,
        widest_mm=distances.max(),
        read=len(piece),
        total=len(frames),
        length_mm=np.ptp(along[piece]),
    )
    return [frames[n] for n in piece], [flag]


def _even_targets(along: np.ndarray) -> tuple[np.ndarray, list[Flag]]:
    """Returns the positions of the volume's slices: those of the images, with holes filled, or an even grid."""
    distances = np.diff(along)
    length = float(along[-1] - along[0])
    usual = float(np.median(distances))
    counts = np.maximum(np.rint(distances / usual), 1)
    number = np.concatenate([[0], np.cumsum(counts)])
    spacing = length / number[-1]
    deviation = float(np.abs(along - along[0] - number * spacing).max())
    mostly_there = len(along) >= (1 - MISSING_SHARE) * (number[-1] + 1)
    if mostly_there and deviation <= max(UNEVEN_SHARE * spacing, UNEVEN_LENGTH):
        filled = np.interp(np.arange(int(number[-1]) + 1), number, along)
        return filled, _missing(along, filled)
    # Fine enough for the densest part, but not for one odd pair of slices.
    finest = float(np.percentile(distances, 10, method="lower"))
    if length / finest > MOST_SLICES_PER_IMAGE * len(along):
        raise GeometryError(
            "The distances between the slices vary too much for one volume ({smallest_mm:.2f} to "
            "{largest_mm:.2f} mm). Export each scan as a separate series.",
            smallest_mm=distances.min(),
            largest_mm=distances.max(),
        )
    targets = np.linspace(along[0], along[-1], max(2, round(length / finest) + 1))
    flag = Flag.of(
        "uneven_spacing",
        least_mm=distances.min(),
        greatest_mm=distances.max(),
        spacing_mm=targets[1] - targets[0],
    )
    return targets, [flag]


def _missing(along: np.ndarray, filled: np.ndarray) -> list[Flag]:
    missing = filled[~np.isin(filled, along)]
    if missing.size == 0:
        return []
    return [Flag.of("missing_slices", count=missing.size, total=filled.size, places_mm=missing)]


def _sideways(
    frames: Sequence[FrameHeader], along: np.ndarray, axes: np.ndarray
) -> tuple[np.ndarray | None, list[Flag]]:
    """Returns how far each image lies beside the first, (n, 2) in mm along columns and rows, where it matters."""
    corners = positions(frames)
    offsets = (corners - corners[0]) @ np.array([axes[1], axes[0]]).T
    share = (along - along[0]) / (along[-1] - along[0])
    from_line = float(np.abs(offsets - share[:, None] * offsets[-1]).max())
    slant = float(np.abs(offsets[-1]).max() / (along[-1] - along[0]))
    if slant <= ORTHOGONALITY_TOLERANCE and from_line <= SIDEWAYS_TOLERANCE:
        return None, []
    if from_line > SIDEWAYS_TOLERANCE:
        return offsets, [Flag.of("shifted_slices", distance_mm=np.ptp(offsets, axis=0).max())]
    degrees = np.degrees(np.arctan(np.linalg.norm(offsets[-1]) / (along[-1] - along[0])))
    return offsets, [Flag.of("gantry_tilt", tilt_degrees=degrees)]


def _header_doubts(
    frames: Sequence[FrameHeader], along: np.ndarray, axes: np.ndarray, straightened: bool
) -> list[Flag]:
    """Returns flags where the header says something that the positions do not show."""
    flags = []
    tilt = abs(frames[0].tilt or 0.0)
    upright = float(np.abs(axes).max(axis=1).min()) > np.cos(np.radians(0.5))
    if tilt > 1 and upright and not straightened:
        flags.append(Flag.of("tilt_not_in_positions", tilt_degrees=tilt))
    distance = float(np.median(np.diff(along)))
    thickness = frames[0].thickness or 0.0
    if thickness > 0 and distance > 1.5 * thickness + SAME_POSITION:
        flags.append(Flag.of("unscanned_gaps", thickness_mm=thickness, distance_mm=distance))
    return flags
