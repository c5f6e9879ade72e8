"""Series with gaps, copies, uneven spacing or tilt are repaired and flagged, or refused with a clear sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, assert_ramp, codes, even_positions, ramp, rotated, write_field, write_series

from KidneySegLib.errors import GeometryError
from KidneySegLib.flags import Severity
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.stacking.resampling import blend, shift

ORIGIN = (-31.5, 12.25, 140.0)
ALL = even_positions(ORIGIN, AXIAL, 2.0, 20)


def without(*missing: int) -> list[np.ndarray]:
    return [position for n, position in enumerate(ALL) if n not in missing]


def test_missing_slices_are_interpolated(tmp_path: Path) -> None:
    uids = {}
    for n, file in enumerate(write_field(tmp_path, without(4, 10, 11), SliceThickness=2)):
        uids[n] = file
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 20
    np.testing.assert_allclose(acquisition.stored.spacing, (0.75, 1.5, 2.0), atol=1e-9)
    assert_ramp(acquisition.stored, tolerance=1.01)  # rounded twice
    assert codes(acquisition) == ["missing_slices"]
    flag = acquisition.flags[0]
    assert flag.severity is Severity.WARNING
    assert "3 slices are missing (of 20)" in flag.message and "148.0, 160.0, 162.0 mm" in flag.message
    source = acquisition.source
    assert [k for k, uid in enumerate(source.sop_instance_uids) if not uid] == [4, 10, 11]
    assert len(source.sop_instance_uids) == 20 and not source.resampled


def test_gap_of_more_than_ten_millimetres_is_not_bridged(tmp_path: Path) -> None:
    write_field(tmp_path, without(12, 13, 14, 15, 16), SliceThickness=2)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 12
    np.testing.assert_allclose(acquisition.stored.origin, ORIGIN, atol=1e-6)
    assert_ramp(acquisition.stored)
    assert codes(acquisition) == ["series_interrupted"]
    assert "1 gap of up to 12.0 mm" in acquisition.flags[0].message
    assert "12 of 15 images, 22 mm" in acquisition.flags[0].message


def test_only_crumbs_are_refused(tmp_path: Path) -> None:
    positions = [np.array([0, 0, z]) for z in (0, 2, 40, 42, 80, 82)]
    write_field(tmp_path, positions)
    with pytest.raises(GeometryError, match="Too many slices are missing"):
        read_ct(tmp_path)


def test_uneven_spacing_is_resampled(tmp_path: Path) -> None:
    places = np.cumsum([0, 2, 2, 3.3, 2, 2.7, 2, 4.1, 2, 2, 2])
    write_field(tmp_path, [np.array([*ORIGIN[:2], ORIGIN[2] + place]) for place in places], SliceThickness=2)
    acquisition = read_ct(tmp_path)
    length = 24.1
    assert acquisition.stored.voxels.shape[0] == 13  # 24.1 mm at about 2 mm
    assert acquisition.stored.spacing[2] == pytest.approx(length / 12, abs=1e-9)
    assert_ramp(acquisition.stored, tolerance=1.01)
    assert codes(acquisition) == ["uneven_spacing"]
    assert "from 2.00 to 4.10 mm" in acquisition.flags[0].message and "2.01 mm" in acquisition.flags[0].message
    assert acquisition.source.resampled and len(acquisition.source.sop_instance_uids) == 11


def test_two_spacings_in_one_series(tmp_path: Path) -> None:
    places = np.cumsum([0] + [5] * 6 + [2.5] * 5)
    write_field(tmp_path, [np.array([*ORIGIN[:2], ORIGIN[2] + place]) for place in places], SliceThickness=2.5)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 18  # 42.5 mm in steps of 2.5 mm
    assert_ramp(acquisition.stored, tolerance=1.01)
    assert codes(acquisition)[0] == "uneven_spacing"


def test_small_jitter_is_tolerated(tmp_path: Path) -> None:
    jitter = np.random.default_rng(1).uniform(-0.03, 0.03, 20)
    write_field(tmp_path, [position + [0, 0, shift] for position, shift in zip(ALL, jitter, strict=True)])
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 20
    assert_ramp(acquisition.stored, tolerance=0.51 + 5 * 0.06)
    assert not acquisition.source.resampled


@pytest.mark.parametrize("degrees", [15.0, -22.5])
def test_gantry_tilt(tmp_path: Path, degrees: float) -> None:
    """Tilted slices moved along the table: the field is true on a grid with right angles."""
    orientation = rotated((degrees, 0, 0))
    positions = [np.array(ORIGIN) + [0, 0, 3.0 * k] for k in range(12)]
    write_field(tmp_path, positions, orientation=orientation, shape=(24, 12), pixel_spacing=(0.9, 0.75))
    acquisition = read_ct(tmp_path)
    volume = acquisition.stored
    assert not volume.is_sheared
    assert volume.spacing[2] == pytest.approx(3.0 * np.cos(np.radians(degrees)), abs=1e-6)
    assert codes(acquisition)[0] == "gantry_tilt"
    assert f"{abs(degrees):.1f} degrees" in acquisition.flags[0].message
    points = volume.to_lps(np.stack(np.indices(volume.voxels.shape), axis=-1))
    inside = volume.voxels > -1024
    inside[:, 1:-1] &= inside[:, :-2] & inside[:, 2:]  # where interpolated with the air around, nothing is known
    inside[:, [0, -1]] = False
    assert inside.mean() > 0.5
    np.testing.assert_allclose(volume.voxels[inside], ramp(points)[inside], atol=1.01)


def test_straight_rod_stays_straight_in_tilted_scan(tmp_path: Path) -> None:
    rod = np.array([10.0, 14.0])

    def field(points: np.ndarray) -> np.ndarray:
        return np.where(np.linalg.norm(points[..., :2] - rod, axis=-1) < 4.0, 500.0, -100.0)

    positions = [np.array([-10.0, -10.0, 4.0 * k]) for k in range(15)]
    write_field(
        tmp_path, positions, field=field, orientation=rotated((18, 0, 0)), shape=(70, 60), pixel_spacing=(0.7, 0.7)
    )
    volume = read_ct(tmp_path).stored
    for k in range(15):
        weight = np.clip((volume.voxels[k] + 100) / 600, 0, 1)
        weight[volume.voxels[k] < -100] = 0
        indices = np.stack(np.meshgrid([k], range(70 + 40), range(60), indexing="ij"), axis=-1)[0]
        indices = indices[: weight.shape[0]]
        centre = (volume.to_lps(indices) * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
        np.testing.assert_allclose(centre[:2], rod, atol=0.1)


def test_images_beside_each_other(tmp_path: Path) -> None:
    """Slices whose corners jump sideways are put to their true places."""
    sideways = np.array([0, 1, 4, 2, 2, 3, 0, 1]) * 1.3
    write_field(tmp_path, [ALL[n] + [shift, 0, 0] for n, shift in enumerate(sideways)], shape=(10, 30))
    acquisition = read_ct(tmp_path)
    assert codes(acquisition)[0] == "shifted_slices" and "5.2 mm" in acquisition.flags[0].message
    volume = acquisition.stored
    assert volume.voxels.shape == (8, 10, 30 + 7)  # 5.2 mm are 6.9 pixels of 0.75 mm
    assert volume.origin[0] == pytest.approx(ORIGIN[0], abs=1e-6)
    part = volume.crop((slice(0, 8), slice(0, 10), slice(8, 29)))  # what all images cover
    assert_ramp(part, tolerance=1.01)


def test_copies_are_dropped(tmp_path: Path) -> None:
    write_field(tmp_path, ALL + ALL[3:6], SeriesInstanceUID="1.2.3", FrameOfReferenceUID="1.2.4", SliceThickness=2)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 20
    assert_ramp(acquisition.stored)
    assert codes(acquisition) == ["copies_ignored"] and "(3)" in acquisition.flags[0].message


def test_different_images_at_one_position_are_refused(tmp_path: Path) -> None:
    images = [np.full((8, 8), 100 + n) for n in range(21)]
    write_series(tmp_path, images, [*ALL, ALL[7]])
    with pytest.raises(GeometryError, match="different images at the same position"):
        read_ct(tmp_path)


@pytest.mark.parametrize("keyword", ["AcquisitionNumber", "TemporalPositionIdentifier", "TriggerTime", "KVP"])
def test_phases_in_one_series_are_told_apart(tmp_path: Path, keyword: str) -> None:
    """Two phases at the same positions: one is read, whole and unmixed."""
    images = [np.full((8, 8), value) + 200 * np.arange(8) for value in [-200] * 20 + [200] * 20]
    order = np.random.default_rng(3).permutation(40)
    write_series(
        tmp_path,
        [images[n] for n in order],
        [(ALL + ALL)[n] for n in order],
        SliceThickness=2,
        **{keyword: lambda n: 1 + int(order[n] >= 20)},
    )
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 20
    assert len(np.unique(acquisition.stored.voxels[:, 0, 0])) == 1
    assert codes(acquisition) == ["series_left_out"]
    assert "part 2 of series 2 (20 images, 2 mm)" in acquisition.flags[0].message
    assert acquisition.flags[0].severity is Severity.WARNING


@pytest.mark.parametrize("interleaved", [False, True])
def test_phases_known_only_by_image_number(tmp_path: Path, interleaved: bool) -> None:
    images = [np.full((8, 8), value) + 200 * np.arange(8) for value in [-200] * 20 + [200] * 20]
    numbers = [2 * n if n < 20 else 2 * (n - 20) + 1 for n in range(40)] if interleaved else list(range(40))
    write_series(tmp_path, images, ALL + ALL, InstanceNumber=lambda n: numbers[n], SliceThickness=2)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 20
    assert np.unique(acquisition.stored.voxels[:, 0, 0]).tolist() == [-200]
    assert codes(acquisition) == ["series_left_out"]


def test_overlapping_scans_in_one_series(tmp_path: Path) -> None:
    """Chest and abdomen in one series, overlapping: the longer one is read, unmixed."""
    positions = [*ALL[:9], *ALL[6:]]
    write_field(tmp_path, positions, AcquisitionNumber=lambda n: 1 if n < 9 else 2, SliceThickness=2)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 14
    assert acquisition.stored.origin[2] == pytest.approx(ORIGIN[2] + 12)
    assert codes(acquisition) == ["series_left_out"]


def test_acquisition_number_per_slice_does_not_shatter(tmp_path: Path) -> None:
    """Sequential scans count acquisitions slice by slice; one copied image must not fool the reader."""
    write_field(tmp_path, [*ALL, ALL[7]], AcquisitionNumber=lambda n: n + 1, SliceThickness=2)
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 20
    assert codes(acquisition) == ["copies_ignored"]


def test_tilt_named_but_not_in_the_positions(tmp_path: Path) -> None:
    write_field(tmp_path, ALL, GantryDetectorTilt=-14.5, SliceThickness=2)
    assert codes(read_ct(tmp_path)) == ["tilt_not_in_positions"]


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"ImagePositionPatient": None}, "no position and orientation"),
        ({"ImageOrientationPatient": None, "SliceLocation": 3}, "slice location alone"),
        ({"ImageOrientationPatient": [1, 0, 0, 0.5, 0.5, 0]}, "perpendicular unit vectors"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "perpendicular unit vectors"),
        ({"PixelSpacing": None}, "pixel spacing"),
        ({"PixelSpacing": [0, 0]}, "pixel spacing"),
        ({"PixelSpacing": [-1, 1]}, "pixel spacing"),
        ({"ImagePositionPatient": [0, 0, 7]}, "only 1 slice; at least 3"),
    ],
)
def test_untrustworthy_geometry_is_refused(tmp_path: Path, attributes: dict[str, object], sentence: str) -> None:
    write_field(tmp_path, ALL, **attributes)
    with pytest.raises(GeometryError, match=sentence) as caught:
        read_ct(tmp_path)
    assert "SECRET" not in str(caught.value).upper()


def test_shift_by_whole_and_part_pixels() -> None:
    image = np.array([[0, 100, 200], [300, 400, 500]], dtype=np.int16)
    np.testing.assert_array_equal(
        shift(image, np.array([1.0, 0.0]), (3, 3)), [[-1024] * 3, [0, 100, 200], [300, 400, 500]]
    )
    moved = shift(image, np.array([0.0, 1.25]), (2, 5))
    np.testing.assert_array_equal(moved[:, 2:4], [[75, 175], [375, 475]])
    assert (moved[:, 0] == -1024).all()


def test_blend_rounds() -> None:
    first, second = np.array([0, -1024], dtype=np.int16), np.array([10, 3071], dtype=np.int16)
    assert blend(first, second, 0.25).tolist() == [2, 0]  # 2.5 goes to the even neighbour
