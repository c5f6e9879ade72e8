"""Resamples a volume onto a straight grid in the patient: for gantry tilt, shear and bent transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk

# Points along each axis on which a bent transform is sampled to find how far the volume reaches.
_LATTICE = 9
AIR_HU = -1024


def nearestRotation(matrix: np.ndarray) -> np.ndarray:
    """Returns the orthogonal matrix (3, 3) nearest to the directions of a matrix's columns."""
    left, _scales, right = np.linalg.svd(matrix / np.linalg.norm(matrix, axis=0))
    return left @ right


def isSheared(matrix: np.ndarray) -> bool:
    """Returns whether the axes of a (4, 4) matrix are not at right angles; the engine's own tolerance."""
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3)


def latticeInWorld(volume: Any, count: int = 3) -> np.ndarray:
    """Returns where `count`³ voxels of a volume node lie, from its first corner to its last: (n, 3), mm RAS."""
    toRas, toWorld = vtk.vtkMatrix4x4(), vtk.vtkGeneralTransform()
    volume.GetIJKToRASMatrix(toRas)
    if volume.GetParentTransformNode() is not None:
        volume.GetParentTransformNode().GetTransformToWorld(toWorld)
    steps = [np.linspace(0, n - 1, count) for n in volume.GetImageData().GetDimensions()]
    lattice = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    local = (toRas.MultiplyPoint((*point, 1.0))[:3] for point in lattice)
    return np.array([toWorld.TransformPoint(*point) for point in local])


def straightGrid(size: tuple[int, int, int], ijkToRas: np.ndarray, toWorld: Any) -> tuple[tuple[int, ...], np.ndarray]:
    """Returns size (i, j, k) and IJK-to-RAS matrix (4, 4) of a straight grid around a transformed volume.

    Args:
        size: of the volume, (i, j, k).
        ijkToRas: of the volume, to its own coordinates.
        toWorld: vtkAbstractTransform from there to the world.
    """
    steps = [np.linspace(0, n - 1, _LATTICE) for n in size]
    lattice = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    local = lattice @ ijkToRas[:3, :3].T + ijkToRas[:3, 3]
    world = np.array([toWorld.TransformPoint(*point) for point in local])
    # the best linear match of the bent volume gives directions and spacing
    design = np.c_[lattice, np.ones(len(lattice))]
    linear = np.linalg.lstsq(design, world, rcond=None)[0][:3].T
    if min(size) == 1:  # one slice has no direction across itself in the lattice
        linear[:, [n == 1 for n in size]] = ijkToRas[:3, :3][:, [n == 1 for n in size]]
    rotation = nearestRotation(linear)
    spacing = np.abs(np.sum(rotation * linear, axis=0))
    along = world @ rotation
    low, high = along.min(axis=0), along.max(axis=0)
    counts = tuple(int(n) for n in np.ceil((high - low) / spacing - 1e-3) + 1)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * spacing
    matrix[:3, 3] = rotation @ low
    return counts, matrix


def toVtkMatrix(matrix: np.ndarray) -> Any:
    """Returns a vtkMatrix4x4."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy([float(value) for value in matrix.ravel()])
    return result


def resample(image: Any, ijkToRas: np.ndarray, fromWorld: Any, size: tuple[int, ...], grid: np.ndarray) -> Any:
    """Returns the image (vtkImageData) on another grid, linearly interpolated, air outside.

    Args:
        image: voxels of the volume.
        ijkToRas: (4, 4), from the volume's indices to its own coordinates.
        fromWorld: vtkAbstractTransform from the world to those coordinates.
        size: (i, j, k) of the new grid.
        grid: (4, 4), from the new grid's indices to the world.
    """
    chain = vtk.vtkGeneralTransform()
    chain.PostMultiply()
    chain.Concatenate(toVtkMatrix(grid))
    chain.Concatenate(fromWorld)
    chain.Concatenate(toVtkMatrix(np.linalg.inv(ijkToRas)))
    indices = vtk.vtkImageData()
    indices.ShallowCopy(image)
    indices.SetSpacing(1, 1, 1)
    indices.SetOrigin(0, 0, 0)
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(indices)
    reslice.SetResliceTransform(chain)
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(max(AIR_HU, image.GetScalarTypeMin()))
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputExtent(0, size[0] - 1, 0, size[1] - 1, 0, size[2] - 1)
    reslice.Update()
    return reslice.GetOutput()
