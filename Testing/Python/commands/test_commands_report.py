"""``kidneyseg report``: from a result folder and its image to the two files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import AXIAL, write_field, write_series
from interchange_cases import PIXEL, SHAPE, Case, body, read, result_on, stack
from PIL import Image
from prior_cases import grown_prior
from report_cases import Written
from reporting_cases import findings_of
from result_cases import result_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.volume import Volume


def image_with_body(volume: Volume) -> Volume:
    """The same grid with the range of values of a CT."""
    voxels = np.array(volume.voxels)
    voxels[:, :4] = -1000
    voxels[:, -4:-2, :4] = 900
    return volume.like(voxels)


@pytest.fixture(scope="module")
def exams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Image files ``now.nii.gz``, ``prior.nii.gz`` and result folders ``now``, ``prior``."""
    folder = tmp_path_factory.mktemp("exams")
    volume, labels, _, prior = grown_prior()
    volume = image_with_body(volume)
    for name, drawn in (("now", labels), ("prior", prior.labels.voxels)):
        sitk.WriteImage(volume.to_image(), str(folder / f"{name}.nii.gz"))
        result_of(volume, drawn, findings_of(volume, drawn)).write(folder / name)
    return folder


def call(*arguments: object) -> str:
    run = CliRunner().invoke(app, ["report", *(str(argument) for argument in arguments)])
    if run.exception is not None and not isinstance(run.exception, SystemExit):
        raise run.exception
    assert run.exit_code == 0, run.output
    return run.output


def test_a_result_becomes_a_report(exams: Path, tmp_path: Path) -> None:
    said = call(exams / "now", "--image", exams / "now.nii.gz", "-o", tmp_path / "out", "--header", "House")
    assert said.strip() == "Wrote report.pdf and report.html."
    text = Written(tmp_path / "out").text
    assert "House" in text and "M1" in text and "Change since" not in text


@pytest.mark.parametrize("interval", [["--days", "100"], ["--prior-date", "2026-01-01", "--date", "2026-04-11"]])
def test_a_prior_result_is_compared(exams: Path, tmp_path: Path, interval: list[str]) -> None:
    options = ["--image", exams / "now.nii.gz", "--prior", exams / "prior", "-o", tmp_path / "out"]
    call(exams / "now", *options, *interval, "--language", "es")
    text = Written(tmp_path / "out").text
    assert "Cambio desde el estudio previo, 100 días" in text and "2026-0" not in text


def test_files_come_into_the_result_folder(exams: Path) -> None:
    call(exams / "now", "--image", exams / "now.nii.gz")
    assert (exams / "now" / "report.pdf").is_file() and (exams / "now" / "labels.nii.gz").is_file()


def with_shift(volume: Volume, mm: float) -> Volume:
    matrix = np.array(volume.ijk_to_lps)
    matrix[0, 3] += mm
    return Volume(volume.voxels, matrix)


