"""The comparison of recordings: what must count, what must not, on records made here."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from Golden import compare
from Golden.command_line import CommandLine
from Golden.compare import Comparison, compare_recordings
from Golden.correction import CYST, correct
from Golden.dicom_decoding import UidNames, decode_dicom
from Golden.differences import Kind
from Golden.exams import Exam, is_chosen
from Golden.record import record_exam
from Golden.recording import Record, write_record
from Golden.text_decoding import html_text
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

EXAM, LABELS = "ct/validation/C2", "segment/labels.nii.gz"
FLAG = {"code": "noise", "severity": "warning", "message": "The image is noisy (about 33 HU)."}
REPORT = {"": ["30 November 2026, KidneySeg 0.1.0"], "Observaciones": ["Revisar | Hay ruido (33 HU)."]}


def record() -> Record:
    """One exam: 200,000 voxels of which 1,000 are a kidney."""
    labels = np.zeros((20, 100, 100), np.uint8)
    labels[5, :10] = 1
    findings = {
        "kidneys": [{"side": "right", "volume_ml": 143.126}],
        "flags": [FLAG],
        "provenance": {"started_utc": "2026-11-30T08:02:53+00:00", "seconds": {"read": 0.4}, "device": "cpu"},
    }
    data = {
        "commands": {"segment": {"exit code": 0, "printed": ["Right kidney: 143 ml", "[warning] The image is noisy."]}},
        "segment": {
            "findings.json": findings,
            "report.html": REPORT,
            "measurements.sr.dcm": {"Content": [{"NumericValue": "143.126", "CodeMeaning": "Volume"}]},
        },
    }
    return Record(copy.deepcopy(data), {LABELS: labels})


def compared(folder: Path, change: Callable[[Record], None], allowed: float = 0.0) -> Comparison:
    """Writes the exam as it is and changed, and compares the two recordings."""
    changed = record()
    change(changed)
    write_record(folder / "before" / EXAM, record())
    write_record(folder / "after" / EXAM, changed)
    (comparison,) = compare_recordings(folder / "before", folder / "after", (), allowed)
    return comparison


def findings_of(made: Record) -> dict[str, Any]:
    return made.data["segment"]["findings.json"]


def kinds(comparison: Comparison) -> list[Kind]:
    return [item.kind for item in comparison.faults]


def test_the_same_later_by_a_newer_version_is_equal(tmp_path: Path) -> None:
    def later(made: Record) -> None:
        findings_of(made)["provenance"] |= {"started_utc": "2027-01-02T09:00:00+00:00", "seconds": {"read": 0.1}}
        made.data["segment"]["report.html"][""] = ["2 January 2027, KidneySeg 0.2.0"]

    assert compared(tmp_path, later).is_equal


def test_a_measure_counts_to_the_last_digit(tmp_path: Path) -> None:
    def change(made: Record) -> None:
        findings_of(made)["kidneys"][0]["volume_ml"] = 143.127

    (fault,) = compared(tmp_path, change, allowed=1).faults
    assert (fault.kind, fault.place) == (Kind.MEASURE, "segment/findings.json/kidneys/0/volume_ml")
    assert (fault.before, fault.after) == ("143.126", "143.127")


def test_flags_count_by_code_severity_and_wording(tmp_path: Path) -> None:
    def other_words(made: Record) -> None:
        findings_of(made)["flags"] = [{**FLAG, "message": "The image has noise (about 33 HU)."}]
        made.data["commands"]["segment"]["printed"][1] = "[warning] The image has noise."
        made.data["segment"]["report.html"]["Observaciones"] = ["Revisar | La imagen tiene ruido (33 HU)."]

    def other_code(made: Record) -> None:
        findings_of(made)["flags"] = [{**FLAG, "code": "noisy"}]

    def milder(made: Record) -> None:
        findings_of(made)["flags"] = [{**FLAG, "severity": "info"}]

    def values_for_words(made: Record) -> None:
        findings_of(made)["flags"] = [{"code": "noise", "severity": "warning", "values": {"noise_hu": 33}}]

    assert kinds(compared(tmp_path / "1", other_words)) == [Kind.WORDING] * 3
    assert kinds(compared(tmp_path / "2", other_code)) == [Kind.FLAG] * 2
    assert kinds(compared(tmp_path / "3", milder)) == [Kind.FLAG] * 2
    assert compared(tmp_path / "4", values_for_words).is_equal


def test_moved_voxels_are_counted_per_label_and_allowed_up_to_a_share(tmp_path: Path) -> None:
    def move(made: Record, count: int) -> None:
        made.voxels[LABELS][6, 0, :count] = 2

    strict = compared(tmp_path / "1", lambda made: move(made, 2))
    assert [(item.moved, item.total, item.labelled, item.per_label) for item in strict.voxels] == [
        (2, 200_000, 1_002, {2: 2})
    ]
    assert kinds(strict) == [Kind.VOXELS]
    assert compared(tmp_path / "2", lambda made: move(made, 2), allowed=1).faults == ()
    assert kinds(compared(tmp_path / "3", lambda made: move(made, 3), allowed=1)) == [Kind.VOXELS]


def test_numbers_follow_an_allowed_voxel_and_words_do_not(tmp_path: Path) -> None:
    def change(made: Record) -> None:
        made.voxels[LABELS][6, 0, 0] = 1
        findings_of(made)["kidneys"][0]["volume_ml"] = 143.13
        made.data["segment"]["measurements.sr.dcm"]["Content"][0] = {"NumericValue": "143.13", "CodeMeaning": "Size"}
        findings_of(made)["flags"] = []

    comparison = compared(tmp_path, change, allowed=1)
    assert {item.kind for item in comparison.follows} == {Kind.MEASURE, Kind.DICOM}
    assert sorted(kinds(comparison)) == sorted([Kind.DICOM, Kind.FLAG])


def test_a_lost_exam_file_line_and_array_count(tmp_path: Path) -> None:
    def lose(made: Record) -> None:
        del made.data["segment"]["report.html"]
        del made.data["commands"]["segment"]["printed"][0]
        made.voxels.clear()

    comparison = compared(tmp_path, lose, allowed=1)
    assert sorted(kinds(comparison)) == sorted([Kind.VOXELS, Kind.MISSING, Kind.TEXT])
    fault_places = {fault.place for fault in comparison.faults}
    assert fault_places == {"segment/report.html", "commands/segment/printed/line", f"{LABELS} (shape)"}
    write_record(tmp_path / "before" / "sample", record())
    lost = compare_recordings(tmp_path / "before", tmp_path / "after", ["sample"])
    assert [kinds(comparison) for comparison in lost] == [[Kind.MISSING]]


def test_exit_code_and_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int | str | None:
        monkeypatch.setattr("sys.argv", ["compare.py", str(tmp_path / "before"), str(tmp_path / "after"), *arguments])
        with pytest.raises(SystemExit) as ended:
            compare.main()
        return ended.value.code

    compared(tmp_path, lambda made: made.voxels[LABELS].__setitem__((6, 0, 0), 5))
    assert run() == 1
    printed = capsys.readouterr().out
    assert "1 of 200000 differ (5.00 per million, 999.0 per million labelled ones): label 5: 1" in printed
    assert "Alike in several exams" not in printed
    assert run("--voxels-per-100000", "1") == 0
    assert run("--only", "T1") == "There is no exam to compare."


def test_what_several_exams_share_is_said_once(tmp_path: Path) -> None:
    for exam, volume in (("C2", 20.5), ("T1", 31.25)):
        changed = record()
        findings_of(changed)["kidneys"][0]["volume_ml"] = volume
        write_record(tmp_path / "before" / exam, record())
        write_record(tmp_path / "after" / exam, changed)
    said = compare.summary(compare_recordings(tmp_path / "before", tmp_path / "after"))
    assert "  2 exams: measure: segment/findings.json/kidneys/N/volume_ml: N -> N" in said.splitlines()


def test_exams_are_chosen_by_name_or_group() -> None:
    assert is_chosen(EXAM, []) and is_chosen(EXAM, [EXAM]) and is_chosen(EXAM, ["validation"])
    assert not is_chosen(EXAM, ["C", "train"])


def test_correction_removes_the_smallest_lesion_draws_a_cyst_and_takes_a_slice() -> None:
    labels = np.zeros((20, 40, 40), np.uint8)
    labels[2:18, 2:21, 2:21], labels[4:16, 22:32, 22:32] = 1, 2
    labels[5:9, 24:28, 24:28], labels[10, 25, 25], labels[12, 25, 25:27] = 3, 5, 5
    corrected = correct(labels, (2.0, 1.0, 1.0))
    assert not np.any(corrected[10] == 5) and np.count_nonzero(corrected == 5) == 2
    assert np.count_nonzero(corrected == 3) == 64
    assert np.all(labels[corrected == CYST] == 1)
    # a ball of 8 mm has 2,145 mm3, a voxel 2 mm3; its border runs through voxels
    assert np.count_nonzero(corrected == CYST) == pytest.approx(1072, rel=0.05)
    assert not np.any(corrected[15] == 2) and np.any(corrected[14] == 2)
    assert np.array_equal(correct(np.zeros_like(labels), (2.0, 1.0, 1.0)), np.zeros_like(labels))


class EngineThatRefusesDicom(CommandLine):
    """Stands for an engine that segments an exam and cannot export it."""

    def run(self, name: str, *arguments: str | Path) -> bool:
        refused = "--dicom" in arguments
        self.said[name] = {"exit code": 3 if refused else 0, "printed": []}
        if "-o" in arguments and not refused:
            folder = Path(arguments[arguments.index("-o") + 1])
            folder.mkdir()
            sitk.WriteImage(sitk.Image((4, 4, 4), sitk.sitkUInt8), str(folder / "labels.nii.gz"))
        return not refused


def test_an_exam_that_cannot_be_exported_is_recorded_without_dicom(tmp_path: Path) -> None:
    exam = Exam("dicom/one", tmp_path / "series", is_dicom=True)
    (tmp_path / "series").mkdir()
    made = record_exam(exam, EngineThatRefusesDicom(tmp_path, tmp_path))
    assert made.data["commands"]["segment"]["exit code"] == 3
    assert list(made.data["commands"]) == ["segment", "segment without DICOM", "es", "tr", "measured", "changes"]
    assert "segment/labels.nii.gz" in made.voxels and "measured/labels.nii.gz" in made.voxels


def test_a_report_becomes_lines_under_their_headings() -> None:
    page = (
        '<html lang="es"><head><style>p { color: red }</style></head><body><h1>Informe</h1><h2>Tabla</h2><table><tr>'
        "<th>C1</th>\n<td>18.0</td></tr></table><h2>Observaciones</h2><ul><li><strong>Nota</strong><span>Hay ruido."
        '</span></li></ul><img src="data:image/jpeg;base64,AAAA" alt="Coronal" width="4" height="3"></body></html>'
    )
    sections = html_text(page)
    assert sections[""] == ["language es", "Informe"] and sections["Tabla"] == ["C1 | 18.0"]
    assert sections["Observaciones"][0] == "Nota | Hay ruido."
    other = html_text(page.replace("AAAA", "AAAB"))
    assert other["Observaciones"][1] != sections["Observaciones"][1]


def test_dicom_keeps_values_and_references_without_identifiers_and_times(tmp_path: Path) -> None:
    def export(name: str, value: str) -> tuple[Any, np.ndarray | None]:
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
        image.SOPInstanceUID, image.ContentDate, image.SliceThickness = generate_uid(), "20261130", value
        reference = Dataset()
        reference.ReferencedSOPInstanceUID = image.SOPInstanceUID
        image.ReferencedInstanceSequence = [reference]
        image.Rows, image.Columns, image.NumberOfFrames, image.SamplesPerPixel = 2, 4, 1, 1
        image.BitsAllocated = image.BitsStored = 8
        image.HighBit, image.PixelRepresentation, image.PhotometricInterpretation = 7, 0, "MONOCHROME2"
        image.PixelData = bytes(range(8))
        (tmp_path / name).mkdir()
        image.save_as(tmp_path / name / "a.dcm", enforce_file_format=True)
        return decode_dicom(tmp_path / name / "a.dcm", UidNames())

    (first, frames), (second, _), (third, _) = export("1", "5.10"), export("2", "5.10"), export("3", "5.1")
    assert first == second and first != third
    assert first["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.66.4" and first["SliceThickness"] == "5.10"
    assert first["ReferencedInstanceSequence"][0]["ReferencedSOPInstanceUID"] == first["SOPInstanceUID"]
    assert frames is not None and frames.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]
