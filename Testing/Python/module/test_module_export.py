"""What leaves Slicer: results, reports, DICOM, cases for training."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from interchange_cases import Case, make_case, masks_on, paint, read  # noqa: E402
from module_cases import segmented, table_rows, write_segment  # noqa: E402
from reporting_cases import oblique, phantom  # noqa: E402

from KidneySegLib.findings import Findings  # noqa: E402
from KidneySegLib.result_files.names import RESULT_FILES  # noqa: E402
from KidneySegLib.volume import Volume, read_image  # noqa: E402


def unfold(host: Any, widget: Any, folder: Path) -> None:
    """Opens the section Export and chooses a folder."""
    widget.ui.exportSection.collapsed = False
    widget.ui.exportFolderButton.directory = str(folder)
    host.app.processEvents()


def export(widget: Any, button: Any = None) -> str:
    """Clicks on a button, waits until it is written, and returns what the panel says."""
    from SlicerHost.hands import click, waitUntil

    click(button or widget.ui.exportButton)
    waitUntil(lambda: not widget.exports.isWriting, 120)
    return str(widget.ui.exportLabel.text)


class Database:
    """Stands for Slicer's DICOM database, of which two methods are needed."""

    def __init__(self, files: dict[str, Path]) -> None:
        self.files = files

    def fileForInstance(self, uid: str) -> str:  # noqa: N802
        return str(self.files.get(uid, ""))

    def instanceValue(self, uid: str, _tag: str) -> str:  # noqa: N802
        return "CT" if uid in self.files else ""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A DICOM series with a result on it."""
    return make_case(tmp_path_factory.mktemp("case"))


@pytest.fixture
def database(case: Case, host: Any, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Slicer's DICOM database with that series."""
    import slicer

    database = Database({str(read(file).SOPInstanceUID): file for file in case.series.iterdir()})
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    return database


