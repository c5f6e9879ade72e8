"""The instance map of a result folder tells which voxel belongs to which finding; bodies are not looked for again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from lesion_cases import ball, draw, grid, kidneys
from reporting_cases import findings_of
from result_cases import result_of

from KidneySegLib.errors import InputError
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


@pytest.mark.parametrize("change", ["missing", "cut short", "of floats", "of another exam", "two values per voxel"])
def test_without_a_good_one_the_bodies_are_looked_for_again(tmp_path: Path, change: str) -> None:
    made = result(ORDERS[0])
    made.write(tmp_path)
    path = tmp_path / "instances.nii.gz"
    stored = sitk.ReadImage(str(path))
    if change == "missing":  # a result of an earlier version
        path.unlink()
    elif change == "cut short":
        path.write_bytes(path.read_bytes()[:200])
    elif change == "of floats":
        sitk.WriteImage(sitk.Cast(stored, sitk.sitkFloat32) + 0.4, str(path))
    elif change == "of another exam":
        stored.SetOrigin((0.3, 0.4, 0.5))
        sitk.WriteImage(stored, str(path))
    else:
        sitk.WriteImage(sitk.Compose(stored, stored), str(path))
    assert bodies_of(Result.read(tmp_path)) == bodies_of(made)


@pytest.mark.parametrize("instances_too", [False, True])
@pytest.mark.parametrize("change", ["grown", "other structure", "removed", "added"])
def test_labels_that_were_changed_since_are_refused(tmp_path: Path, change: str, instances_too: bool) -> None:
    """Otherwise a report would list other lesions than its pictures show."""
    made = result(ORDERS[0])
    made.write(tmp_path)
    labels = made.segmentation.labels.copy()
    if change == "added":
        labels[2:8, 2:8, 2:8] = 4
    elif change == "grown":
        k, j, i = np.argwhere(labels == 4)[0]
        labels[k - 1, j, i] = 4
    else:
        labels[labels == 4] = 3 if change == "other structure" else 0
    write_nifti(tmp_path / "labels.nii.gz", made.image.stored, labels)
    if instances_too:
        (tmp_path / "instances.nii.gz").unlink()
    with pytest.raises(InputError, match="Run 'kidneyseg measure'"):
        Result.read(tmp_path)
