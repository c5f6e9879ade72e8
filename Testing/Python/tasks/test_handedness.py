"""Right stays right in every order of storage, left-handed grids included: findings, label maps, segments, report."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from reporting_cases import findings_of, phantom
from result_cases import result_of

from KidneySegLib.findings import Findings
from KidneySegLib.readers.input import read_input
from KidneySegLib.result_files.labels.reading import read_labels
from KidneySegLib.volume import AxisOrder, Volume, read_image

STORED = [((0, 1, 2), flips) for flips in product((False, True), repeat=3)]
STORED += [((2, 1, 0), (False, False, False)), ((0, 2, 1), (False, False, False)), ((1, 2, 0), (True, False, False))]


def middle_of(labels: Volume, value: int) -> np.ndarray:
    """Returns the centre of a label in mm LPS."""
    return labels.to_lps(np.argwhere(labels.voxels == value)).mean(axis=0)


@pytest.mark.parametrize(("permutation", "flipped"), STORED)
def test_right_stays_right(tmp_path: Path, permutation: tuple[int, int, int], flipped: tuple[bool, bool, bool]) -> None:
    volume, truth = phantom((20, 40, 60))
    expected = {value: middle_of(volume.like(truth), value) for value in (1, 2, 3)}
    order = AxisOrder(permutation, flipped)
    stored = volume.reordered(order)
    sitk.WriteImage(stored.to_image(), str(tmp_path / "image.nii.gz"))
    image = read_input(tmp_path / "image.nii.gz").stored
    assert np.sign(np.linalg.det(image.direction)) == np.sign(np.linalg.det(stored.direction))
    labels = np.ascontiguousarray(order.apply(truth))
    findings = findings_of(image, labels)
    result_of(image, labels, findings).write(tmp_path / "out")
    for kidney, value in zip(Findings.from_json(findings.to_json()).kidneys, (1, 2), strict=True):
        assert kidney.side.value == ("right", "left")[value - 1] and kidney.side_certain
        np.testing.assert_allclose(kidney.measures.centroid_lps_mm, expected[value], atol=0.02)
    for name in ("labels.nii.gz", "segmentation.seg.nrrd"):
        written = read_image(tmp_path / "out" / name)
        for value, place in expected.items():
            np.testing.assert_allclose(middle_of(written, value), place, atol=0.02)
        np.testing.assert_array_equal(read_labels(tmp_path / "out" / name, image).labels, labels)
