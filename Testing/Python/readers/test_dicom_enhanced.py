"""Multi-frame Enhanced CT: every frame has its own place, rescale and phase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, assert_ramp, codes, even_positions, ramp, rotated, sample, write_enhanced

from KidneySegLib.errors import GeometryError
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.scan import scan
from KidneySegLib.readers.dicom.finding.series import group

ORIGIN = (-31.5, 12.25, 140.0)
SPACING = (1.5, 0.75)


def images_at(positions: list[np.ndarray], orientation: tuple[float, ...] = AXIAL) -> list[np.ndarray]:
    return [sample(ramp, position, orientation, SPACING, (10, 12)) for position in positions]


@pytest.mark.parametrize("orientation", [AXIAL, rotated((12, -8, 5))])
def test_frames_in_any_order(tmp_path: Path, orientation: tuple[float, ...]) -> None:
    positions = even_positions(ORIGIN, orientation, 1.0, 9)
    positions = [positions[n] for n in (4, 8, 0, 2, 1, 7, 3, 6, 5)]
    file = write_enhanced(
        tmp_path / "enhanced.dcm",
        images_at(positions, orientation),
        positions,
        orientation=orientation,
        pixel_spacing=SPACING,
    )
    acquisition = read_ct(file)
    assert acquisition.stored.voxels.shape == (9, 10, 12)
    np.testing.assert_allclose(acquisition.stored.origin, ORIGIN, atol=1e-6)
    np.testing.assert_allclose(acquisition.stored.spacing, (0.75, 1.5, 1.0), atol=1e-6)
    assert_ramp(acquisition.stored)
    assert codes(acquisition) == []
    assert acquisition.source.frame_numbers == (3, 5, 4, 7, 1, 9, 8, 6, 2)
    assert len(set(acquisition.source.sop_instance_uids)) == 1 and len(acquisition.source.sop_instance_uids) == 9


def test_rescale_of_each_frame(tmp_path: Path) -> None:
    positions = even_positions(ORIGIN, AXIAL, 1.0, 5)
    write_enhanced(
        tmp_path / "enhanced.dcm",
        images_at(positions),
        positions,
        pixel_spacing=SPACING,
        intercepts=[-1024, -1000, -900, -1024, -8],
    )
    assert_ramp(read_ct(tmp_path).stored)


def test_phases_in_one_file(tmp_path: Path) -> None:
    positions = even_positions(ORIGIN, AXIAL, 1.0, 5)
    images = images_at(positions)
    write_enhanced(
        tmp_path / "enhanced.dcm",
        [image + shift for image in images for shift in (0, 300)],
        [position for position in positions for _ in range(2)],
        pixel_spacing=SPACING,
        temporal=[1, 2] * 5,
    )
    assert [len(part.frames) for part in group(scan(tmp_path)[0])] == [5, 5]
    acquisition = read_ct(tmp_path / "enhanced.dcm")
    assert_ramp(acquisition.stored)
    assert "Left out: part 2 of series 2 (5 images, 1 mm)" in acquisition.flags[0].message


def test_one_file_is_read_alone(tmp_path: Path) -> None:
    """Two Enhanced CT images of one series are two volumes."""
    for name, start in (("a.dcm", 0.0), ("b.dcm", 100.0)):
        positions = even_positions((*ORIGIN[:2], ORIGIN[2] + start), AXIAL, 1.0, 5)
        write_enhanced(
            tmp_path / name, images_at(positions), positions, pixel_spacing=SPACING, SeriesInstanceUID="1.2.3"
        )
    assert [len(part.frames) for part in group(scan(tmp_path)[0])] == [5, 5]
    assert len(group(scan(tmp_path / "b.dcm")[0])) == 1
    assert read_ct(tmp_path / "b.dcm").stored.origin[2] == pytest.approx(ORIGIN[2] + 100)


def test_concatenation_is_one_volume(tmp_path: Path) -> None:
    """A large image may be cut into several files (PS3.3 C.7.6.16.2.2.4)."""
    positions = even_positions(ORIGIN, AXIAL, 1.0, 8)
    for name, part in (("a.dcm", positions[4:]), ("b.dcm", positions[:4])):
        write_enhanced(
            tmp_path / name,
            images_at(part),
            part,
            pixel_spacing=SPACING,
            SeriesInstanceUID="1.2.3",
            FrameOfReferenceUID="1.2.4",
            ConcatenationUID="1.2.5",
        )
    volume = read_ct(tmp_path).stored
    assert volume.voxels.shape[0] == 8
    assert_ramp(volume)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"])
def test_compressed_frames(tmp_path: Path, syntax: str) -> None:
    pytest.importorskip("gdcm")
    positions = even_positions(ORIGIN, AXIAL, 1.0, 5)[::-1]
    write_enhanced(
        tmp_path / "enhanced.dcm", images_at(positions), positions, pixel_spacing=SPACING, transfer_syntax=syntax
    )
    assert_ramp(read_ct(tmp_path).stored)


def test_frames_without_places(tmp_path: Path) -> None:
    positions = even_positions(ORIGIN, AXIAL, 1.0, 5)
    write_enhanced(
        tmp_path / "frames.dcm",
        images_at(positions),
        positions,
        PerFrameFunctionalGroupsSequence=None,
        SharedFunctionalGroupsSequence=None,
    )
    with pytest.raises(GeometryError, match="no position and orientation"):
        read_ct(tmp_path)
