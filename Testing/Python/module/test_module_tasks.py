"""What is to be segmented: a volume, or a single slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import add_volume, measure_now, open_panel, table_rows  # noqa: E402
from reporting_cases import findings_of, phantom  # noqa: E402
from result_cases import described_slice  # noqa: E402

from KidneySegLib.volume import Volume  # noqa: E402


def one_slice() -> tuple[Volume, np.ndarray]:
    """A slice of the phantom and its labels."""
    volume, labels = phantom()
    return Volume(volume.voxels[18:19], volume.ijk_to_lps), labels[18:19].copy()


def test_entries_say_what_can_be_done(host: Any) -> None:
    add_volume(phantom()[0])
    widget, _runner = open_panel(host)
    box = widget.ui.taskComboBox
    entries = [box.itemText(n) for n in range(box.count)]
    assert entries == ["Automatic", "CT", "CT, single slice", "Ultrasound"]
    assert box.currentText == "Automatic"


def test_each_task_needs_a_volume_that_fits(host: Any) -> None:
    from SlicerHost.hands import choose

    add_volume(one_slice()[0], "slice")
    add_volume(phantom()[0], "volume")
    widget, _runner = open_panel(host)
    choose(widget.ui.taskComboBox, "CT, single slice")
    assert not widget.ui.segmentButton.enabled
    assert "volume of one slice" in widget.ui.segmentButton.toolTip
    assert widget.ui.bundleComboBox.currentData == "ct-slice"
    choose(widget.ui.inputSelector, "slice")
    assert widget.ui.segmentButton.enabled
    choose(widget.ui.taskComboBox, "CT")
    assert not widget.ui.segmentButton.enabled and "several slices" in widget.ui.segmentButton.toolTip
    choose(widget.ui.inputSelector, "volume")
    assert widget.ui.segmentButton.enabled
    assert widget.ui.bundleComboBox.currentData == "ct-kidney"


@pytest.mark.parametrize("along", ["k", "i"])
def test_automatic_takes_a_slice_for_a_slice_whatever_its_storage(host: Any, along: str) -> None:
    from SlicerHost.hands import choose, click

    volume, labels = one_slice()
    if along == "i":  # the axis towards the head is stored last
        matrix = np.array(volume.ijk_to_lps)
        matrix[:, :3] = matrix[:, [2, 1, 0]]
        volume = Volume(np.ascontiguousarray(volume.voxels.transpose(2, 1, 0)), matrix)
        labels = np.ascontiguousarray(labels.transpose(2, 1, 0))
    add_volume(phantom()[0], "volume")
    add_volume(volume, "slice")
    widget, runner = open_panel(host, labels)
    runner.automatic = False
    click(widget.ui.segmentButton)
    assert (runner.jobs[0].task, runner.jobs[0].bundle) == ("ct-slice", "ct-slice")
    runner.end(0)
    choose(widget.ui.inputSelector, "volume")
    click(widget.ui.segmentButton)
    assert (runner.jobs[1].task, runner.jobs[1].bundle) == ("ct", "ct-kidney")


def test_single_slice_is_measured_and_corrected_as_one(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click, waitUntil

    one, drawn = one_slice()
    node = add_volume(one)
    widget, runner = open_panel(host, drawn)
    runner.findings = lambda image, found: described_slice(
        image,
        found,
        thickness_mm=None,
        estimated_hu=False,
        flags=(),
        provenance=findings_of(image, found).provenance,
    )
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None)
    result = widget.results.result
    rows = table_rows(result.table)
    assert rows[0]["volume_ml"] == "", "a slice has no volume"
    axial_mm = result.findings().kidneys[0].measures.axial_diameter_mm
    assert float(rows[0]["axial_diameter_mm"]) == pytest.approx(axial_mm, abs=0.051)
    assert widget.ui.summaryLabel.text.startswith("Right kidney, left kidney")
    mask = drawn == 1
    mask[:, :, :22] = False
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask.astype(np.uint8), result.segmentationNode, "kidney_right", node
    )
    measure_now(widget)
    again = table_rows(result.table)
    assert again[0]["volume_ml"] == "" and again[0]["length_mm"] == again[0]["axial_diameter_mm"]
    assert again[0]["axial_diameter_mm"] != rows[0]["axial_diameter_mm"]
    codes = [flag.code for flag in result.findings().flags]
    assert codes.count("single_slice") == 1 and codes.count("corrected_by_reader") == 1


@pytest.mark.parametrize(
    ("modality", "said"), [("US", "Choose the task Ultrasound"), ("MR", "no CT (its modality is MR)")]
)
@pytest.mark.parametrize("known_by", ["subject hierarchy", "DICOM database"])
def test_what_is_no_ct_is_never_segmented_as_one(
    host: Any, monkeypatch: pytest.MonkeyPatch, modality: str, said: str, known_by: str
) -> None:
    """A frame of ultrasound is a volume of one slice, and would be taken for a CT slice."""
    import slicer
    from SlicerHost.hands import choose

    class Database:
        def instanceValue(self, uid: str, tag: str) -> str:  # noqa: N802
            return modality if (uid, tag) == ("1.2.3", "0008,0060") else ""

    volume = add_volume(one_slice()[0], "loaded")
    if known_by == "DICOM database":
        monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
        volume.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    else:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        hierarchy.SetItemAttribute(hierarchy.GetItemByDataNode(volume), "DICOM.Modality", modality)
    widget, _runner = open_panel(host)
    if modality == "US":
        assert widget.ui.segmentButton.enabled and widget.ui.bundleComboBox.currentData == "us-kidney"
    choose(widget.ui.taskComboBox, "CT, single slice")
    assert not widget.ui.segmentButton.enabled
    assert said in widget.ui.segmentButton.toolTip and said in widget.ui.statusLabel.text
