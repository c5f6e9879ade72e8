"""Where the slices of a label map lie among the source images: by geometry, never by array order.

A DICOM segmentation stores frames that are parallel to the images. A label map may come in any order and sense of its
axes; it is turned to rows, columns and normal of the images, and each slice is compared with the image it was made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.errors import GeometryError
from KidneySegLib.findings import Point
from KidneySegLib.interchange.source_images import SourceImages
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.geometry import image_axes, positions
from KidneySegLib.readers.dicom.stacking.stack import SIDEWAYS_TOLERANCE, UNEVEN_LENGTH, UNEVEN_SHARE
from KidneySegLib.volume import ORTHOGONALITY_TOLERANCE, AxisOrder, Volume

# Positions in headers are written with a few decimals, and so is the geometry of a file.
ROUNDING_MM = 0.02
# A slice of a resampled volume is an image's own only where it lies on it to the last digit.
SAME_PLACE_MM = 1e-3


@dataclass(frozen=True)
class Planes:
    """A label map's grid, turned to the axes of its images.

    Attributes:
        order: from the label map's own axes to those of the images.
        grid: the grid in that order: i along rows, j along columns, k along the normal. Its voxels have no meaning.
        image_of: for each slice k the number of the frame (in ``SourceImages.frames``) that it lies on, or None.
    """

    order: AxisOrder
    grid: Volume
    image_of: tuple[int | None, ...]

    def position(self, k: int) -> Point:
        """Returns the centre of the first voxel of slice k in mm LPS (ImagePositionPatient)."""
        x, y, z = self.grid.to_lps(np.array((k, 0, 0)))
        return float(x), float(y), float(z)

    def image_with(self, points: Sequence[Point]) -> int | None:
        """Returns the number of the frame that all points in mm LPS lie on, or None."""
        along = self.grid.to_kji(np.array(points))[:, 0]
        k = round(float(along[0]))
        if not 0 <= k < len(self.image_of) or np.abs(along - k).max() * self.grid.spacing[2] > ROUNDING_MM:
            return None
        return self.image_of[k]

    def pixels(self, points: Sequence[Point]) -> np.ndarray:
        """Returns where points in mm LPS lie in their image, ``(n, 2)``: column and row as spatial coordinates count.

        Their origin is the outer corner of the first pixel, whose centre is (0.5, 0.5) (PS3.3 C.18.6.1.1).
        """
        return self.grid.to_kji(np.array(points))[:, :0:-1] + 0.5


def align(volume: Volume, source: SourceImages) -> Planes:
    """Turns a label map's grid to the axes of its images and finds the image of each slice.

    Args:
        volume: the image that was segmented, or any volume on its grid.
        source: the images that it was made of.

    Raises:
        GeometryError: the grid is not that of the images.
    """
    axes = image_axes(source.frames[0])
    turned = np.eye(4)
    turned[:3, :3] = axes
    order = Volume(volume.voxels, turned @ volume.ijk_to_lps).axis_order()
    grid = volume.reordered(order)
    spacing = np.array(source.frames[0].pixel_spacing)[::-1]
    if (
        np.abs(grid.direction - axes.T).max() > 2 * ORTHOGONALITY_TOLERANCE
        or np.abs(np.array(grid.spacing[:2]) - spacing).max() > 1e-3 * spacing.max()
    ):
        raise _other_grid()
    image_of = _own_images(grid, source) if source.of_slice else _images_in_place(grid, source.frames)
    return Planes(order, grid, image_of)


def _own_images(grid: Volume, source: SourceImages) -> tuple[int | None, ...]:
    """Returns the image of each slice as it was read, checked to lie where the slice lies."""
    slices, rows, columns = grid.voxels.shape
    first = source.frames[0]
    if slices != len(source.of_slice) or (rows, columns) != (first.rows, first.columns):
        raise _other_grid()
    known = [(k, number) for k, number in enumerate(source.of_slice) if number is not None]
    expected = positions([source.frames[number] for _, number in known])
    actual = grid.to_lps(np.array([(k, 0, 0) for k, _ in known]))
    apart = np.abs((actual - expected) @ grid.direction)
    # the reader takes slices as evenly spaced that lie a little beside their even places
    along = max(UNEVEN_SHARE * grid.spacing[2], UNEVEN_LENGTH) + ROUNDING_MM
    if apart[:, :2].max() > SIDEWAYS_TOLERANCE + ROUNDING_MM or apart[:, 2].max() > along:
        raise _other_grid()
    return source.of_slice


def _images_in_place(grid: Volume, frames: Sequence[FrameHeader]) -> tuple[int | None, ...]:
    """Returns the images that slices of a resampled volume happen to lie on, and checks that it holds all images."""
    corners = grid.to_kji(positions(frames))
    far = grid.to_kji(positions(frames) + _diagonal(grid, frames[0]))
    within = np.array(grid.voxels.shape) - 1
    ends = np.concatenate([corners, far]).min(axis=0), np.concatenate([corners, far]).max(axis=0)
    margin = (ROUNDING_MM + SIDEWAYS_TOLERANCE) / min(grid.spacing)
    if np.any(ends[0] < -margin) or np.any(ends[1] > within + margin) or abs(ends[1][0] - within[0]) > margin:
        raise _other_grid()
    if (frames[0].rows, frames[0].columns) != grid.voxels.shape[1:]:
        return (None,) * grid.voxels.shape[0]
    places = grid.to_lps(np.array([(k, 0, 0) for k in range(grid.voxels.shape[0])]))
    apart = np.linalg.norm(places[:, None] - positions(frames)[None], axis=2)
    return tuple(int(row.argmin()) if row.min() <= SAME_PLACE_MM else None for row in apart)


def _diagonal(grid: Volume, frame: FrameHeader) -> np.ndarray:
    """Returns the way from an image's first to its last pixel in mm LPS."""
    return grid.ijk_to_lps[:3, 0] * (frame.columns - 1) + grid.ijk_to_lps[:3, 1] * (frame.rows - 1)


def _other_grid() -> GeometryError:
    return GeometryError(
        "The label map does not lie on the slices of this series. Give the series that was segmented, and a label map "
        "on its own grid."
    )