def test_another_image_is_refused(exams: Path, tmp_path: Path) -> None:
    volume, *_ = grown_prior()
    volume = image_with_body(volume)
    denser = np.where(volume.voxels == 30, 60, volume.voxels).astype(np.int16)
    others = {
        "size": (volume.crop((slice(1, None), slice(None), slice(None))), InputError, "another size"),
        "place": (with_shift(volume, 1.0), GeometryError, "does not lie on the image's voxels"),
        "phase": (volume.like(denser), InputError, "its densities differ"),
    }
    for name, (other, error, words) in others.items():
        sitk.WriteImage(other.to_image(), str(tmp_path / f"{name}.nii.gz"))
        with pytest.raises(error, match=words):
            call(exams / "now", "--image", tmp_path / f"{name}.nii.gz", "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_labels_that_were_changed_are_refused(exams: Path, tmp_path: Path) -> None:
    volume, labels, findings, _ = grown_prior()
    volume = image_with_body(volume)
    result_of(volume, np.where(labels == 3, 1, labels).astype(np.uint8), findings).write(tmp_path / "result")
    with pytest.raises(InputError, match="kidneyseg measure"):
        call(tmp_path / "result", "--image", exams / "now.nii.gz")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--days", "3"], "add --prior"),
        (["--prior", "prior", "--date", "2026-01-01"], "Both dates"),
        (["--prior", "prior", "--prior-date", "01.02.2026", "--date", "2026-03-01"], "YYYY-MM-DD"),
        (["--prior", "prior", "--prior-date", "2026-01-01", "--date", "2026-03-01", "--days", "5"], "either"),
        (["--prior", "prior", "--prior-date", "2026-03-01", "--date", "2026-01-01"], "older"),
        (["--prior", "nowhere"], "not a complete result"),
        (["--language", "de"], "en, es, tr"),
    ],
)
def test_wrong_options_are_refused(
    exams: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(exams)
    with pytest.raises(InputError, match=words):
        call("now", "--image", "now.nii.gz", "-o", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_segment_writes_the_report_along(tmp_path: Path) -> None:
    grey = np.full((96, 96), 90, np.uint8)
    grey[30:60, 20:40] = 140
    grey += np.random.default_rng(0).integers(0, 16, grey.shape, dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "slice.png")
    arguments = ["segment", str(tmp_path / "slice.png"), "--task", "ct-slice", "--pixel-mm", "3", "--language", "tr"]
    refused = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out")])
    assert isinstance(refused.exception, InputError) and "add --report" in str(refused.exception)
    run = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out"), "--report", "--progress", "none"])
    assert run.exit_code == 0, run.output
    assert "Yoğunluğu bilinmeyen resim, 96 × 96 piksel" in Written(tmp_path / "out").text
    assert (tmp_path / "out" / "findings.json").is_file()
    # and again from the result and its picture
    call(tmp_path / "out", "--image", tmp_path / "slice.png", "-o", tmp_path / "again", "--language", "tr")
    again, first = (Written(tmp_path / name).html.text for name in ("again", "out"))
    assert again == first


PERSON = {
    "SpecificCharacterSet": "ISO_IR 148",
    "PatientName": "Öztürk^Gül",
    "PatientID": "TELLING-1",
    "PatientBirthDate": "19600503",
    "PatientSex": "F",
    "StudyDate": "20260607",
    "AccessionNumber": "TELLING-2",
}
TELLING = ("Öztürk", "TELLING", "19600503", "20260607", "1960", "Haziran")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A series of a patient with a name, and a result folder ``result`` beside it."""
    folder = tmp_path_factory.mktemp("named")
    attributes = {"field": body, "pixel_spacing": PIXEL, "shape": SHAPE, **PERSON}
    write_field(folder / "series", stack(AXIAL), **attributes)
    case = result_on(folder / "series")
    case.result.write(folder / "result")
    return case


def test_an_identified_report_names_the_patient_of_the_series(named: Case, tmp_path: Path) -> None:
    result = named.series.parent / "result"
    options = ["--image", named.series, "--language", "tr", "-o", tmp_path / "out"]
    assert call(result, *options, "--identified").endswith("They name the patient.\n")
    report = Written(tmp_path / "out")
    for text in (report.text, report.html.text):
        assert "Öztürk, Gül; hasta no TELLING-1; doğum tarihi 3 Mayıs 1960; kadın" in text
        assert "7 Haziran 2026" in text and "TELLING-2" in text
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.html", "report.pdf"]
    call(result, *options)
    raw = (tmp_path / "out" / "report.html").read_text(encoding="utf-8") + report.text + str(report.pdf.metadata)
    assert "Kimliksizleştirilmiştir" in raw and not [word for word in TELLING if word in raw]


def test_an_identified_report_needs_the_headers_of_the_series(named: Case, exams: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--identified needs a DICOM series"):
        call(exams / "now", "--image", exams / "now.nii.gz", "--identified", "-o", tmp_path / "out")
    sitk.WriteImage(named.volume.to_image(), str(tmp_path / "image.nii.gz"))
    result = named.series.parent / "result"
    with pytest.raises(InputError, match="--identified needs a DICOM series"):
        call(result, "--image", tmp_path / "image.nii.gz", "--identified", "-o", tmp_path / "out")
    write_field(tmp_path / "other", stack(AXIAL), field=body, pixel_spacing=PIXEL, shape=SHAPE, PatientName="Other^One")
    with pytest.raises(InputError, match="are missing|another series"):
        call(result, "--image", tmp_path / "other", "--identified", "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def write_slice(folder: Path, **attributes: object) -> Path:
    image = np.full((96, 96), 0)
    image[30:60, 20:40] = 60
    return write_series(folder, [image], [np.zeros(3)], pixel_spacing=(3.0, 3.0), **{**PERSON, **attributes})[0]


def segment(source: Path, output: Path, *options: str) -> str:
    arguments = ["segment", str(source), "--task", "ct-slice", "--progress", "none", "-o", str(output), *options]
    run = CliRunner().invoke(app, arguments)
    if run.exception is not None:
        raise run.exception
    return run.output


def test_segment_names_the_patient_in_the_report_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    source = write_slice(tmp_path / "in")
    said = segment(source, tmp_path / "out", "--report", "--identified", "--dicom")
    assert "Öztürk, Gül; patient ID TELLING-1" in Written(tmp_path / "out").text
    pdf = bytes(read(tmp_path / "out" / "report.pdf.dcm").EncapsulatedDocument)
    assert pdf.rstrip(b"\0") == (tmp_path / "out" / "report.pdf").read_bytes().rstrip(b"\0")
    others = [path for path in (tmp_path / "out").iterdir() if path.suffix in (".json", ".csv", ".gz", ".nrrd", ".png")]
    assert len(others) >= 4
    told = said + caplog.text + "".join(path.name for path in (tmp_path / "out").iterdir())
    told += "".join(path.read_bytes().decode("latin-1") for path in others)
    assert not [word for word in TELLING if word in told or word.encode().decode("latin-1") in told]


def test_segment_names_nobody_unless_asked(tmp_path: Path) -> None:
    segment(write_slice(tmp_path / "in"), tmp_path / "out", "--report")
    report = Written(tmp_path / "out")
    assert "De-identified" in report.text and "De-identified" in report.html.text
    assert not [word for word in TELLING if word in report.text + report.html.text + str(report.pdf.metadata)]


def test_a_report_made_later_is_the_one_that_segment_wrote(tmp_path: Path) -> None:
    source = write_slice(tmp_path / "in")
    segment(source, tmp_path / "out", "--report")
    call(tmp_path / "out", "--image", source, "-o", tmp_path / "later")
    for name in ("report.pdf", "report.html"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "later" / name).read_bytes()


def test_segment_refuses_to_name_whom_it_does_not_know(tmp_path: Path) -> None:
    nobody = write_slice(tmp_path / "nobody", PatientName="", PatientID="")
    with pytest.raises(InputError, match="neither name nor number"):
        segment(nobody, tmp_path / "out", "--report", "--identified")
    with pytest.raises(InputError, match="add --report"):
        segment(write_slice(tmp_path / "in"), tmp_path / "out", "--identified")
    Image.fromarray(np.full((96, 96), 90, np.uint8)).save(tmp_path / "slice.png")
    with pytest.raises(InputError, match="--identified needs a DICOM series"):
        segment(tmp_path / "slice.png", tmp_path / "out", "--pixel-mm", "3", "--report", "--identified")
    assert not (tmp_path / "out").exists()
