"""Labels that lie where they cannot: swapped sides, numbers of other programs, a kidney called a mass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from orientation_cases import patient
from reporting_cases import findings_of

from KidneySegLib.findings import Findings
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.tasks.run import measure
from KidneySegLib.volume import Volume, read_image

OURS = {"drawn_on_other_side", "lesion_like_kidney", "foreign_numbering"}


def relabelled(mapping: dict[int, int]) -> Findings:
    """Measures the patient's kidneys, lesions taken as part of them, under other numbers."""
    volume, truth = patient()
    kidneys = truth.copy()
    side = np.where(np.arange(truth.shape[2]) < truth.shape[2] / 2, 1, 2)
    lesions = truth > 2
    kidneys[lesions] = np.broadcast_to(side, truth.shape)[lesions]
    labels = np.zeros_like(truth)
    for old, new in mapping.items():
        labels[kidneys == old] = new
    return findings_of(volume, labels)


def told(findings: Findings) -> list[tuple[str, str]]:
    flags = [flag for flag in findings.flags if flag.code in OURS]
    return [(flag.code, flag.message) for flag in flags]


def test_right_labels_are_no_remark() -> None:
    assert told(relabelled({1: 1, 2: 2})) == []
    assert told(relabelled({2: 2})) == []


def test_swapped_sides_are_told_for_both() -> None:
    flags = told(relabelled({1: 2, 2: 1}))
    assert [code for code, _ in flags] == ["drawn_on_other_side"] * 2
    assert [text.split(" kidney")[0] for _, text in flags] == ["The right", "The left"]
    assert all("on the other side" in text for _, text in flags)


def test_one_kidney_under_the_other_side_is_told() -> None:
    (code, text), *more = told(relabelled({1: 2}))
    assert code == "drawn_on_other_side" and "The left kidney" in text and not more


def test_numbers_of_totalsegmentator_are_told() -> None:
    flags = dict(told(relabelled({1: 2, 2: 3})))
    assert set(flags) == OURS
    assert "(left kidney) has the size and shape of a kidney" in flags["lesion_like_kidney"]
    assert "--numbering totalsegmentator" in flags["foreign_numbering"]


def test_numbers_of_kits_are_told() -> None:
    flags = dict(told(relabelled({1: 1, 2: 1})))
    assert set(flags) == {"drawn_on_other_side", "foreign_numbering"}
    assert "on both sides" in flags["drawn_on_other_side"] and "--numbering kits" in flags["foreign_numbering"]


def test_a_patient_beside_the_middle_of_the_image_is_no_remark() -> None:
    volume, labels = patient()
    matrix = np.array(volume.ijk_to_lps)
    matrix[0, 3] += 20 * matrix[0, 0]
    part = Volume(np.ascontiguousarray(volume.voxels[:, :, 20:]), matrix)
    assert told(findings_of(part, np.ascontiguousarray(labels[:, :, 20:]))) == []


@pytest.mark.parametrize("mapping", [{1: 2, 2: 1}, {1: 2, 2: 3}, {1: 1, 2: 1}])
def test_a_real_exam_with_foreign_labels_is_told(shared_data: Path, tmp_path: Path, mapping: dict[int, int]) -> None:
    folder = shared_data / "ct" / "train" / "totalseg_example"
    mask = read_image(folder / "mask.nii.gz")
    drawn = np.zeros(mask.voxels.shape, np.uint8)
    for old, new in mapping.items():
        drawn[mask.voxels == old] = new
    write_nifti(tmp_path / "mine.nii.gz", mask, drawn)
    findings = measure(folder / "image.nii.gz", tmp_path / "mine.nii.gz").findings
    assert "drawn_on_other_side" in {flag.code for flag in findings.flags}
