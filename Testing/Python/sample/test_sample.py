"""The sample: what is written is what truth.json says, and it is a CT series that can be trusted."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.readers.input import read_input
from KidneySegLib.sample.phantom import Scan, Scanner, acquire, build_phantom
from KidneySegLib.sample.series import PATIENT_NAME, SeriesWriter
from KidneySegLib.sample.tissues import TISSUES, Phase
from KidneySegLib.sample.write import write_sample
from KidneySegLib.volume import Volume, read_image

SLICES, SPACING = 72, 3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "phantom"
    write_sample(path, slices=SLICES, spacing=SPACING)
    return path


@pytest.fixture(scope="module")
def ct(folder: Path) -> Volume:
    return read_input(folder / "series").stored


@pytest.fixture(scope="module")
def labels(folder: Path) -> Volume:
    return read_image(folder / "truth.nii.gz")


@pytest.fixture(scope="module")
def objects(folder: Path) -> dict[str, dict]:
    return {entry["key"]: entry for entry in json.loads((folder / "truth.json").read_text())["objects"]}


def inner(labels: Volume, label: int) -> np.ndarray:
    """The voxels of a label at least two pixels inside."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(labels.voxels == label, np.ones((1, 3, 3)), iterations=2)


def test_series_reads_back_on_the_grid_of_the_labels(folder: Path, ct: Volume, labels: Volume):
    assert ct.voxels.shape == labels.voxels.shape == (SLICES, 512, 512)
    assert np.allclose(ct.ijk_to_lps, labels.ijk_to_lps, atol=1e-3)
    assert ct.spacing == pytest.approx((0.8, 0.8, SPACING))
    assert not read_input(folder / "series").flags, "a clean series gives no cause for remarks"
    assert sorted(p.name for p in folder.iterdir()) == ["series", "truth.json", "truth.nii.gz"]


def test_truth_agrees_with_the_label_map(labels: Volume, objects: dict):
    assert list(objects) == ["kidney_right", "kidney_left", "mass", "cyst", "stone"]
    for key, bound in (("kidney_right", 1e-4), ("kidney_left", 1e-4), ("mass", 0.01), ("cyst", 0.02), ("stone", 0.2)):
        counted = (labels.voxels == objects[key]["label"]).sum() * labels.voxel_volume / 1000
        assert counted == pytest.approx(objects[key]["volume_ml"], rel=bound), key
    for key in objects:
        centre = labels.to_lps(np.argwhere(labels.voxels == objects[key]["label"])).mean(axis=0)
        assert centre == pytest.approx(objects[key]["centre_lps_mm"], abs=0.8), key


def test_true_sizes_are_those_of_a_patient(objects: dict):
    for side in ("right", "left"):
        kidney = objects[f"kidney_{side}"]
        assert 100 < kidney["volume_ml"] < 190
        assert 98 < kidney["max_3d_diameter_mm"] < 122
        assert 40 < kidney["max_axial_diameter_mm"] < 65
    assert objects["mass"]["volume_ml"] == pytest.approx(4 / 3 * np.pi * 19 * 18.5 * 20.5 / 1000, abs=1e-4)
    assert objects["mass"]["max_3d_diameter_mm"] == 41.0
    assert objects["cyst"]["max_3d_diameter_mm"] == 25.0
    assert objects["stone"]["max_3d_diameter_mm"] == 8.4
    for key in ("mass", "cyst", "stone"):
        assert objects[key]["max_axial_diameter_mm"] <= objects[key]["max_3d_diameter_mm"]


def test_right_is_the_patients_right(ct: Volume, labels: Volume, objects: dict):
    """In LPS the patient's right has negative x; the liver lies there and the spleen opposite."""
    for side, sign in (("right", -1), ("left", 1)):
        points = labels.to_lps(np.argwhere(labels.voxels == objects[f"kidney_{side}"]["label"]))
        assert (sign * points[:, 0] > 20).all()
    assert objects["kidney_right"]["centre_lps_mm"][2] < objects["kidney_left"]["centre_lps_mm"][2]
    assert (objects["mass"]["side"], objects["cyst"]["side"], objects["stone"]["side"]) == ("left", "right", "right")
    k, j, i = np.rint(ct.to_kji(np.array([-90.0, -10.0, 85.0]))).astype(int)
    assert ct.voxels[k, j - 6 : j + 6, i - 6 : i + 6].mean() == pytest.approx(60, abs=5)


def test_tissues_have_their_hounsfield_units(ct: Volume, labels: Volume):
    def mean(label: int) -> float:
        return float(ct.voxels[inner(labels, label)].mean())

    def at(x: float, y: float, z: float, reach: int = 4) -> float:
        k, j, i = np.rint(ct.to_kji(np.array([x, y, z]))).astype(int)
        return float(ct.voxels[k, j - reach : j + reach + 1, i - reach : i + reach + 1].mean())

    assert mean(1) == pytest.approx(32, abs=3) and mean(2) == pytest.approx(32, abs=3)
    assert mean(3) == pytest.approx(40, abs=4)
    assert mean(4) == pytest.approx(8, abs=4)
    assert ct.voxels[labels.voxels == 5].max() > 800
    assert at(-36, 0, -35) == pytest.approx(55, abs=8), "psoas"
    levels = [at(0, 0, 33.0 * level, reach=9) for level in range(-2, 4)]
    assert np.mean(levels) == pytest.approx(180, abs=20), "vertebral bodies, coarse-grained"
    assert at(0, -118, 20, reach=2) == pytest.approx(-102, abs=15), "subcutaneous fat"
    assert at(180, -150, 20) == pytest.approx(-1000, abs=5), "air beside the patient"


