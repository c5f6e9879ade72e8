"""DICOM results before the judges: dciodvfy (dicom3tools), dicom-validator, dcmtk's readers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from interchange_cases import make_case, read
from pydicom.dataset import Dataset

from KidneySegLib.interchange.results import write_dicom_results

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
# kinds of series whose headers differ most
SERIES = ("axial", "multi-frame", "multi-frame, all per frame", "no thickness", "negative spacing", "gantry tilt")
# the first number of a report stands in its image library
NUMBER = "ContentSequence/" * 4 + "MeasuredValueSequence/NumericValue"
# file, attribute, what is put in its place (nothing: it is removed), what the judge has to say
DAMAGES = (
    (0, "SegmentationType", None, "segmentation-image: SegmentationType TagMissing"),
    (0, "ContentLabel", "", "segmentation-image: ContentLabel TagEmpty"),
    (0, "SegmentSequence", [], "segmentation-image: SegmentSequence TagEmpty"),
    (0, "SegmentLabel", None, "segmentation-image: SegmentSequence/SegmentLabel TagMissing"),
    (
        0,
        "ReferencedSegmentNumber",
        None,
        "SegmentIdentificationSequence: "
        "PerFrameFunctionalGroupsSequence/SegmentIdentificationSequence/ReferencedSegmentNumber TagMissing",
    ),
    (1, "CompletionFlag", None, "sr-document-general: CompletionFlag TagMissing"),
    (1, "TextValue", "", "sr-document-content: ContentSequence/TextValue TagEmpty"),
    (1, "NumericValue", None, f"sr-document-content: {NUMBER} TagMissing"),
    (3, "MIMETypeOfEncapsulatedDocument", None, "encapsulated-document: MIMETypeOfEncapsulatedDocument TagMissing"),
    (3, "BurnedInAnnotation", "", "encapsulated-document: BurnedInAnnotation TagEmpty"),
)


@pytest.fixture(scope="module", params=SERIES)
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All DICOM results on a series, in both kinds of segments."""
    folder = tmp_path_factory.mktemp("case")
    case = make_case(folder, request.param)
    result = case.result, case.series
    return [
        *write_dicom_results(folder / "structures", *result, pdf=PDF),
        *write_dicom_results(folder / "lesions", *result, per_lesion=True),
    ]


@pytest.fixture(scope="module")
def label_map(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("case")
    case = make_case(folder)
    return write_dicom_results(folder, case.result, case.series, labelmap=True)


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


def faults(dataset: Dataset) -> list[str]:
    pytest.importorskip("dicom_validator", reason="dicom-validator is not installed here")
    pytest.importorskip("highdicom._standard_utils", reason="highdicom before 0.28 keeps its tables elsewhere")
    import validator_tables

    return validator_tables.faults(dataset)


def holder(dataset: Dataset, keyword: str) -> Dataset | None:
    """The first data set, at any depth, that has an attribute."""
    if keyword in dataset:
        return dataset
    items = [item for element in dataset if element.VR == "SQ" for item in element.value]
    return next((found for item in items if (found := holder(item, keyword)) is not None), None)


def test_dicom_validator_finds_no_error_by_the_tables_of_highdicom(files: list[Path], label_map: list[Path]) -> None:
    for file in [*files, *label_map]:
        assert faults(read(file)) == [], file.name


@pytest.mark.parametrize("files", ["axial"], indirect=True)
@pytest.mark.parametrize(("number", "keyword", "value", "said"), DAMAGES, ids=[damage[1] for damage in DAMAGES])
def test_dicom_validator_finds_a_damage_by_the_tables_of_highdicom(
    files: list[Path], number: int, keyword: str, value: object, said: str
) -> None:
    dataset = read(files[number])
    place = holder(dataset, keyword)
    assert place is not None
    if value is None:
        del place[keyword]
    else:
        place[keyword].value = value
    assert faults(dataset) == [said]


@pytest.mark.parametrize("files", ["axial"], indirect=True)
def test_dicom_validator_finds_what_does_not_belong_there_by_the_tables_of_highdicom(files: list[Path]) -> None:
    segmentation, report = map(read, files[:2])
    segmentation.EchoTime = 3
    # a code and a text in one content item
    holder(report, "ConceptCodeSequence").TextValue = "kidney"
    assert faults(segmentation) == ["General: EchoTime TagUnexpected"]
    assert faults(report) == ["sr-document-content: ContentSequence/TextValue TagNotAllowed"]


def test_dicom_validator_finds_no_error_by_the_standard(files: list[Path], label_map: list[Path]) -> None:
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
    for report in [file for file in files if file.name.endswith(".sr.dcm")]:
        page = tmp_path / "report.html"
        done = subprocess.run([program, str(report), str(page)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stderr, done.stderr
        text = page.read_text(encoding="utf-8", errors="replace")
        assert all(words in text for words in ("Imaging Measurements", "Measurement Group", "C2", "mm", "Polyline"))
        assert ("hnsf" in text) == (report.name == "measurements.sr.dcm")


def test_dcmtk_takes_the_report_out_unchanged(files: list[Path], tmp_path: Path) -> None:
    program = tool("dcm2pdf")
    done = subprocess.run([program, str(files[3]), str(tmp_path / "r.pdf")], capture_output=True, check=False)
    assert done.returncode == 0
    assert (tmp_path / "r.pdf").read_bytes() == PDF
