"""Whole folders: references stay valid, runs agree, names of files tell nothing, nothing is left half-written."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from deidentification_cases import GIVEN, IDENTIFIER, NAME, SECRET, assert_nothing_left, write_ct
from dicom_writing import AXIAL, even_positions, write_series
from PIL import Image, PngImagePlugin
from pydicom import dcmread
from pydicom.dataset import FileDataset
from reporting_cases import findings_of, phantom
from result_cases import result_of

from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import deidentify
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.findings import Findings, InputRecord
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.patient import read_patient
from KidneySegLib.reporting.report import write_report
from KidneySegLib.result_files.names import RESULT_FILES
from KidneySegLib.volume import Volume, read_image

pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")

PERSON = {"PatientName": f"{NAME}^{GIVEN}", "PatientID": IDENTIFIER}
DATES = {
    "StudyDate": "20240301",
    "AcquisitionDate": "20240302",
    "StudyTime": "101500",
    "StudyInstanceUID": "1.2.3.4.5.6",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT series of a named patient with our segmentation, measurements and PDF, and the result folder."""
    folder = tmp_path_factory.mktemp("archive") / f"{NAME}_{GIVEN}"
    image, labels = phantom()
    positions = even_positions(image.origin, AXIAL, 4.0, len(image.voxels))
    write_series(folder / "ct", image.voxels, positions, pixel_spacing=(3.0, 3.0), **PERSON, **DATES)
    acquisition = read_ct(folder / "ct")
    findings = findings_of(acquisition.stored, labels)
    source = {**acquisition.source.to_dict(), "model": f"scanner of {NAME}"}
    record = InputRecord.of(acquisition.stored, "dicom", source)
    findings = Findings.from_json(findings.to_json().replace('"source": {}', f'"source": {json.dumps(record.source)}'))
    result_of(acquisition.stored, labels, findings).write(folder / "result")
    _tell_the_name_in(folder / "result" / "overview.png")
    write_dicom_results(
        folder / "dicom", result_of(acquisition.stored, labels, findings), folder / "ct", pdf=b"%PDF-1.4 x"
    )
    return folder


