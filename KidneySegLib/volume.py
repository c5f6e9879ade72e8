"""Volume: voxels together with the geometry that gives them a place in the patient.

It is the one object that travels through the engine. Voxels are indexed ``(k, j, i)`` as in SimpleITK's arrays;
``ijk_to_lps`` takes a column ``(i, j, k, 1)`` to millimetres in the patient (x to the left, y to the back, z to the
head: LPS, as DICOM and ITK have it). Nothing here guesses geometry from array order.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.image_headers.check import check_image_file
from KidneySegLib.itk_names import itk_name
from KidneySegLib.room_in_memory import check_room

if TYPE_CHECKING:
    import SimpleITK as sitk

IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

# Columns of the direction matrix may deviate this much from orthogonal before it counts as a shear (gantry tilt).
# 1e-3 is 0.06 degrees: below it, a 300 mm long scan shifts by less than 0.3 mm.
ORTHOGONALITY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class AxisOrder:
    """A permutation and flips of array axes: the reversible part of a change of orientation.

    Attributes:
        permutation: for each new array axis ``(k, j, i)``, the old array axis that it comes from.
        flipped: for each new array axis, whether it runs against the old one.
    """

    permutation: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Returns a view of ``array`` (3D) in the new order."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return array.transpose(self.permutation)[steps]

    def invert(self, array: np.ndarray) -> np.ndarray:
        """Returns a view of ``array`` (3D, in the new order) in the old order."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return array[steps].transpose(tuple(int(a) for a in np.argsort(self.permutation)))


