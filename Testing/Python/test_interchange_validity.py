"""DICOM results before the judges: dciodvfy (dicom3tools), dicom-validator, dcmtk's readers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from interchange_cases import make_case

from KidneySegLib.interchange.results import write_dicom_results

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
# kinds of series whose headers differ most
SERIES = ("axial", "multi-frame", "multi-frame, all per frame", "no thickness", "negative spacing", "gantry tilt")


@pytest.fixture(scope="module", params=SERIES)
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All DICOM results on a series, in both kinds of segments."""
    folder = tmp_path_factory.mktemp("case")
    case = make_case(folder, request.param)
    result = case.volume, case.labels, case.findings, case.series
    return [
        *write_dicom_results(folder / "structures", *result, pdf=PDF),
        *write_dicom_results(folder / "lesions", *result, per_lesion=True),
    ]


@pytest.fixture(scope="module")
def label_map(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("case")
    case = make_case(folder)
    return write_dicom_results(folder, case.volume, case.labels, case.findings, case.series, labelmap=True)


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


def test_dciodvfy_finds_no_error(files: list[Path]) -> None:
    program = tool("dciodvfy")
    for file in files:
        done = subprocess.run([program, "-new", str(file)], capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).splitlines()
        assert any(line.strip() in ("Segmentation", "Comprehensive3DSR", "EncapsulatedPDF") for line in said)
        assert not [line for line in said if line.startswith("Error")], file.name


def test_dicom_validator_finds_no_error(files: list[Path], label_map: list[Path]) -> None:
    pytest.importorskip("dicom_validator", reason="dicom-validator is not installed here")
    from dicom_validator.spec_reader.edition_reader import EditionReader
    from dicom_validator.validator.dicom_file_validator import DicomFileValidator

    reader = EditionReader()
    editions = [path.parent.name for path in reader.path.glob("*/json") if reader.json_files_exist(path.parent.name)]
    if not editions:
        pytest.skip("dicom-validator has no copy of the DICOM standard here; it downloads one when it is run once")
    information = reader.load_dicom_info(max(editions))
    for file in [*files, *label_map]:
        result = DicomFileValidator(information).validate(str(file))
        assert not [entry for entry in result.values() if entry.errors], file.name


def test_dcmtk_reads_all_files(files: list[Path], label_map: list[Path]) -> None:
    program = tool("dcmdump")
    for file in [*files, *label_map]:
        done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False, errors="replace")
        assert done.returncode == 0 and "SOPInstanceUID" in done.stdout and not done.stderr, done.stderr


def test_dcmtk_understands_the_report(files: list[Path], tmp_path: Path) -> None:
    # not that of a label map segmentation, a SOP class of 2024 that dcmtk up to 3.6.8 refuses in a reference
    program = tool("dsr2html")
    for report in [file for file in files if file.name == "measurements.sr.dcm"]:
        page = tmp_path / "report.html"
        done = subprocess.run([program, str(report), str(page)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stderr, done.stderr
        text = page.read_text(encoding="utf-8", errors="replace")
        assert all(words in text for words in ("Imaging Measurements", "Measurement Group", "C2", "hnsf", "Polyline"))


def test_dcmtk_takes_the_report_out_unchanged(files: list[Path], tmp_path: Path) -> None:
    program = tool("dcm2pdf")
    done = subprocess.run([program, str(files[2]), str(tmp_path / "r.pdf")], capture_output=True, check=False)
    assert done.returncode == 0
    assert (tmp_path / "r.pdf").read_bytes() == PDF
