"""The instance map of a result folder tells which voxel belongs to which finding; bodies are not looked for again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lesion_cases import ball, draw, grid, kidneys
from reporting_cases import findings_of
from result_cases import result_of

from KidneySegLib.measuring import instances
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.result_files.result import Result
from KidneySegLib.volume import AxisOrder, read_image

ORDERS = [AxisOrder((0, 1, 2), (False, False, False)), AxisOrder((2, 0, 1), (True, False, True))]


def result(order: AxisOrder) -> Result:
    """Two kidneys with two masses, a cyst, two stones and a speck; the masses are listed the other way round."""
    volume = grid((1.5, 1.5, 2.0), (240.0, 120.0, 180.0))
    bodies = [(3, ball((-70.0, 8.0, 30.0), 9.0)), (3, ball((-60.0, 0.0, -30.0), 7.0)), (4, ball((60.0, 0.0, 0.0), 8.0))]
    labels = draw(volume, [*kidneys(), *bodies, (5, ball((60.0, 0.0, 30.0), 3.0)), (5, ball((-60.0, 0.0, 0.0), 3.0))])
    labels[2, 2, 2] = 3
    volume, labels = volume.reordered(order), order.apply(labels)
    findings = findings_of(volume, labels)
    first, second, *others = findings.lesions
    renamed = replace(findings, lesions=(replace(second, id="M1"), replace(first, id="M2"), *others))
    made = result_of(volume, labels, renamed)
    return replace(made, segmentation=made.segmentation.like(renamed))


def bodies_of(read: Result) -> list[tuple[str, str, list[list[int]]]]:
    return [(i.structure.key, i.side.value, i.body.voxels().tolist()) for i in read.segmentation.instances]


@pytest.mark.parametrize("order", ORDERS)
def test_it_brings_the_bodies_back_in_the_order_of_the_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: AxisOrder
) -> None:
    made = result(order)
    made.write(tmp_path)
    monkeypatch.setattr(instances, "find_bodies", lambda *_: pytest.fail("bodies were looked for again"))
    read = Result.read(tmp_path)
    assert bodies_of(read) == bodies_of(made) and len(read.segmentation.instances) == len(made.findings.all) == 7
    assert [structure.key for structure, _ in read.segmentation.specks] == ["mass"]
    numbers = read_image(tmp_path / "instances.nii.gz")
    assert numbers.voxels.dtype == np.uint16
    assert np.bincount(numbers.voxels.ravel())[1:].tolist() == [f.measures.voxels for f in made.findings.all]
    third = numbers.to_lps(np.argwhere(numbers.voxels == 3)).mean(axis=0)
    assert np.allclose(third, made.findings.lesions[0].measures.centroid_lps_mm, atol=0.05)


@pytest.mark.parametrize("change", ["none", "grown", "other structure", "removed"])
def test_one_that_does_not_fit_the_labels_is_left_aside(tmp_path: Path, change: str) -> None:
    made = result(ORDERS[0])
    made.write(tmp_path)
    labels = made.segmentation.labels.copy()
    if change == "none":
        (tmp_path / "instances.nii.gz").unlink()  # a result of an earlier version
    elif change == "grown":
        labels[2:8, 2:8, 2:8] = 4
    else:
        labels[labels == 4] = 3 if change == "other structure" else 0
    write_nifti(tmp_path / "labels.nii.gz", made.image.stored, labels)
    found = {key for key, _, _ in bodies_of(Result.read(tmp_path))}
    assert found == {"kidney_right", "kidney_left", "mass", "stone"} | (
        {"cyst"} if change in ("none", "grown") else set()
    )
    if change == "none":
        assert bodies_of(
            replace(made, segmentation=Result.read(tmp_path).segmentation.like(made.findings))
        ) == bodies_of(made)