@pytest.fixture(scope="module")
def copy(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("copies") / "out"
    summary = deidentify(study, output, SECRET, Options(shift_dates=True))
    assert summary.patients == 1
    assert dict(summary.left_out) == {"documents inside DICOM, such as PDF, whose text cannot be cleaned": 1}
    return output


def _tell_the_name_in(picture: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", NAME)
    with Image.open(picture) as image:
        image.load()
        image.save(picture, pnginfo=text)


def datasets(folder: Path) -> Iterator[FileDataset]:
    for path in sorted(folder.rglob("*.dcm")):
        yield dcmread(path)


def of_modality(folder: Path, modality: str) -> list[FileDataset]:
    return [dataset for dataset in datasets(folder) if dataset.Modality == modality]


def reports_of(folder: Path) -> tuple[FileDataset, FileDataset]:
    """Measurements, and diameters for viewers."""
    measurements, diameters = sorted(of_modality(folder, "SR"), key=lambda dataset: int(dataset.SeriesNumber))
    return measurements, diameters


def instance_references(dataset: FileDataset) -> set[str]:
    return {str(item.value) for item in dataset.iterall() if item.keyword == "ReferencedSOPInstanceUID"}


def test_nobody_is_named_in_any_file_or_name(study: Path, copy: Path) -> None:
    files = [path for path in copy.rglob("*") if path.is_file()]
    assert len(files) == 36 + 3 + len(RESULT_FILES)
    for path in files:
        assert_nothing_left(path, [NAME, GIVEN, IDENTIFIER, "20240301", "20240302"])
    old = {str(dataset.SOPInstanceUID) for dataset in datasets(study)}
    old |= {str(dataset[key].value) for dataset in datasets(study) for key in ("StudyInstanceUID", "SeriesInstanceUID")}
    everything = b"".join(path.read_bytes() for path in files)
    assert [uid for uid in old if uid.encode() in everything] == []


def test_reports_never_pass_whether_they_name_the_patient_or_not(study: Path, tmp_path: Path) -> None:
    """In the result folder, alone, under another name, and inside DICOM."""
    volume = read_ct(study / "ct").stored
    findings = Findings.from_json((study / "result" / "findings.json").read_text(encoding="utf-8"))
    labels = read_image(study / "result" / "labels.nii.gz").voxels
    shutil.copytree(study, tmp_path / "archive")
    result, loose = tmp_path / "archive" / "result", tmp_path / "archive" / "loose"
    patient = read_patient(study / "ct", findings.provenance.input.source)
    pdf, page = write_report(result, result_of(volume, labels, findings), patient=patient)
    assert f"{NAME}, {GIVEN}" in page.read_text(encoding="utf-8")
    write_report(loose, result_of(volume, labels, findings))
    for number, file in enumerate((pdf, page)):
        for suffix in (".dcm", ".nii.gz", ".png"):
            shutil.copy(file, loose / f"{number}{suffix}")
    write_dicom_results(result, result_of(volume, labels, findings), study / "ct", pdf=pdf.read_bytes())
    summary = deidentify(tmp_path / "archive", tmp_path / "out", SECRET)
    assert dict(summary.left_out) == {
        "documents inside DICOM, such as PDF, whose text cannot be cleaned": 2,
        "files of other kinds": 2 + 2 + 4,
        "image files that cannot be read as a 3D image": 2,
    }
    names = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.suffix != ".dcm" and path.is_file())
    assert names == sorted(RESULT_FILES)
    for path in (tmp_path / "out").rglob("*.*"):
        assert_nothing_left(path, [NAME, GIVEN, IDENTIFIER])
        assert b"%PDF" not in path.read_bytes()


def test_segmentation_and_measurements_still_refer_to_the_images(copy: Path) -> None:
    import highdicom

    images = of_modality(copy, "CT")
    instances = {str(dataset.SOPInstanceUID) for dataset in images}
    [segmentation], (report, diameters) = of_modality(copy, "SEG"), reports_of(copy)
    assert instance_references(segmentation) and instance_references(segmentation) <= instances
    assert instance_references(report) <= instances | {str(segmentation.SOPInstanceUID)}
    assert str(segmentation.SOPInstanceUID) in instance_references(report)
    assert instance_references(diameters) and instance_references(diameters) <= instances
    for key in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "StudyDate"):
        assert len({str(dataset[key].value) for dataset in [*images, segmentation]}) == 1
    assert len({str(dataset.SeriesInstanceUID) for dataset in images}) == 1
    opened = highdicom.seg.Segmentation.from_dataset(segmentation)
    assert {opened.get_segment_description(n).segment_label for n in opened.segment_numbers} >= {"Left kidney"}
    content = highdicom.sr.Comprehensive3DSR.from_dataset(report).content
    groups = content.get_volumetric_roi_measurement_groups()
    assert groups and all(group.tracking_identifier for group in groups)


def test_measured_values_are_the_same(study: Path, copy: Path) -> None:
    def numbers(folder: Path) -> list[str]:
        found = [item for report in reports_of(folder) for item in report.iterall()]
        return [str(item.value) for item in found if item.keyword == "NumericValue"]

    assert len(numbers(study)) > 20 and numbers(copy) == numbers(study)


def test_dates_keep_their_distance(copy: Path) -> None:
    image = of_modality(copy, "CT")[0]
    study, acquired = (datetime.strptime(image[key].value, "%Y%m%d") for key in ("StudyDate", "AcquisitionDate"))
    assert (acquired - study).days == 1 and 366 <= (datetime(2024, 3, 1) - study).days <= 4018
    assert image.StudyTime == "101500"
    assert image.LongitudinalTemporalInformationModified == "MODIFIED"


