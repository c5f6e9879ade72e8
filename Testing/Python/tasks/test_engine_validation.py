"""The engine with the shipped bundle on real exams with reference masks, where they are."""

import pytest
from organ_dice import dice

from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.evaluation.metrics import agreement
from KidneySegLib.structures import BY_KEY, Side
from KidneySegLib.tasks.run import run


# Floors below what the card reports: a change that costs two points of Dice shall be seen.
@pytest.mark.slow
@pytest.mark.parametrize(("exam", "least"), [("lits0", 0.94), ("K5", 0.905), ("kssd_exam", 0.945)])
def test_validation_exams_keep_their_dice(shared_data, exam, least):
    folder = shared_data / "ct/validation" / exam
    result = run("ct", folder / "image.nii.gz", device="cpu")
    _, reference = read_exam(folder)
    found = result.segmentation.labels
    for side in Side:
        assert dice(found, reference.voxels, side) >= least


# T1 holds a large tumour, C2 a large cyst; nothing like T1's was ever trained on.
@pytest.mark.slow
@pytest.mark.parametrize(("exam", "key", "least"), [("T1", "mass", 0.82), ("C2", "cyst", 0.85)])
def test_a_large_mass_and_a_large_cyst_are_found_as_one_and_as_what_they_are(shared_data, exam, key, least):
    folder = shared_data / "ct/validation" / exam
    result = run("ct", folder / "image.nii.gz", device="cpu")
    found = result.segmentation.labels == BY_KEY[key].label
    _, reference = read_exam(folder)
    assert agreement(found, reference.voxels == BY_KEY[key].label, (1.0, 1.0, 1.0)).dice >= least
    assert [lesion.structure for lesion in result.findings.lesions] == [key]
    assert "lesions_not_searched" not in {flag.code for flag in result.findings.flags}
