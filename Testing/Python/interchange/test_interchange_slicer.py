"""A DICOM segmentation in 3D Slicer, as far as slicer-core goes: the steps after dcmqi, which highdicom stands in for.

Slicer's own reading of SEG and SR is Python of the desktop application around dcmqi's programs; neither is in
slicer-core, so what they make of our files is not tested here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from highdicom.seg import segread
from interchange_cases import make_case

from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.volume import Volume


@pytest.mark.parametrize("geometry", ["axial", "feet first", "oblique", "sagittal"])
def test_slicer_puts_every_segment_where_the_finding_is(slicer_python: str, tmp_path: Path, geometry: str) -> None:
    case = make_case(tmp_path / "case", geometry)
    result = case.result, case.series
    segmentation = segread(write_dicom_results(tmp_path / "out", *result, per_lesion=True)[0])
    found = segmentation.get_volume(combine_segments=True)
    grid = Volume(np.ascontiguousarray(found.array, np.uint8), found.affine[:, [2, 1, 0, 3]])
    sitk.WriteImage(grid.to_image(), str(tmp_path / "labels.nrrd"))
    script = Path(__file__).parents[1] / "slicer_reads_label_map.py"
    done = subprocess.run(
        [slicer_python, str(script), str(tmp_path / "labels.nrrd")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    findings = [*case.findings.kidneys, *case.findings.lesions, *case.findings.stones]
    assert len(seen) == len(findings) == len(segmentation.SegmentSequence)
    for number, finding in enumerate(findings, start=1):
        assert seen[str(number)]["voxels"] == finding.measures.voxels
        lps = np.array(seen[str(number)]["centre_ras"]) * (-1, -1, 1)
        np.testing.assert_allclose(lps, finding.measures.centroid_lps_mm, atol=0.05)