def test_the_result_folder_is_complete_and_says_the_same(study: Path, copy: Path) -> None:
    [folder] = {path.parent for path in copy.rglob("findings.json")}
    assert {path.name for path in folder.iterdir()} == {path.name for path in (study / "result").iterdir()}
    old = Findings.from_json((study / "result" / "findings.json").read_text())
    new = Findings.from_json((folder / "findings.json").read_text())
    assert (new.kidneys, new.lesions, new.stones) == (old.kidneys, old.lesions, old.stones)
    source = new.provenance.input.source
    assert source["series_uid"] == of_modality(copy, "CT")[0].SeriesInstanceUID
    assert set(source["sop_instance_uids"]) == {str(dataset.SOPInstanceUID) for dataset in of_modality(copy, "CT")}
    assert (folder / "measurements.csv").read_bytes() == (study / "result" / "measurements.csv").read_bytes()
    before, after = (sitk.ReadImage(str(place / "labels.nii.gz")) for place in (study / "result", folder))
    assert (sitk.GetArrayFromImage(before) == sitk.GetArrayFromImage(after)).all()
    np.testing.assert_allclose(before.GetOrigin(), after.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(before.GetDirection(), after.GetDirection(), atol=1e-6)
    pictures = [np.asarray(Image.open(place / "overview.png")) for place in (study / "result", folder)]
    assert (pictures[0] == pictures[1]).all()


def test_runs_agree_with_the_same_key_and_only_with_it(study: Path, copy: Path, tmp_path: Path) -> None:
    deidentify(study / "ct", tmp_path / "again", SECRET, Options(shift_dates=True))
    deidentify(study / "ct", tmp_path / "other", b"o" * 32, Options(shift_dates=True))
    first = {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*.dcm")}
    again = {path.relative_to(tmp_path / "again"): path.read_bytes() for path in (tmp_path / "again").rglob("*.dcm")}
    assert len(again) == 36 and all(first[name] == data for name, data in again.items())

    def identifiers(folder: Path) -> set[str]:
        keys = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientID")
        return {str(dataset[key].value) for dataset in of_modality(folder, "CT") for key in keys}

    assert not identifiers(copy) & identifiers(tmp_path / "other")
    assert not {path.name for path in copy.rglob("*.dcm")} & {path.name for path in (tmp_path / "other").rglob("*.dcm")}


def test_patients_are_told_apart(tmp_path: Path) -> None:
    for number in (1, 2):
        write_ct(tmp_path / "in" / str(number), 2, PatientID=f"P{number}", PatientName="Same^Name")
    summary = deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert summary.patients == 2 and len(list((tmp_path / "out").iterdir())) == 2


def test_what_cannot_be_cleaned_is_left_out_and_counted(tmp_path: Path) -> None:
    write_ct(tmp_path / "in", 3)
    write_ct(tmp_path / "in" / "capture", 1, BurnedInAnnotation="YES")
    write_ct(tmp_path / "in" / "private", 1, SOPClassUID="1.3.12.2.1107.5.9.1")
    shutil.copy(tmp_path / "in" / "image000.dcm", tmp_path / "in" / "copy.dcm")
    (tmp_path / "in" / "letter.txt").write_text(f"Dear {NAME}")
    (tmp_path / "in" / "broken.nii.gz").write_bytes(b"x")
    (tmp_path / "in" / "empty.dcm").write_bytes(b"")
    summary = deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert summary.files == 3
    assert sorted(summary.left_out.values()) == [1, 1, 1, 1, 2]
    kept = deidentify(tmp_path / "in", tmp_path / "kept", SECRET, Options(keep_captures=True))
    assert (kept.files, kept.may_show_text) == (4, 1)


def test_an_image_file_is_written_anew(tmp_path: Path) -> None:
    volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([1.5, -2.0, 3.0, 1.0]))
    image = volume.to_image()
    image.SetMetaData("patient", NAME)
    sitk.WriteImage(image, str(tmp_path / f"{NAME}.nrrd"))
    sitk.WriteImage(image, str(tmp_path / f"{NAME}.nii"))
    header = bytearray((tmp_path / f"{NAME}.nii").read_bytes())
    header[148 : 148 + len(NAME)] = NAME.encode()  # descrip
    (tmp_path / f"{NAME}.nii").write_bytes(header)
    for name in (f"{NAME}.nrrd", f"{NAME}.nii"):
        assert NAME.encode() in (tmp_path / name).read_bytes()
        deidentify(tmp_path / name, tmp_path / "out", SECRET)
        [path] = (tmp_path / "out").rglob("*.nii.gz")
        image = sitk.ReadImage(str(path))
        assert (sitk.GetArrayFromImage(image) == volume.voxels).all()
        np.testing.assert_allclose(Volume.from_image(image).ijk_to_lps, volume.ijk_to_lps, atol=1e-5)
        assert NAME.encode() not in gzip.decompress(path.read_bytes()) and NAME not in path.name
        shutil.rmtree(tmp_path / "out")


def test_nothing_is_left_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct(tmp_path / "in", 3)
    written = 0

    def full(self: FileDataset, *args: object, **options: object) -> None:
        nonlocal written
        written += 1
        if written == 2:
            raise OSError(28, "No space left on device")
        return save_as(self, *args, **options)

    save_as = FileDataset.save_as
    monkeypatch.setattr(FileDataset, "save_as", full)
    with pytest.raises(OutputError, match="disk has space"):
        deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_image_file_that_a_full_disk_cuts_is_not_called_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ITK writes what fits and says nothing."""
    (tmp_path / "in").mkdir()
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(6000, dtype=np.int16).reshape(10, 20, 30)), tmp_path / "in/a.nii")

    def cut(image: sitk.Image, name: str, packed: bool) -> None:
        write(image, name, packed)
        Path(name).write_bytes(Path(name).read_bytes()[:500])

    write = sitk.WriteImage
    monkeypatch.setattr(sitk, "WriteImage", cut)
    with pytest.raises(OutputError, match="disk has space"):
        deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("output", "word"), [("in/out", "lies in the input"), ("in", "lies in the input"), ("old", "exists")]
)
def test_odd_outputs_are_refused(tmp_path: Path, output: str, word: str) -> None:
    write_ct(tmp_path / "in", 3)
    (tmp_path / "old").mkdir()
    with pytest.raises(OutputError, match=word):
        deidentify(tmp_path / "in", tmp_path / output, SECRET)


def test_a_folder_without_anything_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="Nothing could be"):
        deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy (dicom3tools) is not installed")
def test_copies_are_as_valid_as_the_originals(study: Path, copy: Path) -> None:
    def errors(path: Path) -> set[str]:
        run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True)
        return {line for line in run.stderr.splitlines() if line.startswith("Error")}

    for modality in ("CT", "SEG", "SR"):
        old, new = (
            next(path for path in sorted(folder.rglob("*.dcm")) if dcmread(path).Modality == modality)
            for folder in (study, copy)
        )
        assert errors(new) <= errors(old)


def test_a_result_without_its_images_keeps_no_text_of_their_headers(study: Path, tmp_path: Path) -> None:
    """Nobody can tell whether it names the patient."""
    shutil.copytree(study / "result", tmp_path / "in")
    deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    for path in (tmp_path / "out").rglob("*.*"):
        assert_nothing_left(path, [NAME])
    [file] = (tmp_path / "out").rglob("findings.json")
    source = Findings.from_json(file.read_text(encoding="utf-8")).provenance.input.source
    assert source["modality"] == "CT" and {source[key] for key in ("manufacturer", "model", "kernel", "body_part")} == {
        ""
    }


def test_names_in_the_settings_go_and_a_name_anywhere_else_leaves_the_result_out(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "in")
    file = tmp_path / "in" / "result" / "findings.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["provenance"]["settings"]["labels"] = f"/home/{NAME}/{NAME}.nii.gz"
    file.write_text(json.dumps(values), encoding="utf-8")
    deidentify(tmp_path / "in", tmp_path / "out", SECRET)
    [copy] = (tmp_path / "out").rglob("findings.json")
    assert_nothing_left(copy, [NAME])
    values["provenance"]["device"] = f"computer of {NAME.upper()}"
    file.write_text(json.dumps(values), encoding="utf-8")
    summary = deidentify(tmp_path / "in", tmp_path / "again", SECRET)
    assert summary.left_out["results that hold an identifying value where it cannot be removed"] == 1
    assert not list((tmp_path / "again").rglob("findings.json"))
