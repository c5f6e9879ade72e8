"""dcmqi, which 3D Slicer reads DICOM results with, as a judge: every voxel, every group, every number."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from interchange_cases import Case, make_case

from KidneySegLib.interchange.measurements import numbers_of
from KidneySegLib.interchange.results import DIAMETERS, MEASUREMENTS, SEGMENTATION, write_dicom_results

NAMES = ["Right kidney", "Left kidney", "M1", "C1", "C2", "S1", "S2"]


def program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip(f"{name} of dcmqi is not installed here (pip install dcmqi)")
    return path


def written(folder: Path, geometry: str) -> Case:
    case = make_case(folder / "case", geometry)
    write_dicom_results(folder, case.result, case.series, per_lesion=True)
    return case


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("geometry", ["axial", "feet first", "oblique", "sagittal", "gantry tilt"])
def test_dcmqi_takes_out_every_segment_voxel_by_voxel(tmp_path: Path, geometry: str) -> None:
    tool = program("segimage2itkimage")
    (tmp_path / "case").mkdir()
    case = written(tmp_path, geometry)
    (tmp_path / "out").mkdir()
    options = ("--outputType", "nrrd", "--prefix", "s")
    run(tool, "--inputDICOM", tmp_path / SEGMENTATION, "--outputDirectory", tmp_path / "out", *options)
    numbers = np.zeros_like(case.labels)
    structures = (1, 2, 3, 4, 4, 5, 5)
    for number, structure in enumerate(structures, start=1):
        image = sitk.ReadImage(str(tmp_path / "out" / f"s-{number}.nrrd"))
        voxels = np.argwhere(sitk.GetArrayFromImage(image) > 0)
        points = np.array([image.TransformContinuousIndexToPhysicalPoint([float(n) for n in v[::-1]]) for v in voxels])
        places = case.volume.to_kji(points)
        assert np.abs(places - np.rint(places)).max() < 0.05
        numbers[tuple(np.rint(places).astype(int).T)] = structure
    assert np.array_equal(numbers, case.labels)


@pytest.mark.parametrize("geometry", ["square pixels", "sagittal"])
def test_dcmqi_reads_all_groups_of_both_reports(tmp_path: Path, geometry: str) -> None:
    tool = program("tid1500reader")
    (tmp_path / "case").mkdir()
    case = written(tmp_path, geometry)
    findings = [*case.findings.kidneys, *case.findings.lesions, *case.findings.stones]
    read = {}
    for name in (MEASUREMENTS, DIAMETERS):
        run(tool, "--inputDICOM", tmp_path / name, "--outputMetadata", tmp_path / "report.json")
        read[name] = json.loads((tmp_path / "report.json").read_text())["Measurements"]
        assert len(read[name]) == len(findings)
    for number, (group, finding) in enumerate(zip(read[MEASUREMENTS], findings, strict=True), start=1):
        assert (group["TrackingIdentifier"], group["ReferencedSegment"]) == (NAMES[number - 1], number)
        values = [float(item["value"]) for item in group["measurementItems"]]
        assert values == pytest.approx([n.value for n in numbers_of(finding)], rel=1e-6)
    for group, finding in zip(read[DIAMETERS], findings, strict=True):
        values = [float(item["value"]) for item in group["measurementItems"][:2]]
        m = finding.measures
        assert values == pytest.approx([m.axial_diameter_mm, m.perpendicular_mm], rel=1e-6)
    identifiers = {name: [group["TrackingUniqueIdentifier"] for group in groups] for name, groups in read.items()}
    assert identifiers[MEASUREMENTS] == identifiers[DIAMETERS]
