"""Measures of analytic bodies: volume, place, Hounsfield statistics, independence of how the image is stored."""

from __future__ import annotations

import itertools
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray
from result_cases import anatomy_of
from scipy.spatial.transform import Rotation

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.geometry.boxes import bounding_boxes
from KidneySegLib.measuring.measurements import measure, statistics
from KidneySegLib.structures import Side
from KidneySegLib.volume import AxisOrder, Volume


def volume_of(shape: tuple[int, int, int], spacing: tuple[float, float, float], rotation: NDArray) -> Volume:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * spacing
    matrix[:3, 3] = (-120, 35, -400)
    voxels = np.arange(np.prod(shape), dtype=np.int32).reshape(shape) % 997
    return Volume(voxels.astype(np.int16), matrix)


def test_volume_is_count_times_determinant() -> None:
    rotation = Rotation.from_euler("xyz", (10, 20, 30), degrees=True).as_matrix()
    volume = volume_of((10, 12, 14), (0.7, 0.8, 2.5), rotation)
    mask = np.zeros(volume.voxels.shape, bool)
    mask[2:6, 3:8, 4:10] = True
    found = measure(volume, mask)
    assert found.voxels == 4 * 5 * 6
    assert found.volume_ml == pytest.approx(120 * 0.7 * 0.8 * 2.5 / 1000)
    assert np.allclose(found.centroid_lps_mm, volume.to_lps(np.array([3.5, 5.0, 6.5])))


def test_volume_of_a_sheared_grid_is_its_determinant() -> None:
    matrix = np.diag([1.0, 1.0, 4.0, 1.0])
    matrix[1, 2] = 1.5  # gantry tilt: slices are 4 mm apart along the normal, steps are longer
    found = measure(Volume(np.zeros((5, 5, 5), np.int16), matrix), np.ones((5, 5, 5), bool))
    assert found.volume_ml == pytest.approx(125 * 4 / 1000)


def test_sphere_volume() -> None:
    volume = Volume(np.zeros((40, 80, 80), np.int16), np.diag([0.8, 0.8, 1.5, 1]))
    where = volume.to_lps(np.moveaxis(np.indices(volume.voxels.shape), 0, -1))
    centre = where.mean(axis=(0, 1, 2)) + (0.1, 0.2, 0.3)
    found = measure(volume, np.linalg.norm(where - centre, axis=-1) <= 25)
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 2.5**3, rel=0.005)
    assert np.allclose(found.centroid_lps_mm, centre, atol=0.05)


def test_statistics_are_exact() -> None:
    found = statistics(np.arange(1, 101, dtype=np.int16))
    assert (found.mean, found.minimum, found.maximum) == (50.5, 1, 100)
    assert found.sd == pytest.approx(np.arange(1, 101).std())
    assert (found.p05, found.p50, found.p95) == (5, 50, 95)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int32, np.float32, np.float64])
def test_statistics_of_all_kinds_of_voxels(dtype: type) -> None:
    values = np.array([3, 1, 2, 2, 7, 9, 9, 200], dtype)
    found = statistics(values)
    assert found.mean == pytest.approx(values.mean(dtype=float))
    assert found.sd == pytest.approx(values.std(dtype=float))
    assert (found.minimum, found.p50, found.maximum) == (1, 3, 200)


def test_statistics_of_extreme_integers() -> None:
    found = statistics(np.array([-(2**31), 0, 2**31 - 1], np.int32))
    assert (found.minimum, found.p50, found.maximum) == (-(2.0**31), 0, 2.0**31 - 1)


def test_statistics_leave_out_what_is_not_finite() -> None:
    assert statistics(np.array([1.0, np.nan, 3.0, np.inf])).mean == 2
    with pytest.raises(InputError, match="no valid values"):
        statistics(np.array([np.nan]))


def test_bounding_boxes() -> None:
    labels = np.zeros((9, 8, 7), np.uint8)
    assert bounding_boxes(labels) == {}
    labels[2:4, 1:3, 5] = 1
    labels[7, 0, 0] = 5
    assert bounding_boxes(labels) == {
        1: (slice(2, 4), slice(1, 3), slice(5, 6)),
        5: (slice(7, 8), slice(0, 1), slice(0, 1)),
    }


def test_part_of_the_volume_gives_the_same_as_the_whole() -> None:
    volume = volume_of((12, 14, 16), (0.7, 0.8, 2.5), np.eye(3))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[4:9, 3:11, 5:12] = 4
    box = bounding_boxes(labels)[4]
    part = measure(volume, labels[box] == 4, (4, 3, 5))
    whole = measure(volume, labels == 4)
    assert part.axial_slice == whole.axial_slice
    for name, value in asdict(whole).items():
        assert asdict(part)[name] == pytest.approx(value), name


def test_empty_and_misplaced_masks_are_refused() -> None:
    volume = volume_of((4, 4, 4), (1, 1, 1), np.eye(3))
    with pytest.raises(GeometryError, match="empty"):
        measure(volume, np.zeros((4, 4, 4), bool))
    with pytest.raises(GeometryError, match="does not fit"):
        measure(volume, np.ones((3, 3, 3), bool), offset=(2, 0, 0))


def test_every_order_of_storage_gives_the_same_measures() -> None:
    """Whatever the order and sense of the stored axes, the patient is the same."""
    volume = volume_of((7, 8, 9), (0.7, 0.8, 2.5), Rotation.from_euler("x", 12, degrees=True).as_matrix())
    mask = np.random.default_rng(5).random(volume.voxels.shape) < 0.3
    expected = measure(volume, mask)
    for permutation, flipped in itertools.product(
        itertools.permutations(range(3)), itertools.product((False, True), repeat=3)
    ):
        order = AxisOrder(permutation, flipped)  # type: ignore[arg-type]
        stored, drawn = volume.reordered(order), order.apply(mask).astype(np.uint8)
        anatomy = anatomy_of(stored, drawn)
        found = anatomy.measure(anatomy.kidneys[Side.RIGHT])
        for name in ("volume_ml", "length_mm", "axial_diameter_mm", "centroid_lps_mm", "hu_mean", "hu_p95"):
            assert asdict(found)[name] == pytest.approx(asdict(expected)[name]), (name, order)
        axis = permutation.index(0)
        index = mask.shape[0] - 1 - expected.axial_slice if flipped[axis] else expected.axial_slice
        assert found.axial_slice == index
