"""Every voxel is where the header says, however files and slices are ordered and turned."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from dicom_writing import (
    AXIAL,
    CORONAL,
    SAGITTAL,
    assert_ramp,
    axes,
    codes,
    even_positions,
    ramp,
    rotated,
    sample,
    write_field,
    write_series,
)

from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.images.geometry import slots

ORIGIN = (-31.5, 12.25, 140.0)
COUNT = 7


# every way in which rows and columns can run along the patient's axes
SIGNED_AXES = [
    tuple(np.concatenate([row_sign * np.eye(3)[row], column_sign * np.eye(3)[column]]).tolist())
    for row, column in itertools.permutations(range(3), 2)
    for row_sign, column_sign in itertools.product((1, -1), repeat=2)
]


@pytest.mark.parametrize("orientation", SIGNED_AXES)
@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled"])
def test_all_orientations_and_orders(tmp_path: Path, orientation: tuple[float, ...], order: str) -> None:
    positions = even_positions(ORIGIN, orientation, 2.5, COUNT)
    if order == "descending":
        positions.reverse()
    elif order == "shuffled":
        positions = [positions[n] for n in (3, 0, 6, 2, 5, 1, 4)]
    write_field(tmp_path, positions, orientation=orientation)
    acquisition = read_ct(tmp_path)
    volume = acquisition.stored
    row, column, normal = axes(orientation)
    assert volume.voxels.shape == (COUNT, 10, 12) and volume.voxels.dtype == np.int16
    np.testing.assert_allclose(volume.ijk_to_lps[:3, 0], 0.75 * row, atol=1e-9)
    np.testing.assert_allclose(volume.ijk_to_lps[:3, 1], 1.5 * column, atol=1e-9)
    np.testing.assert_allclose(volume.ijk_to_lps[:3, 2], 2.5 * normal, atol=1e-9)
    np.testing.assert_allclose(volume.origin, ORIGIN, atol=1e-6)
    assert_ramp(volume)
    assert codes(acquisition) == ["unscanned_gaps"]  # 1 mm slices, 2.5 mm apart


@pytest.mark.parametrize("degrees", [(20, 0, 0), (0, -12, 0), (5, 7, 40), (100, 30, -60)])
def test_oblique(tmp_path: Path, degrees: tuple[float, float, float]) -> None:
    orientation = rotated(degrees)
    write_field(tmp_path, even_positions(ORIGIN, orientation, 1.0, COUNT), orientation=orientation)
    acquisition = read_ct(tmp_path)
    np.testing.assert_allclose(acquisition.stored.direction[:, 2], axes(orientation)[2], atol=1e-6)
    assert_ramp(acquisition.stored)
    assert codes(acquisition) == []


def test_names_and_image_numbers_play_no_part(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    names = [f"{n:04d}" for n in generator.permutation(COUNT)]
    numbers = generator.permutation(COUNT) + 1
    write_field(
        tmp_path,
        even_positions(ORIGIN, AXIAL, 1.0, COUNT),
        names=names,
        InstanceNumber=lambda n: int(numbers[n]),
        SliceLocation=lambda n: float(-n),
        SpacingBetweenSlices=3,
    )
    acquisition = read_ct(tmp_path)
    np.testing.assert_allclose(acquisition.stored.spacing, (0.75, 1.5, 1.0), atol=1e-9)
    assert_ramp(acquisition.stored)


@pytest.mark.parametrize(
    ("patient_position", "orientation"),
    [
        ("HFS", (1, 0, 0, 0, 1, 0)),
        ("FFS", (1, 0, 0, 0, 1, 0)),
        ("HFP", (-1, 0, 0, 0, -1, 0)),
        ("FFP", (-1, 0, 0, 0, -1, 0)),
        ("HFDR", (0, -1, 0, 1, 0, 0)),
        ("FFDL", (0, 1, 0, -1, 0, 0)),
        ("HFS", CORONAL),
        ("FFS", SAGITTAL),
    ],
)
def test_marker_is_found_at_its_place(tmp_path: Path, patient_position: str, orientation: tuple[float, ...]) -> None:
    """One bright voxel at a known point of the patient, whatever way the patient lay."""
    row, column, normal = axes(orientation)
    spacing, pixel_spacing = 3.0, (0.8, 0.6)
    images = [np.full((16, 20), -1000) for _ in range(9)]
    images[6][4, 13] = 900
    marker = np.array(ORIGIN) + 13 * 0.6 * row + 4 * 0.8 * column + 6 * spacing * normal
    positions = even_positions(ORIGIN, orientation, spacing, 9)
    write_series(
        tmp_path,
        images[::-1],
        positions[::-1],
        orientation=orientation,
        pixel_spacing=pixel_spacing,
        PatientPosition=patient_position,
    )
    volume = read_ct(tmp_path).stored
    found = np.argwhere(volume.voxels == 900)
    assert found.shape == (1, 3)
    np.testing.assert_allclose(volume.to_lps(found[0]), marker, atol=1e-6)
    canonical = volume.canonical()
    np.testing.assert_allclose(canonical.to_lps(np.argwhere(canonical.voxels == 900)[0]), marker, atol=1e-6)


def test_one_file_gathers_its_series_and_no_other(tmp_path: Path) -> None:
    write_field(tmp_path, even_positions((0, 0, 0), AXIAL, 1.0, 30), names=[f"a{n}" for n in range(30)])
    files = write_field(tmp_path, even_positions(ORIGIN, AXIAL, 1.0, COUNT), names=[f"b{n}" for n in range(COUNT)])
    volume = read_ct(files[3]).stored
    assert volume.voxels.shape[0] == COUNT
    np.testing.assert_allclose(volume.origin, ORIGIN, atol=1e-6)
    assert_ramp(volume)


def test_cosines_with_three_decimals(tmp_path: Path) -> None:
    """Rounded direction cosines still give axes at right angles."""
    orientation = rotated((13, 9, 4))
    rounded = tuple(round(value, 3) for value in orientation)
    positions = even_positions(ORIGIN, orientation, 1.0, COUNT)
    images = [sample(ramp, position, orientation, (1.0, 1.0), (10, 12)) for position in positions]
    write_series(tmp_path, images, positions, orientation=rounded)
    volume = read_ct(tmp_path).stored
    np.testing.assert_allclose(volume.direction[:, :2].T @ volume.direction[:, :2], np.eye(2), atol=1e-12)
    assert_ramp(volume, tolerance=1.0)


def test_positions_rounded_to_a_tenth_are_even(tmp_path: Path) -> None:
    positions = [np.array([0, 0, 120 + round(0.625 * k, 1)]) for k in range(41)]
    write_field(tmp_path, positions)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.spacing[2] == pytest.approx(0.625, abs=1e-9)
    assert codes(acquisition) == []


def test_slots_number_distinct_positions() -> None:
    assert slots(np.array([5.0, 0.0, 5.02, 2.0, 0.0])).tolist() == [2, 0, 2, 1, 0]
