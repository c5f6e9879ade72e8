"""What a reader does to a result: corrections are measured, marked, told, and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import MeasuringRunner, measure_now, segment_tag, segmented, table_rows, write_segment  # noqa: E402
from reporting_cases import phantom  # noqa: E402

ALGORITHM = "DICOM.SegmentAlgorithmType"


def test_correction_is_measured_marked_and_told(host: Any) -> None:
    from SlicerHost.hands import waitUntil

    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    before = table_rows(result.table)
    corrected = labels == 1
    corrected[:18] = False  # the reader takes the lower half away
    write_segment(result, "kidney_right", corrected)
    assert widget.correction.isStale
    waitUntil(lambda: not widget.correction.isStale, 10)
    rows = table_rows(result.table)
    rest = corrected.sum() * volume.voxel_volume / 1000
    assert result.findings().kidneys[0].measures.volume_ml == pytest.approx(rest, abs=1e-3)
    assert float(rows[0]["volume_ml"]) == pytest.approx(rest, rel=0.005), "three digits"
    assert rows[1] == before[1], "the other kidney is as it was"
    expected = 2 * corrected.sum() / (corrected.sum() + (labels == 1).sum())
    findings = result.findings()
    assert findings.provenance.settings["corrected_by_reader"] == {"kidney_right": pytest.approx(expected, abs=1e-4)}
    told = [flag.message for flag in findings.flags if flag.code == "corrected_by_reader"]
    assert len(told) == 1 and f"{expected:.3f}" in told[0]
    assert told[0] in widget.ui.flagsBrowser.plainText
    assert "Right kidney" in widget.ui.correctionLabel.text
    segmentation = result.segmentationNode.GetSegmentation()
    assert segment_tag(segmentation.GetSegment("kidney_right"), ALGORITHM) == "SEMIAUTOMATIC"
    assert segment_tag(segmentation.GetSegment("kidney_left"), ALGORITHM) == "AUTOMATIC"


def test_flags_do_not_pile_up_with_each_correction(host: Any) -> None:

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    codes = sorted(flag.code for flag in result.findings().flags)
    for start in (14, 16, 18):
        mask = labels == 1
        mask[:start] = False
        write_segment(result, "kidney_right", mask)
        measure_now(widget)
    again = [flag.code for flag in result.findings().flags]
    assert again.count("corrected_by_reader") == 1
    assert len(again) == len(set(again))
    assert set(codes) <= set(again)


def test_a_change_while_measuring_supersedes_it(host: Any) -> None:
    """Slicer waits for neither: the first one is ended, and what is shown in the end is the second."""
    from SlicerHost.hands import click, waitUntil

    volume, labels = phantom()
    widget = segmented(host, volume, labels)
    measuring, result = MeasuringRunner(), widget.results.result
    widget.correction.remeasuring.setRunner(measuring)
    before = table_rows(result.table)
    measuring.delay_ms = 60_000
    write_segment(result, "kidney_right", (labels == 1) & (np.arange(36)[:, None, None] > 20))
    click(widget.ui.recomputeButton)
    waitUntil(lambda: len(measuring.jobs) == 1)
    folder = measuring.jobs[0].folder
    assert widget.ui.correctionLabel.text.startswith("Measuring") and table_rows(result.table) == before
    half = (labels == 1) & (np.arange(36)[:, None, None] > 15)
    write_segment(result, "kidney_right", half)
    assert not measuring.isRunning() and widget.correction.isStale
    assert "of before" in widget.ui.correctionLabel.text
    measuring.delay_ms = 0
    waitUntil(lambda: not widget.correction.isStale)
    assert [job.folder for job in measuring.jobs] == [folder, folder], "the exam is handed over once"
    rest = half.sum() * volume.voxel_volume / 1000
    assert result.findings().kidneys[0].measures.volume_ml == pytest.approx(rest, abs=1e-3)
    assert sorted(path.suffix for path in folder.glob("*-*")) == [".json", ".json", ".nrrd"], "of one change only"
    widget.correction.setResult(None)
    assert not folder.exists()


def test_what_cannot_be_measured_is_told_without_a_message_box(host: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    class Failing(MeasuringRunner):
        def _run(self, job: Any, onLine: Any) -> None:  # noqa: N803
            onLine("kidneyseg: The disk is full.", True)
            self._onEnd(5)

    widget = segmented(host)
    widget.correction.remeasuring.setRunner(Failing())
    before = table_rows(widget.results.result.table)
    click(widget.ui.recomputeButton)
    waitUntil(lambda: widget.ui.correctionLabel.text == "The disk is full.")
    assert table_rows(widget.results.result.table) == before and widget.correction.isStale
    assert host.dialogs.texts() == []


@pytest.mark.parametrize("drawing", ["as imported", "overlapping", "foreign", "on another grid", "nothing"])
def test_the_part_that_is_handed_over_is_the_whole_label_map(host: Any, drawing: str) -> None:
    import slicer
    import slicer.util

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    from KidneySegWidgets.result.correctedLabels import currentLabels
    from KidneySegWidgets.result.labelParts import drawnPart

    segmentation = result.segmentationNode.GetSegmentation()
    if drawing == "overlapping":
        write_segment(result, "mass", (labels == 2) & (np.arange(36)[:, None, None] > 20))
    elif drawing == "foreign":
        segment = slicer.vtkSegment()
        segment.SetName("Liver")
        segmentation.AddSegment(segment, "liver")
        write_segment(result, "liver", labels == 0)
    elif drawing == "on another grid":
        coarse = slicer.util.addVolumeFromArray(np.zeros((18, 60, 90), np.int16), name="coarse")
        coarse.CopyOrientation(result.volume)
        coarse.SetSpacing(*result.volume.GetSpacing()[:2], 2 * result.volume.GetSpacing()[2])
        slicer.util.updateSegmentBinaryLabelmapFromArray(
            (labels[::2] == 1).astype(np.uint8), result.segmentationNode, "kidney_right", coarse
        )
    elif drawing == "nothing":
        segmentation.RemoveAllSegments()
    expected = currentLabels(result)
    part = drawnPart(result)
    whole = np.zeros_like(expected)
    whole[tuple(slice(a, a + n) for a, n in zip(part.start, part.voxels.shape, strict=True))] = part.voxels
    np.testing.assert_array_equal(whole, expected)
    assert part.voxels.size < labels.size / 2, "and no more than a part"
    if drawing == "as imported":
        np.testing.assert_array_equal(expected, labels)


def test_without_automatic_measuring_the_table_waits_for_the_button(host: Any) -> None:
    from SlicerHost.hands import click, waitUntil

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    before = table_rows(result.table)
    click(widget.ui.recomputeCheckBox)
    assert widget.logic.getParameterNode().recomputeAutomatically is False
    write_segment(result, "kidney_left", (labels == 2) & (np.arange(36)[:, None, None] > 15))
    with pytest.raises(TimeoutError):
        waitUntil(lambda: table_rows(result.table) != before, 2)
    assert "of before" in widget.ui.correctionLabel.text
    measure_now(widget)
    assert table_rows(result.table) != before


def test_reset_brings_the_network_result_back(host: Any) -> None:
    import slicer.util
    from SlicerHost.hands import click

    _volume, labels = phantom()
    widget = segmented(host)
    result = widget.results.result
    before = table_rows(result.table)
    write_segment(result, "kidney_left", np.zeros_like(labels))
    result.segmentationNode.GetSegmentation().RemoveSegment("mass")
    measure_now(widget)
    assert [row["id"] for row in table_rows(result.table)] == ["R", "S1", "M1"], "what is gone is listed as rejected"
    host.dialogs.answer("No")
    click(widget.ui.resetButton)
    assert [row["id"] for row in table_rows(result.table)] == ["R", "S1", "M1"], "what is gone is listed as rejected"
    host.dialogs.answer("Yes")
    click(widget.ui.resetButton)
    assert table_rows(result.table) == before
    for identifier, label in (("kidney_left", 2), ("mass", 3)):
        drawn = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentationNode, identifier, result.volume)
        np.testing.assert_array_equal(drawn > 0, labels == label)
    assert result.findings() == result.networkFindings()
    assert widget.ui.correctionLabel.text == "As the network drew it."


def two_masses() -> tuple[Any, np.ndarray]:
    """A phantom whose left kidney has a mass at each pole; the engine calls them M1 (upper) and M2."""
    volume, labels = phantom()
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    return volume, labels


def test_removed_lesion_leaves_the_others_their_names(host: Any) -> None:

    volume, labels = two_masses()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    lower = next(lesion for lesion in result.findings().lesions if lesion.id == "M2")
    mask = labels == 3
    mask[18:] = False  # M1, the upper one, goes
    write_segment(result, "mass", mask)
    measure_now(widget)
    assert [lesion.id for lesion in result.findings().lesions] == ["M2"]
    assert result.findings().lesions[0].measures.centroid_lps_mm == pytest.approx(
        lower.measures.centroid_lps_mm, abs=0.01
    )
    assert "M2" in [row["id"] for row in table_rows(result.table)]


def test_split_and_new_lesions_keep_names_through_several_corrections(host: Any) -> None:

    volume, labels = two_masses()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    mask = labels == 3
    mask[25, :, :] = False  # M1 falls into a smaller lower and a larger upper piece
    mask[16:20, 30:34, 20:24] = True  # and the reader draws one in the right kidney
    write_segment(result, "mass", mask)
    measure_now(widget)
    first = {lesion.id: lesion.measures.centroid_lps_mm for lesion in result.findings().lesions}
    assert sorted(first) == ["M1", "M2", "M3", "M4"]
    by_side = {lesion.id: lesion.side.value for lesion in result.findings().lesions}
    assert [name for name, side in by_side.items() if side == "right"] in (["M3"], ["M4"])
    mask[16, 30:34, 20:24] = False
    write_segment(result, "mass", mask)
    measure_now(widget)
    second = {lesion.id: lesion.measures.centroid_lps_mm for lesion in result.findings().lesions}
    assert first.keys() == second.keys()
    for name, place in first.items():
        assert np.linalg.norm(np.subtract(place, second[name])) < 3, name


def test_segment_that_islands_made_counts_by_its_terminology(host: Any) -> None:
    import slicer

    volume, labels = two_masses()
    widget = segmented(host, volume, labels)
    result = widget.results.result
    segmentation = result.segmentationNode.GetSegmentation()
    original = segmentation.GetSegment("mass")
    piece = slicer.vtkSegment()
    piece.DeepCopyMetadata(original) if hasattr(piece, "DeepCopyMetadata") else piece.DeepCopy(original)
    piece.RemoveAllRepresentations() if hasattr(piece, "RemoveAllRepresentations") else None
    segmentation.AddSegment(piece, "Segment_1")
    upper, lower = labels == 3, labels == 3
    upper, lower = upper.copy(), lower.copy()
    upper[:18], lower[18:] = False, False
    write_segment(result, "mass", lower)
    write_segment(result, "Segment_1", upper)
    measure_now(widget)
    assert [lesion.id for lesion in result.findings().lesions] == ["M1", "M2"]
    assert "corrected_by_reader" not in result.findings().provenance.settings, (
        "nothing changed but the segments' number"
    )


def test_edit_opens_segment_editor_on_this_result(host: Any) -> None:
    import slicer
    from SlicerHost.hands import click

    widget = segmented(host)
    result = widget.results.result
    click(widget.ui.editButton)
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentationNode() is result.segmentationNode
    assert editor.sourceVolumeNode() is result.volume


@pytest.mark.parametrize(
    ("values", "added"),
    [({"subtracted_hu": 1000}, -1000), ({"intercept_hu": -1024}, -1024), ({"text": "An earlier sentence."}, -1024)],
)
def test_an_assumed_intercept_is_that_of_the_network_s_run(host: Any, values: dict[str, Any], added: int) -> None:
    """Values with air at 0 were measured 24 HU too low after a correction."""
    widget = segmented(host)
    from KidneySegWidgets.result.drawnResult import DrawnResult

    from KidneySegLib.flags import Flag, Severity

    result = widget.results.result
    plain = DrawnResult.of(result).exam().volume.voxels.astype(int)
    flag = Flag("rescale_assumed", Severity.WARNING, values)
    result.setNetworkFindings(replace(result.networkFindings(), flags=(flag,)))
    moved = DrawnResult.of(result).exam().volume.voxels
    assert (moved == np.maximum(plain + added, -1024)).all()