@dataclass(frozen=True)
class Volume:
    """A scalar image in patient space.

    Attributes:
        voxels: array ``(k, j, i)``; for CT in Hounsfield units.
        ijk_to_lps: 4x4 matrix from voxel indices ``(i, j, k, 1)`` to millimetres LPS.

    Raises:
        GeometryError: the array is not 3D, or the matrix is not finite or singular.
    """

    voxels: np.ndarray
    ijk_to_lps: np.ndarray

    def __post_init__(self) -> None:
        """Checks shape and geometry and freezes the matrix."""
        if self.voxels.ndim != 3 or 0 in self.voxels.shape:
            raise GeometryError(
                "The image has shape {grid}; a 3D volume with at least one voxel is needed.", grid=self.voxels.shape
            )
        matrix = np.array(self.ijk_to_lps, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise GeometryError("The image's geometry is not a finite 4x4 matrix. Export the series again.")
        if np.any(np.linalg.norm(matrix[:3, :3], axis=0) < 1e-6) or abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            raise GeometryError("The image's voxels have no extent in one direction. Export the series again.")
        matrix.setflags(write=False)
        object.__setattr__(self, "ijk_to_lps", matrix)

    # --- geometry -------------------------------------------------------------------------------------------------

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between voxel centres along i, j, k in mm."""
        x, y, z = np.linalg.norm(self.ijk_to_lps[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def origin(self) -> tuple[float, float, float]:
        """Centre of voxel (0, 0, 0) in mm LPS."""
        x, y, z = self.ijk_to_lps[:3, 3]
        return float(x), float(y), float(z)

    @property
    def direction(self) -> np.ndarray:
        """3x3 matrix whose columns are the unit vectors of the i, j and k axes in LPS."""
        return self.ijk_to_lps[:3, :3] / np.array(self.spacing)

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mm³ (the determinant, so it is right for sheared grids too)."""
        return float(abs(np.linalg.det(self.ijk_to_lps[:3, :3])))

    @property
    def is_sheared(self) -> bool:
        """Whether the axes are not at right angles, as in a gantry-tilted series."""
        product = self.direction.T @ self.direction
        return bool(np.abs(product - np.eye(3)).max() > ORTHOGONALITY_TOLERANCE)

    def to_lps(self, kji: np.ndarray) -> np.ndarray:
        """Takes points in voxel indices, array ``(..., 3)`` in order ``(k, j, i)``, to mm LPS, array ``(..., 3)``."""
        points = np.asarray(kji, dtype=np.float64)[..., ::-1]
        return points @ self.ijk_to_lps[:3, :3].T + self.ijk_to_lps[:3, 3]

    def to_kji(self, lps: np.ndarray) -> np.ndarray:
        """Takes points in mm LPS, array ``(..., 3)``, to continuous voxel indices ``(k, j, i)``, array ``(..., 3)``."""
        points = np.asarray(lps, dtype=np.float64) - self.ijk_to_lps[:3, 3]
        return (points @ np.linalg.inv(self.ijk_to_lps[:3, :3]).T)[..., ::-1]

    # --- derived volumes ------------------------------------------------------------------------------------------

    def like(self, voxels: np.ndarray) -> Volume:
        """Returns other voxels of the same shape on this grid.

        Raises:
            GeometryError: the shapes differ.
        """
        if voxels.shape != self.voxels.shape:
            raise GeometryError(
                "An array of shape {shape} does not fit a grid of shape {grid}.",
                shape=voxels.shape,
                grid=self.voxels.shape,
            )
        return replace(self, voxels=voxels)

    def crop(self, box: tuple[slice, slice, slice]) -> Volume:
        """Returns the part in ``box`` (slices for k, j, i with step 1, inside the array) as a view."""
        starts = np.array([axis.indices(size)[0] for axis, size in zip(box, self.voxels.shape, strict=True)])
        matrix = np.array(self.ijk_to_lps)
        matrix[:3, 3] = self.to_lps(starts)
        return Volume(self.voxels[box], matrix)

    def axis_order(self) -> AxisOrder:
        """Returns the reordering after which i runs most to the left, j most to the back and k most to the head.

        Oblique grids stay oblique: axes are matched to the nearest patient axes, each used once.
        """
        alignment = np.abs(self.direction)
        columns = max(_PERMUTATIONS, key=lambda p: alignment[0, p[0]] * alignment[1, p[1]] * alignment[2, p[2]])
        # columns[a] is the grid axis (0 = i) for patient axis a; array axes run the other way round
        signs = [self.direction[a, columns[a]] < 0 for a in range(3)]
        return AxisOrder(
            permutation=(2 - columns[2], 2 - columns[1], 2 - columns[0]),
            flipped=(bool(signs[2]), bool(signs[1]), bool(signs[0])),
        )

    def canonical(self) -> Volume:
        """Returns a view with axes in the order and sense of patient left, back and head."""
        return self.reordered(self.axis_order())

    def reordered(self, order: AxisOrder) -> Volume:
        """Returns a view with the array axes permuted and flipped; every voxel keeps its place in the patient."""
        start = np.zeros(3)
        linear = np.zeros((3, 3))
        for new_axis, (old_axis, flip) in enumerate(zip(order.permutation, order.flipped, strict=True)):
            column = self.ijk_to_lps[:3, 2 - old_axis]
            linear[:, 2 - new_axis] = -column if flip else column
            if flip:
                start[old_axis] = self.voxels.shape[old_axis] - 1
        matrix = np.eye(4)
        matrix[:3, :3] = linear
        matrix[:3, 3] = self.to_lps(start)
        return Volume(order.apply(self.voxels), matrix)

    # --- files ----------------------------------------------------------------------------------------------------

    @classmethod
    def from_image(cls, image: sitk.Image) -> Volume:
        """Takes a 3D scalar SimpleITK image.

        Raises:
            InputError: the image has more than one component or is not 3D.
        """
        import SimpleITK as sitk

        if image.GetDimension() == 4 and image.GetSize()[3] == 1:
            image = image[:, :, :, 0]
        if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
            raise InputError(
                "The image has {dimensions} dimensions and {components} components; a 3D image with one value "
                "per voxel is needed.",
                dimensions=image.GetDimension(),
                components=image.GetNumberOfComponentsPerPixel(),
            )
        matrix = np.eye(4)
        matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        matrix[:3, 3] = image.GetOrigin()
        return cls(sitk.GetArrayFromImage(image), matrix)

    def to_image(self) -> sitk.Image:
        """Returns a SimpleITK image.

        Raises:
            GeometryError: the grid is sheared, which no ITK image can hold.
        """
        import SimpleITK as sitk

        if self.is_sheared:
            raise GeometryError("A sheared grid (gantry tilt) must be resampled before it is written.")
        image = sitk.GetImageFromArray(np.ascontiguousarray(self.voxels))
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(_nearest_rotation(self.direction).ravel().tolist())
        return image


_PERMUTATIONS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


def _nearest_rotation(direction: np.ndarray) -> np.ndarray:
    """Returns the orthogonal matrix nearest to ``direction`` (ITK refuses rounding errors of DICOM cosines)."""
    left, _, right = np.linalg.svd(direction)
    return left @ right


def is_image_file(path: Path) -> bool:
    """Whether the file name is one of a research image format that SimpleITK reads."""
    return path.name.lower().endswith(IMAGE_SUFFIXES)


def read_image(path: Path) -> Volume:
    """Reads NIfTI, NRRD or MetaImage.

    Raises:
        InputError: the file is missing, damaged or incomplete.
        GeometryError: spacing, position or the patient's sides are missing or contradict each other.
        ResourceError: the image needs more memory than is free.
    """
    return Volume.from_image(_read_file(path))


def read_layers(path: Path) -> tuple[list[Volume], dict[str, str]]:
    """Reads a file whose voxels have one or more values each, such as layers of segments.

    Returns:
        One volume for each value, and the key-value pairs of the file's header.

    Raises:
        As ``read_image``.
    """
    import SimpleITK as sitk

    image = _read_file(path)
    header = {key: str(image.GetMetaData(key)) for key in image.GetMetaDataKeys()}
    if image.GetDimension() == 4:
        images = [image[:, :, :, layer] for layer in range(image.GetSize()[3])]
    elif image.GetNumberOfComponentsPerPixel() > 1:
        images = [sitk.VectorIndexSelectionCast(image, n) for n in range(image.GetNumberOfComponentsPerPixel())]
    else:
        images = [image]
    return [Volume.from_image(layer) for layer in images], header


def prepare_itk() -> None:
    """Tells ITK's readers to keep silent, and to straighten axes that rounding has turned off right angles.

    Its warnings name the file, and so perhaps the patient. Without the variable it takes a NIfTI file for damaged whose
    axes are off by more than 1e-5; ``check_image_file`` refuses those that are off by more than 1e-3.
    """
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    os.environ.setdefault("ITK_NIFTI_SFORM_PERMISSIVE", "YES")


def _read_file(path: Path) -> sitk.Image:
    import SimpleITK as sitk

    if not path.is_file():
        raise InputError("The image file does not exist. Check the path.")
    check_image_file(path)
    prepare_itk()
    try:
        check_room(_size_in_memory(path))
        image: Any = sitk.ReadImage(itk_name(path))
    except RuntimeError as error:
        raise InputError(
            "The image file cannot be read: it is damaged, or its content is not what its name says."
        ) from error
    return image


def _size_in_memory(path: Path) -> int:
    """Returns the bytes of an image file's voxels, as its header says."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(itk_name(path))
    reader.ReadImageInformation()
    one_voxel = sitk.Image([1] * reader.GetDimension(), reader.GetPixelID(), reader.GetNumberOfComponents())
    return math.prod(reader.GetSize()) * one_voxel.GetSizeOfPixelComponent() * one_voxel.GetNumberOfComponentsPerPixel()
