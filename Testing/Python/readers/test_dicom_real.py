"""Real series: geometry and values agree with the same scan as NIfTI."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.scan import scan
from KidneySegLib.readers.dicom.finding.series import Kind, group
from KidneySegLib.volume import read_image


def test_series_equals_its_nifti(shared_data: Path) -> None:
    acquisition = read_ct(shared_data / "dicom" / "c3l00189")
    volume = acquisition.stored
    reference = read_image(shared_data / "ct" / "train" / "c3l00189" / "image.nii.gz")
    assert volume.voxels.shape == reference.voxels.shape == (35, 512, 512)
    corners = np.array([[k, j, i] for k in (0, 34) for j in (0, 511) for i in (0, 511)])
    np.testing.assert_allclose(volume.to_lps(corners), reference.to_lps(corners), atol=0.01)
    difference = np.abs(volume.voxels.astype(np.int32) - reference.voxels)
    assert difference[reference.voxels >= -300].max() <= 2  # stored in steps of 4 HU
    assert difference.max() <= 16  # and of 16 HU in air
    assert acquisition.flags == []
    assert acquisition.source.contrast is True and acquisition.source.body_part == "PANCREAS"


def test_real_series_shuffled_and_renamed(shared_data: Path, tmp_path: Path) -> None:
    files = sorted((shared_data / "dicom" / "c3l00189").iterdir())[:12]
    order = np.random.default_rng(7).permutation(len(files))
    for n, file in zip(order, files, strict=True):
        shutil.copyfile(file, tmp_path / f"{n:03d}")
    volume = read_ct(tmp_path).stored
    reference = read_ct(shared_data / "dicom" / "c3l00189").stored
    assert volume.spacing[2] == 5.0
    start = round((volume.origin[2] - reference.origin[2]) / 5.0)
    np.testing.assert_array_equal(volume.voxels, reference.voxels[start : start + 12])


def test_real_jpeg2000(shared_data: Path) -> None:
    acquisition = read_ct(shared_data / "dicom" / "totalseg_jpeg2000")
    assert acquisition.stored.voxels.shape == (20, 512, 512)
    np.testing.assert_allclose(acquisition.stored.spacing, (0.9765625, 0.9765625, 2.0), atol=1e-6)
    np.testing.assert_allclose(acquisition.stored.origin, (-249.51171875, -437.51171875, -804.5), atol=1e-6)
    liver_and_spleen = acquisition.stored.voxels[acquisition.stored.voxels > -200]
    assert 0 < np.median(liver_and_spleen) < 120
    assert [flag.code for flag in acquisition.flags] == ["missing_uids"]


def test_folder_of_both_series(shared_data: Path) -> None:
    series = group(scan(shared_data / "dicom")[0])
    assert sorted(len(item.frames) for item in series) == [20, 35]
    assert {item.kind for item in series} == {Kind.SLICES}
