"""Image files whose axes are off by rounding are straightened; voxels in other folders are refused."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.volume import read_image

VOXELS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


def nifti(path: Path, off: float, *, qform: bool = False) -> Path:
    matrix = np.diag([1.0, 1.5, 2.0, 1.0])
    matrix[0, 1] = 1.5 * off
    matrix[:3, 3] = (-7, 8, 9)
    image = nibabel.Nifti1Image(VOXELS.T, matrix)
    image.set_sform(matrix, 1)
    image.set_qform(matrix if qform else None, int(qform))
    image.header["pixdim"][1:4] = (1.0, 1.5, 2.0)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("qform", [False, True])
@pytest.mark.parametrize("off", [0, 1e-5, 1e-4, 5e-4, 9e-4])
def test_axes_that_are_off_by_rounding_are_straightened(tmp_path: Path, off: float, qform: bool) -> None:
    volume = read_image(nifti(tmp_path / "a.nii.gz", off, qform=qform))
    np.testing.assert_array_equal(volume.voxels, VOXELS)
    np.testing.assert_allclose(volume.ijk_to_lps @ (5, 4, 3, 1), (2, -14, 15, 1), atol=1.5 * 4 * 1e-3)
    assert not volume.is_sheared and volume.to_image() is not None


def test_sheared_axes_are_still_refused(tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="right angles"):
        read_image(nifti(tmp_path / "a.nii.gz", 5e-3))


def test_data_files_elsewhere_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.raw").write_bytes(VOXELS.tobytes())
    folder = tmp_path / "in"
    folder.mkdir()
    header = (
        "NRRD0005\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 6 5 4\n"
        "space directions: (1,0,0) (0,1,0) (0,0,1)\nendian: little\nencoding: raw\nspace origin: (0,0,0)\ndata file: "
    )
    for name in ("../secret.raw", str(tmp_path / "secret.raw"), "LIST\n../secret.raw", "../secret%d.raw 1 1 1"):
        (folder / "a.nhdr").write_text(f"{header}{name}\n")
        with pytest.raises(InputError, match="another folder"):
            read_image(folder / "a.nhdr")
    (folder / "own.raw").write_bytes(VOXELS.tobytes())
    (folder / "a.nhdr").write_text(f"{header}own.raw\n")
    np.testing.assert_array_equal(read_image(folder / "a.nhdr").voxels, VOXELS)