def test_export_writes_what_is_seen(host: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click

    volume, labels = phantom(rotation=oblique())
    widget = segmented(host, volume, labels)
    mask = labels == 1
    mask[:18] = False
    write_segment(widget.results.result, "kidney_right", mask)
    unfold(host, widget, tmp_path)
    click(widget.ui.exportReportCheckBox)
    told = export(widget)
    folder = tmp_path / "KidneySeg_1"
    assert "KidneySeg_1" in told and host.dialogs.texts() == [], "no box stops a reader who has gone on"
    exported = read_image(folder / "labels.nii.gz")
    expected = labels.copy()
    expected[:18][labels[:18] == 1] = 0
    np.testing.assert_array_equal(exported.voxels, expected)
    np.testing.assert_allclose(exported.ijk_to_lps, volume.ijk_to_lps, atol=1e-3)
    findings = Findings.from_json((folder / "findings.json").read_text(encoding="utf-8"))
    right_ml = (expected == 1).sum() * volume.voxel_volume / 1000
    assert findings.kidneys[0].measures.volume_ml == pytest.approx(right_ml, abs=1e-3), "measured again before writing"
    assert findings == widget.results.result.findings()
    with (folder / "measurements.csv").open(encoding="utf-8") as file:
        written = [row["volume_ml"] for row in csv.DictReader(file)]
    shown = [row["volume_ml"] for row in table_rows(widget.results.result.table)]
    numbers = [float(value) for value in written if value]
    assert numbers == pytest.approx([float(value) for value in shown if value], rel=0.005, abs=0.0005)
    assert sorted(path.name for path in folder.iterdir()) == sorted(RESULT_FILES), "no report: it was not wanted"
    export(widget)
    assert (tmp_path / "KidneySeg_2" / "overview.png").is_file(), "nothing is overwritten"


def test_reader_goes_on_while_it_is_written(host: Any, tmp_path: Path) -> None:
    """What is written is what was drawn at the click; what is drawn meanwhile stays, and is measured by itself."""
    from SlicerHost.hands import click, waitUntil

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    unfold(host, widget, tmp_path)
    click(widget.ui.exportButton)
    assert widget.exports.isWriting and not widget.ui.exportButton.enabled
    assert "written…" in widget.ui.exportLabel.text and not (tmp_path / "KidneySeg_1").exists()
    half = (labels == 1) & (np.arange(36)[:, None, None] > 15)
    write_segment(result, "kidney_right", half)
    waitUntil(lambda: not widget.exports.isWriting, 120)
    assert widget.ui.exportButton.enabled
    written = Findings.from_json((tmp_path / "KidneySeg_1" / "findings.json").read_text(encoding="utf-8"))
    assert written.kidneys[0].measures.voxels == (labels == 1).sum()
    waitUntil(lambda: not widget.correction.isStale, 60)
    assert result.findings().kidneys[0].measures.voxels == half.sum()


def test_scene_that_is_closed_meanwhile_does_not_spoil_the_export(host: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import click, waitUntil

    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    unfold(host, widget, tmp_path)
    click(widget.ui.exportButton)
    host.clearScene()
    waitUntil(lambda: not widget.exports.isWriting, 120)
    np.testing.assert_array_equal(read_image(tmp_path / "KidneySeg_1" / "labels.nii.gz").voxels, labels)
    assert host.dialogs.texts() == []


def test_training_case_holds_image_and_labels_by_name_and_no_patient(host: Any, tmp_path: Path) -> None:

    volume, labels = phantom(rotation=oblique())
    widget = segmented(host, volume, labels)
    widget.results.result.volume.SetName("Doe^John")
    widget.results.result.volume.SetAttribute("DICOM.instanceUIDs", "1.2.3.4")
    unfold(host, widget, tmp_path)
    export(widget, widget.ui.exportTrainingButton)
    assert "Nothing was corrected" in host.dialogs.texts()[0] and widget.ui.exportLabel.text == ""
    assert list(tmp_path.iterdir()) == []
    mask = labels == 2
    mask[:18] = False
    write_segment(widget.results.result, "kidney_left", mask)
    export(widget, widget.ui.exportTrainingButton)
    (case,) = tmp_path.iterdir()
    image, mask_file = read_image(case / "image.nii.gz"), read_image(case / "mask.nii.gz")
    np.testing.assert_array_equal(image.voxels, volume.voxels)
    np.testing.assert_allclose(mask_file.ijk_to_lps, image.ijk_to_lps, atol=1e-4)
    named = json.loads((case / "labels.json").read_text(encoding="utf-8"))
    np.testing.assert_array_equal(mask_file.voxels == named["labels"]["kidney_left"], mask)
    assert set(named["present"]) == {"kidney_right", "kidney_left", "mass", "stone"}
    assert set(named["corrected_by_reader"]) == {"kidney_left"}
    for path in (case, *case.iterdir()):
        content = path.read_bytes() if path.is_file() else b""
        assert b"Doe" not in content and "Doe" not in path.name and b"1.2.3.4" not in content


def test_training_case_says_what_the_reader_made_of_each_lesion(host: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import waitUntil

    widget = segmented(host)
    unfold(host, widget, tmp_path)
    worklist = widget.worklist.worklist
    worklist.rename("S1", "Doe")
    worklist.confirm("S1", isRight=True)
    worklist.reject("M1")
    waitUntil(lambda: not worklist.isAnswering)
    export(widget, widget.ui.exportTrainingButton)
    (case,) = tmp_path.iterdir()
    text = (case / "labels.json").read_text(encoding="utf-8")
    said = json.loads(text)
    assert "mass" not in said["present"] and said["corrected_by_reader"]["mass"] == 0
    assert [(each["id"], each["structure"]) for each in said["rejected"]] == [("M1", "mass")]
    (stone,) = [each for each in said["findings"] if each["id"] == "S1"]
    assert stone == {"id": "S1", "structure": "stone", "state": "confirmed", "was": None}
    assert "Doe" not in text, "a name that the reader gave may be a patient's"


def test_report_bears_the_header_and_language_of_the_settings(host: Any, tmp_path: Path) -> None:
    from SlicerHost.hands import choose, write

    widget = segmented(host)
    widget.ui.settingsSection.collapsed = False
    unfold(host, widget, tmp_path)
    write(widget.ui.reportHeaderEdit, "Hospital of Nowhere")
    choose(widget.ui.reportLanguageComboBox, "Español")
    export(widget)
    text = (tmp_path / "KidneySeg_1" / "report.html").read_text(encoding="utf-8")
    assert "Hospital of Nowhere" in text and 'lang="es"' in text
    assert (tmp_path / "KidneySeg_1" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_report_names_the_patient_of_the_volumes_images_only_if_asked(
    host: Any, case: Case, database: Database, tmp_path: Path
) -> None:
    from SlicerHost.hands import click

    widget = segmented(host, case.volume, paint(case.volume))
    assert not widget.ui.exportIdentifiedCheckBox.checked
    unfold(host, widget, tmp_path)
    click(widget.ui.exportIdentifiedCheckBox)
    export(widget)
    assert "does not come from Slicer's DICOM database" in host.dialogs.texts()[-1]
    assert list(tmp_path.iterdir()) == [], "nothing half-written"
    widget.results.result.volume.SetAttribute("DICOM.instanceUIDs", " ".join(database.files))
    export(widget)
    click(widget.ui.exportIdentifiedCheckBox)
    export(widget)
    named, other = ((tmp_path / f"KidneySeg_{number}" / "report.html").read_text(encoding="utf-8") for number in (1, 2))
    assert "Secret, Patient; patient ID SECRET-ID" in named and "3 February 2001" in named
    assert "De-identified" in other and "Secret" not in other and "2001" not in other
    for path in (tmp_path / "KidneySeg_1").iterdir():
        assert path.name.startswith("report") or b"Secret" not in path.read_bytes()
    click(widget.ui.exportReportCheckBox)
    assert not widget.ui.exportIdentifiedCheckBox.enabled


@pytest.mark.parametrize("flipped", [False, True], ids=["as stored", "slices from head to feet"])
def test_dicom_results_lie_on_the_images_of_the_volume(
    host: Any, case: Case, database: Database, tmp_path: Path, flipped: bool
) -> None:
    from SlicerHost.hands import click

    volume = case.volume
    if flipped:
        matrix = np.array(volume.ijk_to_lps)
        matrix[:3, 3] = volume.to_lps(np.array([volume.voxels.shape[0] - 1, 0, 0]))
        matrix[:3, 2] *= -1
        volume = Volume(volume.voxels[::-1].copy(), matrix)
    labels = paint(volume)
    widget = segmented(host, volume, labels)
    result = widget.results.result
    result.volume.SetAttribute("DICOM.instanceUIDs", " ".join(database.files))
    corrected = labels == 1
    corrected[volume.voxels.shape[0] // 2] = False
    write_segment(result, "kidney_right", corrected)
    unfold(host, widget, tmp_path)
    click(widget.ui.exportDicomCheckBox)
    assert "KidneySeg_1" in export(widget), host.dialogs.texts()
    folder = tmp_path / "KidneySeg_1"
    found = read(folder / "segmentation.seg.dcm")
    assert found.ReferencedSeriesSequence[0].SeriesInstanceUID == read(next(case.series.iterdir())).SeriesInstanceUID
    types = {str(segment.SegmentLabel): segment.SegmentAlgorithmType for segment in found.SegmentSequence}
    assert (types["Right kidney"], types["Left kidney"]) == ("SEMIAUTOMATIC", "AUTOMATIC")
    masks = masks_on(volume, found)
    numbers = {str(segment.SegmentLabel): int(segment.SegmentNumber) for segment in found.SegmentSequence}
    np.testing.assert_array_equal(masks[numbers["Right kidney"]], corrected)
    np.testing.assert_array_equal(masks[numbers["Left kidney"]], labels == 2)
    assert read(folder / "measurements.sr.dcm").Modality == "SR"
    assert (folder / "report.pdf.dcm").is_file()


def test_without_its_images_dicom_says_what_is_needed(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer
    from SlicerHost.hands import click

    widget = segmented(host)
    unfold(host, widget, tmp_path)
    click(widget.ui.exportDicomCheckBox)
    export(widget)
    assert "does not come from Slicer's DICOM database" in host.dialogs.texts()[-1]
    assert slicer.app.userSettings().value("KidneySeg/exportDicom") == "yes", "remembered for the next time"
    widget.results.result.volume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    monkeypatch.setattr(slicer, "dicomDatabase", Database({}), raising=False)
    export(widget)
    assert "no longer in Slicer's DICOM database" in host.dialogs.texts()[-1]
    assert list(tmp_path.iterdir()) == [], "nothing half-written"


def test_a_volume_that_was_moved_is_not_exported_as_dicom(host: Any, database: Database, tmp_path: Path) -> None:
    from SlicerHost.hands import click

    widget = segmented(host)
    widget.results.result.volume.SetAttribute("DICOM.instanceUIDs", " ".join(database.files))
    unfold(host, widget, tmp_path)
    click(widget.ui.exportDicomCheckBox)
    export(widget)
    assert "moved, cropped or resampled" in host.dialogs.texts()[-1]
    assert list(tmp_path.iterdir()) == [], "nothing half-written"
