"""The engine with the shipped bundle on real exams in which something is missing or stored in another way."""

import numpy as np
import pytest
from organ_dice import dice
from result_cases import segmented
from scipy import ndimage

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.readers.input import read_input
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.tasks.run import run


@pytest.mark.slow
@pytest.mark.parametrize("exam", ["cmbcrc01068", "lidc0314_chest"])
def test_no_kidney_is_invented_in_a_chest(shared_data, exam):
    result = run("ct", shared_data / "ct/negative" / exam / "image.nii.gz", device="cpu")
    assert not result.segmentation.labels.any()
    assert "no_kidney" in {flag.code for flag in result.findings.flags}


@pytest.mark.slow
def test_a_dicom_series_and_its_nifti_give_the_same_kidneys(shared_data):
    series = read_input(shared_data / "dicom/c3l00189")
    image = read_input(shared_data / "ct/train/c3l00189/image.nii.gz")
    bundle = find_bundle(None, "ct")
    volumes = []
    for acquisition in (series, image):
        labels = segmented(acquisition.volume, bundle).labels
        centres = [acquisition.volume.to_lps(np.argwhere(labels == v)).mean(axis=0) for v in (1, 2)]
        volumes.append((centres, [(labels == v).sum() * acquisition.volume.voxel_volume for v in (1, 2)]))
    assert np.allclose(volumes[0][0], volumes[1][0], atol=1.0)
    assert np.allclose(volumes[0][1], volumes[1][1], rtol=0.03)
    assert volumes[0][0][0][0] < volumes[0][0][1][0]


@pytest.mark.slow
def test_a_removed_kidney_stays_missing(shared_data):
    image, labels = read_exam(shared_data / "ct/validation/lits0")
    gone = ndimage.binary_dilation(labels.voxels == KIDNEYS[Side.LEFT].label, iterations=3)
    voxels = image.voxels.copy()
    voxels[gone] = np.random.default_rng(0).normal(-100, 15, int(gone.sum())).astype(voxels.dtype)
    found = segmented(image.like(voxels), find_bundle(None, "ct")).labels
    assert KIDNEYS[Side.RIGHT].label in found and KIDNEYS[Side.LEFT].label not in found
    assert dice(found, np.where(labels.voxels == 1, 1, 0).astype(np.uint8), Side.RIGHT) > 0.9