def test_kidneys_lie_in_fat_and_stone_in_the_kidney(ct: Volume, labels: Volume):
    from scipy.ndimage import binary_dilation

    plane = np.ones((1, 3, 3), bool)
    stone = labels.voxels == 5
    shell = binary_dilation(stone, plane, iterations=12) & ~stone
    assert np.isin(labels.voxels[shell], (0, 1)).all() and (labels.voxels[shell] == 1).mean() > 0.6
    organ = labels.voxels == 1
    around = binary_dilation(organ, plane, iterations=6) & ~binary_dilation(labels.voxels > 0, plane, iterations=3)
    assert (ct.voxels[around] < -50).mean() > 0.75


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others():
    scan = Scan(6, 40.0)
    first, again, other = (
        list(itertools.islice(acquire(build_phantom(Phase.NON_CONTRAST, seed), scan, seed), 3)) for seed in (5, 5, 6)
    )
    for (hu, plane), (hu_again, plane_again) in zip(first, again, strict=True):
        assert np.array_equal(hu, hu_again) and np.array_equal(plane, plane_again)
    assert not np.array_equal(first[2][0], other[2][0])


def test_slices_do_not_depend_on_how_many_are_rendered_together(monkeypatch: pytest.MonkeyPatch):
    from KidneySegLib.sample import phantom

    scan, patient = Scan(4, 60.0), build_phantom(Phase.NON_CONTRAST, 0)
    together = [hu for hu, _ in acquire(patient, scan, 0)]
    monkeypatch.setattr(phantom, "SLAB", 1)
    singly = [hu for hu, _ in acquire(patient, scan, 0)]
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(together, singly, strict=True))


def test_nephrographic_phase_enhances():
    patient = build_phantom(Phase.NEPHROGRAPHIC, 0)
    scan = Scan(5, 16.0)
    planes = list(acquire(patient, scan, 0))
    hu, labels = (np.stack(parts) for parts in zip(*planes, strict=True))
    inside = inner(Volume(labels, scan.ijk_to_lps), 2)
    # the median: the label holds the collecting system too
    assert np.median(hu[inside]) == pytest.approx(TISSUES[Phase.NEPHROGRAPHIC].kidney, abs=3)


def test_noise_has_the_stated_level_and_is_correlated():
    scanner = Scanner((256, 256), 0.8, seed=1)
    flat = scanner.acquire(np.full((256, 256), 50, np.float32), 0).astype(float)
    centre = flat[96:160, 96:160]
    assert centre.mean() == pytest.approx(50, abs=1)
    assert centre.std() == pytest.approx(12.2, abs=1.5)
    neighbours = np.corrcoef(centre[:, :-1].ravel(), centre[:, 1:].ravel())[0, 1]
    assert 0.2 < neighbours < 0.8


def test_dicom_attributes_of_two_samples(tmp_path: Path):
    import pydicom

    series = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        writer = SeriesWriter(tmp_path / name, Scan(100, 2.5), Phase.NEPHROGRAPHIC)
        for number in (0, 1):
            writer.write(number, np.full((512, 512), -1024 + number, np.int16))
        series.append([pydicom.dcmread(path) for path in sorted((tmp_path / name).iterdir())])
    everything = [ds for part in series for ds in part]
    assert len({ds.SOPInstanceUID for ds in everything}) == 4
    assert [len({ds[tag].value for ds in everything}) for tag in ("StudyInstanceUID", "SeriesInstanceUID")] == [2, 2]
    assert all(str(ds.SOPInstanceUID).startswith("2.25.") for ds in everything)
    upper, lower = series[0]
    assert upper.InstanceNumber == 99 and lower.InstanceNumber == 100
    assert upper.ImagePositionPatient[2] - lower.ImagePositionPatient[2] == pytest.approx(2.5)
    assert (upper.pixel_array == 1).all() and (lower.pixel_array == 0).all()
    assert str(upper.PatientName) == PATIENT_NAME and upper.PatientPosition == "HFS"
    assert upper.Modality == "CT" and upper.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert upper.ContrastBolusAgent == "Iodine"


def test_impossible_scans_and_taken_folders_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="100 mm"):
        write_sample(tmp_path / "short", slices=50, spacing=2.0)
    with pytest.raises(InputError, match="600 mm"):
        write_sample(tmp_path / "long", slices=300, spacing=2.0)
    (tmp_path / "taken" / "series").mkdir(parents=True)
    with pytest.raises(OutputError, match="already holds"):
        write_sample(tmp_path / "taken")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_sample(tmp_path / "file" / "sample")


def test_a_stopped_run_leaves_nothing(tmp_path: Path):
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "sample", progress=stop)
    assert list((tmp_path / "sample").iterdir()) == []


def test_the_command_shows_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(folder: Path, *, seed: int, progress: Callable[[float], None]) -> None:
        for done in (0.5, 1.0):
            progress(done)

    monkeypatch.setattr("KidneySegLib.sample.write.write_sample", write)
    run = CliRunner().invoke(app, ["sample", str(tmp_path), "--progress", "json"])
    lines = [json.loads(line) for line in run.output.splitlines()]
    assert [line["fraction"] for line in lines] == [0.0, 0.5, 1.0] and {line["stage"] for line in lines} == {"sample"}
