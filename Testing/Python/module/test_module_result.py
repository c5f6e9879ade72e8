"""What a reader sees of a result: rows, diameters, surfaces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SlicerHost import availability

if availability.missing():
    pytest.skip(availability.missing(), allow_module_level=True)
pytest_plugins = ["SlicerHost.pytest_fixtures"]

from module_cases import RAS, click_row, open_panel, picture_folder, segmented, table_rows  # noqa: E402
from reporting_cases import findings_of, oblique, phantom  # noqa: E402


def test_columns_are_as_narrow_as_their_texts(host: Any) -> None:
    widget = segmented(host)
    header = widget.ui.tableView.horizontalHeader()
    assert header.sectionSize(0) < 60, "Slicer's table view sets 60 pixels whenever it gets a table"
    assert widget.ui.tableView.horizontalScrollBar().maximum == 0, "and nothing has to be scrolled"


@pytest.mark.parametrize(
    ("volume_ml", "shown"),
    [
        (1234.567, "1235"),
        (165.193, "165"),
        (99.96, "100"),
        (12.345, "12.3"),
        (9.996, "10.0"),
        (7.618, "7.62"),
        (0.045, "0.045"),
    ],
)
def test_volume_has_three_significant_digits(host: Any, volume_ml: float, shown: str) -> None:
    import slicer

    open_panel(host)
    from KidneySegWidgets.result.findingsTable import fillTable

    findings = findings_of(*phantom())
    first, *others = findings.kidneys
    measures = replace(first.measures, volume_ml=volume_ml)
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    fillTable(table, replace(findings, kidneys=[replace(first, measures=measures), *others]))
    assert table_rows(table)[0]["volume_ml"] == shown


@pytest.mark.parametrize("rotation", [None, oblique()], ids=["straight", "oblique"])
def test_row_centres_the_views_and_draws_the_diameter(host: Any, rotation: Any) -> None:
    import slicer

    volume, labels = phantom(rotation=rotation)
    widget = segmented(host, volume, labels)
    click_row(widget, 2)
    result = widget.results.result
    mass = result.findings().lesions[0]
    ends = np.array(
        [RAS[:3, :3] @ point for point in (mass.measures.axial_start_lps_mm, mass.measures.axial_end_lps_mm)]
    )
    drawn = [np.zeros(3), np.zeros(3)]
    for number, point in enumerate(drawn):
        result.line.GetNthControlPointPositionWorld(number, point)
    np.testing.assert_allclose(drawn, ends, atol=1e-3)
    assert result.line.GetMeasurement("length").GetValue() == pytest.approx(mass.measures.axial_diameter_mm, abs=0.02)
    assert result.line.GetName() == "M1", "Slicer adds the length itself"
    assert result.line.GetDisplayVisibility() and result.line.GetLocked()
    middle = ends.mean(axis=0)
    for name in ("Red", "Yellow", "Green"):
        view = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode().GetSliceToRAS()
        assert [view.GetElement(axis, 3) for axis in range(3)] == pytest.approx(middle, abs=0.1), name
    inside = (np.linalg.inv(RAS @ volume.ijk_to_lps) @ [*middle, 1])[:3].round().astype(int)
    assert labels[tuple(inside[::-1])] == 3


def test_stone_without_a_length_has_a_place_but_no_line(host: Any) -> None:
    import slicer

    widget = segmented(host)
    click_row(widget, 2)
    click_row(widget, 3)
    result = widget.results.result
    stone = result.findings().stones[0]
    assert stone.length_mm is None
    assert not result.line.GetDisplayVisibility()
    offset = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset()
    assert offset == pytest.approx(stone.measures.centroid_lps_mm[2], abs=0.1)


def test_surfaces_on_demand(host: Any) -> None:
    from SlicerHost.hands import click

    widget = segmented(host)
    segmentation = widget.results.result.segmentationNode.GetSegmentation()
    assert not segmentation.ContainsRepresentation("Closed surface"), "making them takes time"
    click(widget.ui.show3DButton)
    surface = segmentation.GetSegment("kidney_left").GetRepresentation("Closed surface")
    assert surface.GetNumberOfPoints() > 500
    click(widget.ui.show3DButton)
    assert not segmentation.ContainsRepresentation("Closed surface")


def test_pictures_of_views(host: Any, drawing: None, tmp_path: Path) -> None:
    import slicer
    from SlicerHost.hands import click
    from SlicerHost.pictures import slicePicture, threeDPicture

    widget = segmented(host)
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    composite.SetBackgroundVolumeID(widget.results.result.volume.GetID())
    click_row(widget, 2)
    folder = picture_folder(tmp_path)
    height = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset()
    flat = slicePicture(folder / "slice.png", "Red", height).astype(int)
    yellow = (flat[..., 0] > 180) & (flat[..., 1] > 150) & (flat[..., 2] < 120)
    assert yellow.sum() > 15, "the diameter line is drawn"
    pink = (flat[..., 0] - flat[..., 1] > 20) & (flat[..., 2] - flat[..., 1] > 12)
    assert pink.sum() > 20, "the mass is drawn in its colour"
    reddish = ((flat[..., 0] - flat[..., 2] > 20) & (flat[..., 0] < 190)).nonzero()[1]  # not the yellow line
    greenish = (flat[..., 1] - flat[..., 0] > 10).nonzero()[1]
    assert reddish.size and greenish.size
    assert np.median(reddish) < np.median(greenish), "the patient's right is on the picture's left"
    click(widget.ui.show3DButton)
    solid = threeDPicture(folder / "surfaces.png").astype(int)
    assert ((solid[..., 1] - solid[..., 0]) > 20).sum() > 500
