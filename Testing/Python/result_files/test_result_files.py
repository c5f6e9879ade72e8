"""A result folder holds one result: nothing of an earlier exam stays, nothing of somebody else is touched or sent."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interchange_cases import Case, make_case, read
from reporting_cases import findings_of, phantom
from result_cases import result_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import Findings
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.pacs.transfer.belonging import files_to_send
from KidneySegLib.pacs.transfer.outgoing import outgoing_files
from KidneySegLib.reporting.report import write_report
from KidneySegLib.result_files.folder import remove_earlier
from KidneySegLib.result_files.marks import mark_of, result_identity
from KidneySegLib.result_files.names import DICOM_FILES, REPORT_FILES, RESULT_FILES


@pytest.fixture(scope="module")
def exams(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Case]:
    """Two exams on two series, made at different times."""
    one, other = (make_case(tmp_path_factory.mktemp(name)) for name in ("one", "other"))
    later = replace(other.findings.provenance, started_utc="2026-02-02T00:00:00+00:00")
    return one, replace(other, findings=replace(other.findings, provenance=later))


def write_all(case: Case, folder: Path) -> None:
    case.result.write(folder)
    write_report(folder, case.result)
    pdf = (folder / "report.pdf").read_bytes()
    write_dicom_results(folder, case.result, case.series, pdf=pdf)


@pytest.fixture(scope="module")
def written(exams: tuple[Case, Case], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folders = tmp_path_factory.mktemp("first") / "out", tmp_path_factory.mktemp("second") / "out"
    for case, folder in zip(exams, folders, strict=True):
        write_all(case, folder)
    return folders


@pytest.fixture
def out(written: tuple[Path, Path], tmp_path: Path) -> Path:
    """A folder with everything of the first exam."""
    return Path(shutil.copytree(written[0], tmp_path / "out"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_file_is_known_as_ours_and_says_its_result(written: tuple[Path, Path], exams: tuple[Case, Case]) -> None:
    for folder, case in zip(written, exams, strict=True):
        assert names(folder) == sorted([*RESULT_FILES, *REPORT_FILES, *DICOM_FILES])
        marks = {name: mark_of(folder / name) for name in names(folder)}
        own = {name: mark for name, mark in marks.items() if mark}
        assert set(own) == {"findings.json", *REPORT_FILES, *DICOM_FILES} and None not in marks.values()
        assert set(own.values()) == {result_identity(case.findings)}


def test_identity_survives_the_file_and_differs_between_results(exams: tuple[Case, Case]) -> None:
    one, other = (case.findings for case in exams)
    assert result_identity(Findings.from_json(one.to_json())) == result_identity(one) != result_identity(other)
    moved = replace(one.provenance.input, kind="nrrd", source={})
    assert result_identity(replace(one, provenance=replace(one.provenance, input=moved))) == result_identity(one)


def test_a_new_result_takes_everything_of_the_earlier_one_away(out: Path, exams: tuple[Case, Case]) -> None:
    (out / "notes.txt").write_text("mine")
    (out / "mine.seg.dcm").write_bytes((out / DICOM_FILES[0]).read_bytes())
    case = exams[1]
    case.result.write(out)
    assert names(out) == sorted([*RESULT_FILES, "notes.txt", "mine.seg.dcm"])
    assert mark_of(out / "findings.json") == result_identity(case.findings)


def test_files_of_an_older_version_go_too(out: Path, exams: tuple[Case, Case]) -> None:
    for name in REPORT_FILES:
        data = (out / name).read_bytes()
        (out / name).write_bytes(data.replace(b"KidneySeg result ", b"Kidneyseg-result "))
    assert [mark_of(out / name) for name in REPORT_FILES] == ["", ""]
    remove_earlier(out, result_identity(exams[0].findings))
    assert set(REPORT_FILES) <= set(names(out))  # they lie beside the result
    exams[1].result.write(out)
    assert names(out) == sorted(RESULT_FILES)


def test_reports_and_dicom_files_of_two_results_are_not_mixed(
    written: tuple[Path, Path], exams: tuple[Case, Case], tmp_path: Path
) -> None:
    for name in REPORT_FILES:
        shutil.copy(written[0] / name, tmp_path / name)
    case = exams[1]
    write_dicom_results(tmp_path, case.result, case.series)
    assert names(tmp_path) == sorted(DICOM_FILES[:3])
    shutil.copy(written[0] / "report.pdf.dcm", tmp_path / "report.pdf.dcm")
    write_report(tmp_path, case.result)
    assert names(tmp_path) == sorted([*DICOM_FILES[:3], *REPORT_FILES])


def test_the_folder_of_another_result_is_refused(out: Path, exams: tuple[Case, Case]) -> None:
    case = exams[1]
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OutputError, match="another result"):
        write_report(out, case.result)
    with pytest.raises(OutputError, match="another result"):
        write_dicom_results(out, case.result, case.series)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_report_of_another_result_is_not_wrapped(
    written: tuple[Path, Path], exams: tuple[Case, Case], tmp_path: Path
) -> None:
    case, pdf = exams[1], (written[0] / "report.pdf").read_bytes()
    with pytest.raises(InputError, match="another result"):
        write_dicom_results(tmp_path, case.result, case.series, pdf=pdf)


@pytest.mark.parametrize("name", ["labels.nii.gz", "segmentation.seg.nrrd", "measurements.csv", "overview.png"])
def test_files_of_somebody_else_are_not_replaced(exams: tuple[Case, Case], tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match=f"'{name}' that KidneySeg did not write"):
        exams[0].result.write(tmp_path)
    assert names(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"mine"


def test_findings_of_another_program_and_folders_are_not_replaced(exams: tuple[Case, Case], tmp_path: Path) -> None:
    case = exams[0]
    (tmp_path / "findings.json").write_text('{"tool": "another"}')
    (tmp_path / "report.pdf").mkdir()
    with pytest.raises(OutputError, match="'findings.json' that"):
        case.result.write(tmp_path)
    with pytest.raises(OutputError, match="'report.pdf' that"):
        write_report(tmp_path, case.result)
    assert names(tmp_path) == ["findings.json", "report.pdf"]


def test_reports_of_somebody_else_stay_beside_a_result(exams: tuple[Case, Case], tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4 on KidneySeg")
    (tmp_path / "report.html").write_text("<p>I tried KidneySeg.</p>")
    image = read(next(exams[0].series.iterdir()))
    image.save_as(tmp_path / "segmentation.seg.dcm")
    kept = names(tmp_path)
    exams[0].result.write(tmp_path)
    assert names(tmp_path) == sorted([*RESULT_FILES, *kept])


def test_a_label_map_that_a_reader_saved_in_the_result_is_replaced(out: Path, exams: tuple[Case, Case]) -> None:
    (out / "labels.nii.gz").write_bytes(b"saved by another program")
    exams[0].result.write(out)
    assert mark_of(out / "labels.nii.gz") == ""


def test_segment_refuses_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "labels.nii.gz").write_bytes(b"mine")
    run = CliRunner().invoke(app, ["segment", str(tmp_path / "missing"), "-o", str(tmp_path)])
    assert isinstance(run.exception, OutputError) and "did not write" in str(run.exception)


def test_only_what_belongs_to_the_result_is_sent(
    out: Path, written: tuple[Path, Path], exams: tuple[Case, Case]
) -> None:
    own = [out / name for name in DICOM_FILES]
    below = out / "older"
    below.mkdir()
    strangers = [below / "a.dcm", below / "b.dcm", out / "c.dcm", out / "d.dcm", below / "image.dcm"]
    for name, target in zip(DICOM_FILES, strangers[:4], strict=True):
        shutil.copy(written[1] / name, target)
    shutil.copy(next(exams[1].series.iterdir()), strangers[4])
    image = Path(shutil.copy(next(exams[0].series.iterdir()), below / "own.dcm"))
    hidden = out / ".out.partial-1"
    hidden.mkdir()
    shutil.copy(own[0], hidden / "half.dcm")
    sent, left = files_to_send([out])
    assert sorted(sent) == sorted([*own, image]) and sorted(left) == sorted(strangers)
    assert {file.path for file in outgoing_files([out])} == {*own, image}


def test_a_file_that_is_named_is_looked_at_too(out: Path, written: tuple[Path, Path], exams: tuple[Case, Case]) -> None:
    stale = Path(shutil.copy(written[1] / DICOM_FILES[0], out / DICOM_FILES[0]))
    with pytest.raises(InputError, match="another result"):
        outgoing_files([stale])
    image = Path(shutil.copy(next(exams[1].series.iterdir()), out / "image.dcm"))
    assert [file.path for file in outgoing_files([image])] == [image]


def test_objects_without_a_mark_are_judged_by_study_and_series(out: Path, written: tuple[Path, Path]) -> None:
    for folder, expected in ((written[0], True), (written[1], False)):
        for name in DICOM_FILES:
            dataset = read(folder / name)
            del dataset.ContributingEquipmentSequence
            dataset.save_as(out / name)
        sent, left = files_to_send([out])
        assert (len(sent), len(left)) == ((4, 0) if expected else (0, 4))


def test_results_below_one_folder_are_each_looked_at(written: tuple[Path, Path], tmp_path: Path) -> None:
    for folder, name in zip(written, ("a", "b"), strict=True):
        shutil.copytree(folder, tmp_path / name)
    assert [len(files) for files in files_to_send([tmp_path])] == [8, 0]
    os.replace(tmp_path / "a" / "measurements.sr.dcm", tmp_path / "b" / "measurements.sr.dcm")
    assert [len(files) for files in files_to_send([tmp_path])] == [6, 1]


def test_the_image_of_a_picture_comes_back_on_the_scale_that_the_run_found() -> None:
    """Otherwise everything that a reader corrects is measured that much too low."""
    volume, labels = phantom()
    made = result_of(volume, labels, findings_of(volume, labels))
    lower = Exam(volume.like((volume.voxels - 49).astype(np.int16)), units=Units.ESTIMATED_HU)
    image = replace(made, exam=None).with_exam(lower).image
    assert np.array_equal(image.volume.voxels, made.image.volume.voxels)
    with pytest.raises(InputError, match="its densities differ"):
        replace(made, exam=None).with_exam(replace(lower, units=Units.HU))
    other = lower.stored.voxels.copy()
    other[labels == 2] += 5
    with pytest.raises(InputError, match="its densities differ"):
        replace(made, exam=None).with_exam(replace(lower, stored=lower.stored.like(other)))
