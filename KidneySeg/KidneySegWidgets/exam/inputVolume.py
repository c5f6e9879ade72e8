"""From a volume node to the engine: voxels with the geometry that they have in the world, as a file in LPS."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from KidneySegWidgets.exam.straightGrid import isSheared, latticeInWorld, resample, straightGrid
from KidneySegWidgets.translation import tr as _

_DIMENSIONS = 3
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_NRRD_TYPES = {
    "int8": "int8",
    "uint8": "uint8",
    "int16": "int16",
    "uint16": "uint16",
    "int32": "int32",
    "uint32": "uint32",
    "float32": "float",
    "float64": "double",
}


@dataclass(frozen=True)
class PreparedVolume:
    """A volume node as the engine takes it.

    Attributes:
        voxels: (k, j, i).
        ijkToRas: (4, 4), from indices (i, j, k, 1) to the world in mm RAS; its axes are at right angles.
        nodeMatrix: the same for nodes that lie under `transform`: the volume's own matrix, unless it was resampled.
        transform: parent transform that results must get, so that they lie on the volume; None if there is none.
        start: first voxel (k, j, i) of `voxels` in the whole grid; not zero where a region was chosen.
        wholeSize: (k, j, i) of the whole grid.
        resampled: whether the volume was put onto a straight grid (shear, bent transform).
    """

    voxels: np.ndarray
    ijkToRas: np.ndarray
    nodeMatrix: np.ndarray
    transform: Any
    start: tuple[int, int, int]
    wholeSize: tuple[int, int, int]
    resampled: bool

    @property
    def ijkToLps(self) -> np.ndarray:
        return RAS_TO_LPS @ self.ijkToRas


def prepareVolume(volume: Any, roi: Any = None) -> PreparedVolume:
    """Takes voxels and geometry from a volume node, parent transforms included.

    Args:
        volume: a scalar volume node.
        roi: markups ROI node; only the box around it is taken. None takes all.

    Raises:
        ValueError: the region holds no voxel of the volume.
    """
    local = slicer.util.arrayFromVTKMatrix(_ijkToRas(volume))
    transform = volume.GetParentTransformNode()
    world, resampled = local, False
    voxels = slicer.util.arrayFromVolume(volume)
    if voxels.ndim > _DIMENSIONS:  # of a colour image only the grid is asked for
        voxels = voxels[..., 0]
    if transform is None or transform.IsTransformToWorldLinear():
        world = _linearToWorld(transform) @ local
        resampled = isSheared(world)
    else:
        resampled = True
    if resampled:
        voxels, world = _onStraightGrid(volume, transform, local)
        local, transform = world, None
    whole = voxels.shape
    box = _box(roi, world, whole) if roi is not None else tuple(slice(0, n) for n in whole)
    start = (box[0].start, box[1].start, box[2].start)
    return PreparedVolume(voxels[box], shifted(world, start), local, transform, start, whole, resampled)


def placeOf(volume: Any) -> tuple[Any, ...]:
    """Returns what must not change while the engine works: size (i, j, k), place in the world, transform's ID."""
    image = volume.GetImageData()
    if image is None:
        return None, None, volume.GetTransformNodeID()
    return image.GetDimensions(), latticeInWorld(volume).tolist(), volume.GetTransformNodeID()


def writeNrrd(path: Path, voxels: np.ndarray, ijkToLps: np.ndarray) -> None:
    """Writes an uncompressed NRRD file: no name, no attribute, nothing of the patient.

    Format: https://teem.sourceforge.net/nrrd/format.html

    Args:
        path: file.
        voxels: (k, j, i).
        ijkToLps: (4, 4), from indices (i, j, k, 1) to mm LPS.

    Raises:
        OSError: the file cannot be written.
    """
    voxels = np.ascontiguousarray(voxels)
    voxels = voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
    vectors = ["(" + ",".join(f"{value:.17g}" for value in column) + ")" for column in ijkToLps[:3].T]
    header = [
        "NRRD0004",
        f"type: {_NRRD_TYPES[voxels.dtype.newbyteorder('=').name]}",
        "dimension: 3",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in voxels.shape[::-1]),
        "space directions: " + " ".join(vectors[:3]),
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {vectors[3]}",
    ]
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode("ascii"))
        file.write(voxels.data)


def _ijkToRas(volume: Any) -> Any:
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def _linearToWorld(transform: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    if transform is not None:
        transform.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _onStraightGrid(volume: Any, transform: Any, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    toWorld, fromWorld = vtk.vtkGeneralTransform(), vtk.vtkGeneralTransform()
    if transform is not None:
        transform.GetTransformToWorld(toWorld)
        transform.GetTransformFromWorld(fromWorld)
    size, grid = straightGrid(volume.GetImageData().GetDimensions(), local, toWorld)
    image = resample(volume.GetImageData(), local, fromWorld, size, grid)
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(size[::-1]), grid


def _box(roi: Any, ijkToRas: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Returns the voxels (k, j, i) around all corners of a region; it may be rotated and transformed."""
    bounds = np.zeros(6)
    roi.GetObjectBounds(bounds)
    corners = np.array([[x, y, z, 1.0] for x, y, z in product(bounds[:2], bounds[2:4], bounds[4:])])
    corners = corners @ slicer.util.arrayFromVTKMatrix(roi.GetObjectToWorldMatrix()).T
    kji = (corners @ np.linalg.inv(ijkToRas).T)[:, 2::-1]
    low = np.clip(np.floor(kji.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + 1, shape)
    if np.any(low >= high):
        raise ValueError(_("The region lies outside the volume. Move it, or choose no region."))
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def shifted(matrix: np.ndarray, start: tuple[int, int, int]) -> np.ndarray:
    """Returns the matrix (4, 4) of a part of a grid that begins at the voxel `start` (k, j, i)."""
    moved = matrix.copy()
    moved[:3, 3] += matrix[:3, :3] @ np.array(start[::-1], float)
    return moved
