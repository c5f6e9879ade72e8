"""One door: folders, DICOM files and image files, and what is wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import AXIAL, assert_ramp, even_positions, ramp, write_field

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.readers.input import read_input
from KidneySegLib.volume import Volume

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]


def ramp_volume(offset: float = 0.0) -> Volume:
    matrix = np.array([[0.8, 0, 0, -31], [0, -0.9, 0, 12], [0, 0, 2.5, 140], [0, 0, 0, 1.0]])
    grid = Volume(np.zeros((6, 9, 11), dtype=np.int16), matrix)
    points = grid.to_lps(np.stack(np.indices(grid.voxels.shape), axis=-1))
    return Volume(np.rint(ramp(points) + offset).astype(np.int16), matrix)


def body() -> np.ndarray:
    """Air, soft tissue and bone in HU, array (k, j, i)."""
    voxels = np.full((10, 40, 40), -1000)
    voxels[:, 8:32, 8:32] = 40
    voxels[:, 12:14, 12:14] = 1200
    return voxels


def save(voxels: np.ndarray, path: Path) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_image_files(tmp_path: Path, suffix: str, dtype: type) -> None:
    volume = ramp_volume()
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(volume.like(volume.voxels.astype(dtype)).to_image(), str(path))
    acquisition = read_input(path)
    assert acquisition.stored.voxels.dtype == np.int16
    np.testing.assert_allclose(acquisition.stored.ijk_to_lps, volume.ijk_to_lps, atol=1e-5)
    assert_ramp(acquisition.stored)
    assert acquisition.source.series_uid == ""


def test_dicom_folder_and_file(tmp_path: Path) -> None:
    files = write_field(tmp_path, even_positions((-31, 12, 140), AXIAL, 1.0, 5))
    (tmp_path / "readme.txt").write_text("x")
    for path in (tmp_path, files[2]):
        seen: list[float] = []
        acquisition = read_input(path, seen.append)
        assert acquisition.stored.voxels.shape[0] == 5 and seen[-1] == pytest.approx(1.0)
        assert_ramp(acquisition.stored)


def test_folder_with_one_image_file(tmp_path: Path) -> None:
    save(body().astype(np.int16), tmp_path / "scan.nrrd")
    (tmp_path / "readme.txt").write_text("x")
    np.testing.assert_array_equal(read_input(tmp_path).stored.voxels, body())
    save(body().astype(np.int16), tmp_path / "other.nii.gz")
    with pytest.raises(InputError, match="2 image files"):
        read_input(tmp_path)


def test_nothing_readable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither DICOM images nor an image file"):
        read_input(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_input(tmp_path / "scan.nii.gz")
    (tmp_path / "scan.docx").write_bytes(b"x" * 200)
    with pytest.raises(InputError, match="neither DICOM nor one of .nii"):
        read_input(tmp_path / "scan.docx")
    (tmp_path / "slice.png").write_bytes(b"x" * 200)
    with pytest.raises(InputError, match="--task ct-slice and the size of its pixels, such as --pixel-mm"):
        read_input(tmp_path / "slice.png")
    (tmp_path / "scan.nii.gz").write_bytes(gzip.compress(b"x" * 400))
    with pytest.raises(InputError, match="cannot be read"):
        read_input(tmp_path / "scan.nii.gz")


@pytest.mark.parametrize("padding", [-2000, -3024, -32768])
def test_padding_becomes_air(tmp_path: Path, padding: int) -> None:
    voxels = body()
    voxels[:, :3] = padding
    acquisition = read_input(save(voxels.astype(np.int16), tmp_path / "scan.nii.gz"))
    np.testing.assert_array_equal(acquisition.stored.voxels, np.maximum(voxels, -1024))
    assert acquisition.flags == []


def test_floats_are_rounded(tmp_path: Path) -> None:
    acquisition = read_input(save(body() + 0.6, tmp_path / "scan.nrrd"))
    np.testing.assert_array_equal(acquisition.stored.voxels, body() + 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_a_number(tmp_path: Path, value: float) -> None:
    voxels = body().astype(np.float32)
    voxels[3, 4, 5] = value
    with pytest.raises(InputError, match="not numbers"):
        read_input(save(voxels, tmp_path / "scan.nrrd"))


def test_grey_levels_are_flagged(tmp_path: Path) -> None:
    grey = np.clip((body() + 160) * 255 / 400, 0, 255).astype(np.uint8)
    flags = read_input(save(grey, tmp_path / "scan.nii.gz")).flags
    assert [(flag.code, flag.severity) for flag in flags] == [("not_hounsfield", Severity.ERROR)]
    assert "not Hounsfield units" in flags[0].message


def test_shifted_values_are_put_right(tmp_path: Path) -> None:
    acquisition = read_input(save((body() + 1024).astype(np.uint16), tmp_path / "scan.nii.gz"))
    np.testing.assert_array_equal(acquisition.stored.voxels, body())
    assert [flag.code for flag in acquisition.flags] == ["rescale_assumed"]


def test_label_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="label map"):
        read_input(save((body() > 0).astype(np.uint8) * 2, tmp_path / "mask.nii.gz"))


def test_several_components_are_refused(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), dtype=np.int16), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "colour.nrrd"))
    with pytest.raises(InputError, match="3 components"):
        read_input(tmp_path / "colour.nrrd")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_sheared_nifti_is_refused(tmp_path: Path, suffix: str) -> None:
    affine = np.diag([0.8, 0.8, 5.0, 1.0])
    affine[1, 2] = 5.0 * np.tan(np.radians(15))
    image = nibabel.Nifti1Image(body().T.astype(np.int16), affine)
    nibabel.save(image, tmp_path / f"tilted{suffix}")
    with pytest.raises(GeometryError, match="right angles"):
        read_input(tmp_path / f"tilted{suffix}")


def test_straight_nifti(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(body().T.astype(np.int16), np.diag([-0.8, 0.8, 5.0, 1.0]))
    nibabel.save(image, tmp_path / "straight.nii")
    volume = read_input(tmp_path / "straight.nii").stored
    np.testing.assert_allclose(np.diag(volume.ijk_to_lps), [0.8, -0.8, 5.0, 1.0], atol=1e-6)  # RAS to LPS


def test_flag_survives_json() -> None:
    flag = Flag.of("gantry_tilt", tilt_degrees=12.34)
    assert flag.to_dict() == {
        "code": "gantry_tilt",
        "severity": "warning",
        "values": {"tilt_degrees": 12.34},
        "message": "The scan was made with a gantry tilt of 12.3 degrees. It was resampled to a grid with right "
        "angles, so that distances and volumes are true.",
    }
    assert Flag.from_dict(flag.to_dict()) == flag
