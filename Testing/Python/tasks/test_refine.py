"""``kidneyseg refine``: clicks become a new result, measured and told like any correction, and remembered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from reporting_cases import findings_of, oblique, phantom
from result_cases import result_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.measuring.correction import corrections
from KidneySegLib.result_files.result import Result
from KidneySegLib.tasks.refine import CLICKS, PlacedClick
from KidneySegLib.volume import Volume, read_image

CYST_HU = 10


@pytest.fixture(params=[False, True], ids=["straight", "oblique"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path, Volume, np.ndarray]:
    """Image file and result folder of a network that missed a cyst; the image, and the truth."""
    volume, truth = phantom((36, 60, 90), oblique() if request.param else None)
    k, j, i = np.indices(truth.shape)
    cyst = (k - 18) ** 2 + (j - 35) ** 2 + (i - 20) ** 2 <= 16
    truth[cyst] = 4
    voxels = np.array(volume.voxels)
    voxels[cyst] = CYST_HU
    noise = np.random.default_rng(0).normal(0, 8, voxels.shape)
    volume = volume.like(np.where(voxels > -900, voxels + noise, voxels).astype(np.int16))
    labels = np.where(truth == 4, 1, truth).astype(np.uint8)
    sitk.WriteImage(volume.to_image(), str(tmp_path / "image.nii.gz"))
    result_of(volume, labels, findings_of(volume, labels)).write(tmp_path / "network")
    return tmp_path / "image.nii.gz", tmp_path / "network", volume, truth


def call(*arguments: object) -> str:
    run = CliRunner().invoke(app, ["refine", *(str(argument) for argument in arguments), "--progress", "none"])
    if run.exception is not None and not isinstance(run.exception, SystemExit):
        raise run.exception
    assert run.exit_code == 0, run.output
    return run.output


def at(volume: Volume, k: int, j: int, i: int, rest: str) -> str:
    x, y, z = volume.to_lps(np.array([k, j, i]))
    return f"{x:.3f},{y:.3f},{z:.3f},{rest}"


def labels_of(folder: Path) -> np.ndarray:
    return read_image(folder / "labels.nii.gz").voxels


def test_a_click_in_millimetres_finds_the_cyst_and_the_findings_tell_it(case, tmp_path: Path) -> None:
    image, network, volume, truth = case
    said = call(network, "--image", image, "--click", at(volume, 18, 35, 20, "+,cyst"), "-o", tmp_path / "new")
    found = labels_of(tmp_path / "new") == 4
    assert 2 * np.count_nonzero(found & (truth == 4)) / (found.sum() + (truth == 4).sum()) > 0.9
    findings = Result.read(tmp_path / "new").findings
    assert [lesion.id for lesion in findings.lesions] == ["M1", "C1"]
    assert set(corrections(findings)) == {"kidney_right", "cyst"}
    assert findings.lesions[1].measures.volume_ml == pytest.approx(found.sum() * volume.voxel_volume / 1000, rel=0.1)
    assert "Click on cyst (+): +" in said and "C1" in said
    np.testing.assert_array_equal(labels_of(tmp_path / "new") == 3, truth == 3)


def test_voxel_indices_are_the_same_place(case, tmp_path: Path) -> None:
    image, network, volume, _ = case
    call(network, "--image", image, "--click", at(volume, 18, 35, 20, "+,cyst"), "-o", tmp_path / "mm")
    call(network, "--image", image, "--click", "20,35,18,+,cyst", "--voxels", "-o", tmp_path / "voxels")
    np.testing.assert_array_equal(labels_of(tmp_path / "mm"), labels_of(tmp_path / "voxels"))
    assert (labels_of(tmp_path / "mm") == 4).any()


def test_a_corrected_result_goes_on_with_its_clicks(case, tmp_path: Path) -> None:
    image, network, volume, _ = case
    first, second = at(volume, 18, 35, 20, "+,cyst"), at(volume, 18, 35, 72, "-,mass")
    call(network, "--image", image, "--click", first, "--click", second, "-o", tmp_path / "both")
    call(network, "--image", image, "--click", first, "-o", tmp_path / "one")
    with pytest.raises(InputError, match="corrected already"):
        call(tmp_path / "one", "--image", image, "--click", second, "-o", tmp_path / "two")
    call(tmp_path / "one", "--findings", network, "--image", image, "--click", second, "-o", tmp_path / "two")
    np.testing.assert_array_equal(labels_of(tmp_path / "two"), labels_of(tmp_path / "both"))
    assert not (labels_of(tmp_path / "two") == 3).any()
    settings = json.loads((tmp_path / "two" / "findings.json").read_text("utf-8"))["provenance"]["settings"]
    kept = [PlacedClick.parse(text) for text in settings[CLICKS]]
    assert [(click.adds, click.structure.key) for click in kept] == [(True, "cyst"), (False, "mass")]
    np.testing.assert_allclose(
        volume.to_kji(np.array([click.place for click in kept])), [[18, 35, 20], [18, 35, 72]], atol=0.01
    )
    assert set(corrections(Result.read(tmp_path / "two").findings)) == {"kidney_right", "kidney_left", "mass", "cyst"}


def test_a_click_that_changes_nothing_says_so(case, tmp_path: Path) -> None:
    image, network, volume, _ = case
    said = call(network, "--image", image, "--click", at(volume, 18, 35, 72, "+,mass"), "-o", tmp_path / "same")
    assert "Click on solid mass (+): nothing changed" in said
    assert "Click 1 (solid mass) changed nothing: the label map already shows this." in said.replace("Solid", "solid")
    np.testing.assert_array_equal(labels_of(tmp_path / "same"), labels_of(network))
    assert not corrections(Result.read(tmp_path / "same").findings)


def test_a_click_into_air_is_not_followed_and_told(case, tmp_path: Path) -> None:
    image, network, volume, truth = case
    air = np.argwhere(volume.voxels < -900)[0]
    clicks = [at(volume, *air, "+,mass"), at(volume, 18, 35, 20, "+,cyst")]
    said = call(network, "--image", image, "--click", clicks[0], "--click", clicks[1], "-o", tmp_path / "new")
    assert "Click on solid mass (+): nothing changed" in said and "Click on cyst (+): +" in said
    np.testing.assert_array_equal(labels_of(tmp_path / "new") == 3, truth == 3)
    flags = [flag for flag in Result.read(tmp_path / "new").findings.flags if flag.code == "click_changed_nothing"]
    assert [dict(flag.values) for flag in flags] == [{"number": 1, "structure": "mass", "why": "air"}]
    assert flags[0].message == "Click 1 (Solid mass) changed nothing: the place is in air."


@pytest.mark.parametrize(
    ("click", "says"),
    [
        ("1,2,3,mass", "x,y,z,"),
        ("1,2,3,*,mass", "x,y,z,"),
        ("1,2,here,+,mass", "three numbers"),
        ("1,2,3,+,tumour", "kidney_right"),
        ("nan,2,3,+,mass", "three numbers"),
        ("9000,2,3,+,mass", "outside the image"),
    ],
)
def test_other_clicks_are_refused(case, tmp_path: Path, click: str, says: str) -> None:
    image, network, _, _ = case
    with pytest.raises(InputError, match=says):
        call(network, "--image", image, "--click", click, "-o", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_results_compared_are_never_replaced(case) -> None:
    image, network, volume, _ = case
    with pytest.raises(OutputError, match="Choose another folder"):
        call(network, "--image", image, "--click", at(volume, 18, 35, 20, "+,cyst"), "-o", network)
