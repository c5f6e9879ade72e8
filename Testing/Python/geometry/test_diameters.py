"""Diameters of analytic bodies and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from KidneySegLib.geometry.diameters import maximum_axial_diameter, maximum_diameter


def grid(spacing: tuple[float, float, float], rotation: NDArray | None = None) -> NDArray:
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if rotation is None else rotation) * spacing
    matrix[:3, 3] = (-100, 50, 20)
    return matrix


def positions(shape: tuple[int, int, int], matrix: NDArray) -> NDArray:
    """Centres of all voxels in mm LPS, array ``(k, j, i, 3)``."""
    k, j, i = np.indices(shape)
    return np.stack([i, j, k], axis=-1) @ matrix[:3, :3].T + matrix[:3, 3]


def face_centres(mask: NDArray, matrix: NDArray, axes: tuple[int, ...] = (0, 1, 2)) -> NDArray:
    """All face centres of all voxels of a mask in mm LPS."""
    centres = positions(mask.shape, matrix)[mask]
    steps = [matrix[:3, 2 - axis] for axis in axes]
    return np.concatenate([centres + sign * step / 2 for step in steps for sign in (-1, 1)])


def widest(points: NDArray) -> float:
    return float(np.linalg.norm(points[:, None] - points[None], axis=-1).max())


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_row_of_voxels_is_exact(axis: int) -> None:
    shape = [1, 1, 1]
    shape[axis] = 17
    found = maximum_diameter(np.ones(shape, bool), grid((0.5, 0.75, 2.5)))
    assert found.length == pytest.approx(17 * (2.5, 0.75, 0.5)[axis])
    assert np.linalg.norm(found.end - found.start) == pytest.approx(found.length)


def test_single_voxel_is_as_long_as_its_longest_edge() -> None:
    assert maximum_diameter(np.ones((1, 1, 1), bool), grid((0.7, 0.7, 5.0))).length == pytest.approx(5.0)


def test_box() -> None:
    """Between face centres: the diagonal of the centres, one step longer along the axis that helps most."""
    found = maximum_diameter(np.ones((10, 20, 30), bool), grid((1, 1, 1)))
    assert found.length == pytest.approx(np.sqrt(30**2 + 19**2 + 9**2))
    assert abs(found.length - np.sqrt(30**2 + 20**2 + 10**2)) < 1


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.7, 0.7, 2.5), (0.9, 0.9, 5.0)])
@pytest.mark.parametrize("turned", [False, True])
def test_sphere_within_one_spacing(spacing: tuple[float, float, float], turned: bool) -> None:
    matrix = grid(spacing, Rotation.from_euler("xyz", (20, -35, 10), degrees=True).as_matrix() if turned else None)
    shape = tuple(int(60 / s) for s in reversed(spacing))
    where = positions(shape, matrix)
    centre = where.mean(axis=(0, 1, 2)) + (0.2, 0.1, 0.3)
    mask = np.linalg.norm(where - centre, axis=-1) <= 25
    assert maximum_diameter(mask, matrix).length == pytest.approx(50, abs=max(spacing))
    axial = maximum_axial_diameter(mask, matrix, slice_axis=0)
    assert axial.longest.length == pytest.approx(50, abs=max(spacing[:2]) + 0.1)  # the equator may lie between slices
    assert axial.perpendicular.length == pytest.approx(50, abs=2 * max(spacing[:2]))


def test_ellipsoid_axes() -> None:
    matrix = grid((0.8, 0.8, 1.0))
    where = positions((130, 90, 90), matrix)
    offset = (where - where.mean(axis=(0, 1, 2))) / (30, 20, 55)
    mask = np.linalg.norm(offset, axis=-1) <= 1
    found = maximum_diameter(mask, matrix)
    assert found.length == pytest.approx(110, abs=1.0)
    # the poles of a digitised ellipsoid are flat caps, about 8 mm wide, within which any point may win
    assert np.allclose(np.abs(found.end - found.start), (0, 0, 110), atol=9)
    axial = maximum_axial_diameter(mask, matrix, slice_axis=0)
    assert axial.longest.length == pytest.approx(60, abs=0.8)
    assert axial.perpendicular.length == pytest.approx(40, abs=1.6)
    assert abs(axial.slice_index - 64.5) <= 8  # sections up to 8 mm off the equator are less than a voxel smaller
    assert abs((axial.longest.end - axial.longest.start) @ (axial.perpendicular.end - axial.perpendicular.start)) < 1e-6


def test_tilted_rod() -> None:
    """A rod of length 80 and radius 3 is, as a body, sqrt(80² + 6²) mm long."""
    matrix = grid((0.7, 0.7, 1.5))
    where = positions((50, 110, 90), matrix)
    along = np.array([1.0, 2.0, 1.5]) / np.linalg.norm([1.0, 2.0, 1.5])
    offset = where - where.mean(axis=(0, 1, 2))
    t = offset @ along
    mask = (np.abs(t) <= 40) & (np.linalg.norm(offset - t[..., None] * along, axis=-1) <= 3)
    assert maximum_diameter(mask, matrix).length == pytest.approx(np.hypot(80, 6), abs=1.5)


@pytest.mark.parametrize("seed", range(8))
def test_against_brute_force_on_oblique_and_sheared_grids(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((5, 7, 6)) < 0.15
    mask[2, 3, 3] = True
    rotation = Rotation.random(random_state=seed).as_matrix() @ np.array([[1, 0, 0.2], [0, 1, 0.1], [0, 0, 1]])
    matrix = grid((0.7, 0.9, 2.0), rotation)
    assert maximum_diameter(mask, matrix).length == pytest.approx(widest(face_centres(mask, matrix)))
    axial = maximum_axial_diameter(mask, matrix, slice_axis=0)
    slices = []
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        plane = np.zeros_like(mask)
        plane[k] = mask[k]
        slices.append((widest(face_centres(plane, matrix, axes=(1, 2))), k))
    assert axial.longest.length == pytest.approx(max(slices)[0])
    assert dict((k, d) for d, k in slices)[axial.slice_index] == pytest.approx(max(slices)[0])


@pytest.mark.parametrize("normal", [(1, 1, 0), (1, 1, 1), (1, -2, 1)])
def test_flat_slanting_bodies(normal: tuple[int, int, int]) -> None:
    k, j, i = np.indices((9, 9, 9)) - 4
    mask = (normal[0] * k + normal[1] * j + normal[2] * i) == 0
    matrix = grid((1, 1, 1))
    assert maximum_diameter(mask, matrix).length == pytest.approx(widest(face_centres(mask, matrix)))


def test_slice_axis() -> None:
    """The slices are cut across the axis that was asked for, and numbered along it."""
    mask = np.zeros((6, 8, 10), bool)
    mask[2, 3, :] = True
    mask[:, 5, 7] = True
    for axis, longest, index in ((0, 10, 2), (1, 10, 3), (2, 6, 7)):
        found = maximum_axial_diameter(mask, grid((1, 1, 1)), slice_axis=axis)
        assert (found.longest.length, found.slice_index) == (pytest.approx(longest), index)


def test_all_orders_of_storage_agree() -> None:
    rng = np.random.default_rng(3)
    mask = rng.random((6, 7, 8)) < 0.2
    matrix = grid((0.7, 0.8, 2.0))
    expected = maximum_diameter(mask, matrix)
    ends = {tuple(np.round(expected.start, 6)), tuple(np.round(expected.end, 6))}
    for order, flips in itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)):
        stored = mask.transpose(order)[tuple(slice(None, None, flip) for flip in flips)]
        steps = [matrix[:3, 2 - axis] * flip for axis, flip in zip(order, flips, strict=True)]
        turned = np.eye(4)
        turned[:3, :3] = np.column_stack(steps[::-1])
        turned[:3, 3] = matrix[:3, 3] + sum(
            matrix[:3, 2 - axis] * (mask.shape[axis] - 1) for axis, flip in zip(order, flips, strict=True) if flip < 0
        )
        found = maximum_diameter(stored, turned)
        assert found.length == pytest.approx(expected.length)
        assert {tuple(np.round(found.start, 6)), tuple(np.round(found.end, 6))} == ends
