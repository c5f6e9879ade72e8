"""The overview picture: orientation, aspect, contours; odd volumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reporting_cases import findings_of, oblique, phantom

from KidneySegLib.exam import Exam
from KidneySegLib.flags import TEXT, Flag, Severity
from KidneySegLib.pictures.overview import CLOSE_UP_HEIGHT, GAP, HEIGHT, WIDTH, draw_overview
from KidneySegLib.pictures.panels import draw_panel, line_colour, signed_distance
from KidneySegLib.pictures.views import View, ViewFinder
from KidneySegLib.structures import BY_LABEL
from KidneySegLib.volume import AxisOrder, Volume, read_image

ORDERS = [
    AxisOrder((0, 1, 2), (False, False, False)),
    AxisOrder((0, 1, 2), (True, False, True)),
    AxisOrder((2, 0, 1), (False, True, True)),
]


def centre_of(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("turned", [False, True])
def test_views_follow_the_radiological_convention(order: AxisOrder, turned: bool) -> None:
    volume, labels = phantom(rotation=oblique() if turned else None)
    exam = Exam(volume.reordered(order))
    finder = ViewFinder(exam.volume, exam.order.apply(order.apply(labels)))
    (axial,) = finder.axial()
    assert axial.letters == ("R", "L", "A", "P")
    assert centre_of(axial.labels == 1)[1] < centre_of(axial.labels == 2)[1]  # the right kidney on the left
    assert centre_of(axial.image == 700)[0] > centre_of(axial.labels > 0)[0]  # the spine at the bottom
    coronal = finder.coronal()
    assert coronal.letters == ("R", "L", "H", "F")
    assert centre_of(coronal.labels == 1)[1] < centre_of(coronal.labels == 2)[1]
    right, left = finder.sagittal()
    assert right.letters == left.letters == ("A", "P", "H", "F")
    assert (right.labels == 1).any() and (left.labels == 2).any()
    assert axial.spacing == pytest.approx((3, 3))
    assert coronal.spacing == pytest.approx((4, 3))
    assert right.spacing == pytest.approx((4, 3))


def test_head_is_at_the_top() -> None:
    volume, labels = phantom()
    labels[:] = 0
    labels[-8:-2, 20:40, 15:30] = 1  # near the head
    finder = ViewFinder(volume, labels)
    for view in (finder.coronal(), *finder.sagittal()):
        assert centre_of(view.labels == 1)[0] < view.labels.shape[0] / 2


def test_kidneys_at_different_heights_get_a_slice_each() -> None:
    volume, labels = phantom()
    labels[:] = 0
    labels[2:10, 30:40, 20:30] = 1
    labels[25:33, 30:40, 60:70] = 2
    right, left = ViewFinder(volume, labels).axial()
    assert right.name.startswith("Axial, right kidney") and (right.labels == 1).any()
    assert left.name.startswith("Axial, left kidney") and (left.labels == 2).any()


def test_panel_keeps_the_aspect_ratio() -> None:
    """A body of 100 by 50 mm on pixels of 1 by 5 mm stays twice as wide as high, whatever the panel."""
    image = np.full((20, 140), -160, np.float32)
    image[5:15, 20:120] = 240
    view = View("", image, np.zeros(image.shape, np.uint8), (5.0, 1.0), ("", "", "", ""), (0, 19, 0, 139))
    pixels = np.asarray(draw_panel(view, (900, 700), (-160, 240)))[60:-60, :, 0]
    rows, columns = np.nonzero(pixels > 127)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(2.0, rel=0.03)


def test_contour_lies_on_the_border() -> None:
    image = np.zeros((50, 50), np.float32)
    labels = np.zeros((50, 50), np.uint8)
    labels[15:35, 15:35] = 2
    view = View("", image, labels, (1.0, 1.0), ("", "", "", ""), (0, 49, 0, 49))
    pixels = np.asarray(draw_panel(view, (500, 500), (-160, 240))).astype(int)
    line = np.abs(pixels - line_colour(2)).sum(axis=-1) < 60
    rows, columns = np.nonzero(line)
    assert (rows.min(), rows.max()) == (pytest.approx(150, abs=2), pytest.approx(349, abs=2))
    assert (columns.min(), columns.max()) == (pytest.approx(150, abs=2), pytest.approx(349, abs=2))
    assert not line[170:330, 170:330].any()


def test_signed_distance() -> None:
    mask = np.zeros((9, 9), bool)
    mask[:, :5] = True
    distance = signed_distance(mask, (5.0, 2.0))
    assert distance[4, 1] > 0 > distance[4, 7]
    assert distance[4, 4] == pytest.approx(-distance[4, 5], abs=1e-4)
    assert np.all(signed_distance(np.ones((4, 4), bool), (1, 1)) > 0)


def test_single_voxels_keep_their_contour() -> None:
    mask = np.zeros((7, 7), bool)
    mask[3, 3] = True
    assert signed_distance(mask, (0.7, 0.7))[3, 3] > 0


@pytest.mark.parametrize("label", sorted(BY_LABEL))
def test_line_colours_are_bright(label: int) -> None:
    assert max(line_colour(label)) == 255


def coloured(picture: np.ndarray, label: int) -> int:
    """Number of pixels in a structure's line colour, legend left out."""
    return int((np.abs(picture[:, :1090].astype(int) - line_colour(label)).sum(axis=-1) < 30).sum())


@pytest.mark.parametrize("kept", [(1, 2), (1,), (2,), ()])
@pytest.mark.parametrize("slices", [36, 3, 1])
def test_any_number_of_kidneys_and_slices(kept: tuple[int, ...], slices: int) -> None:
    volume, labels = phantom()
    labels[~np.isin(labels, kept)] = 0
    part = slice(17, 17 + slices) if slices < 36 else slice(None)
    volume, labels = volume.crop((part, slice(None), slice(None))), labels[part]
    picture = np.asarray(draw_overview(volume, labels, findings_of(volume, labels)))
    assert picture.shape == (HEIGHT, WIDTH, 3)  # no lesion, no row of close-ups
    for label in (1, 2):
        assert (coloured(picture, label) > 100) == (label in kept)


@pytest.mark.parametrize("order", ORDERS)
def test_a_lesion_is_shown_close_up_with_its_diameters(order: AxisOrder) -> None:
    """The view is the lesion's own slice, whatever the order of storage, and the lines end at its border."""
    volume, labels = phantom(rotation=oblique())
    labels[labels == 5] = 0
    volume, labels = volume.reordered(order), order.apply(labels)
    (mass,) = findings_of(volume, labels).lesions
    exam = Exam(volume)
    view = ViewFinder(exam.volume, exam.order.apply(labels)).close_up("M1", mass.measures)
    count = np.count_nonzero(view.labels == 3)
    axis = order.permutation.index(0)
    assert count == np.count_nonzero(np.take(labels, mass.measures.axial_slice, axis=axis) == 3) > 0
    for (row0, column0, row1, column1), mm in zip(
        view.lines, (mass.measures.axial_diameter_mm, mass.measures.perpendicular_mm), strict=True
    ):
        assert np.hypot((row1 - row0) * view.spacing[0], (column1 - column0) * view.spacing[1]) == pytest.approx(mm)
        for row, column in ((row0, column0), (row1, column1)):
            inside = view.labels[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2] == 3
            assert inside.any() and not inside.all()
    top, bottom, left, right = view.focus
    rows, columns = np.nonzero(view.labels == 3)
    assert top < rows.min() and rows.max() < bottom and left < columns.min() and columns.max() < right
    picture = draw_overview(volume, labels, findings_of(volume, labels))
    assert picture.size == (WIDTH, HEIGHT + GAP + CLOSE_UP_HEIGHT)
    assert coloured(np.asarray(picture)[HEIGHT:], 3) > 100


def test_diameters_are_drawn_where_they_lie() -> None:
    image = np.full((50, 50), -160, np.float32)
    line = (24.5, 9.5, 24.5, 39.5)  # between rows, 30 mm long
    view = View("", image, np.zeros((50, 50), np.uint8), (1.0, 1.0), ("", "", "", ""), (0, 49, 0, 49), (line,))
    pixels = np.asarray(draw_panel(view, (500, 500), (-160, 240)))[200:300, :, 0] > 200
    rows, columns = np.nonzero(pixels)
    assert (columns.min(), columns.max()) == (pytest.approx(100, abs=2), pytest.approx(400, abs=2))
    assert rows.mean() + 200 == pytest.approx(250, abs=1)


def test_more_lesions_than_places() -> None:
    volume, labels = phantom((36, 60, 90))
    for n in range(12):
        labels[5 + 2 * n : 6 + 2 * n, 30:34, 20:24] = 4
    findings = findings_of(volume, labels)
    assert len(findings.lesions) == 13
    assert draw_overview(volume, labels, findings).size == (WIDTH, HEIGHT + GAP + CLOSE_UP_HEIGHT)


@pytest.mark.parametrize("value", [-1000, 0, 3000])
def test_an_image_of_one_value(value: int) -> None:
    volume = Volume(np.full((6, 20, 20), value, np.int16), np.eye(4))
    labels = np.zeros((6, 20, 20), np.uint8)
    assert draw_overview(volume, labels, findings_of(volume, labels)).size == (WIDTH, HEIGHT)


def test_labels_that_fill_the_image() -> None:
    volume = Volume(np.zeros((6, 20, 20), np.int16), np.eye(4))
    labels = np.ones((6, 20, 20), np.uint8)
    assert draw_overview(volume, labels, findings_of(volume, labels)).size == (WIDTH, HEIGHT)


def test_many_flags_fit() -> None:
    volume, labels = phantom()
    findings = findings_of(volume, labels)
    flags = tuple(
        Flag("x", severity, {TEXT: "A rather long remark that needs more than one line. " * 3}) for severity in Severity
    )
    without = np.asarray(draw_overview(volume, labels, findings))
    many = np.asarray(draw_overview(volume, labels, replace(findings, flags=flags * 5)))
    assert np.array_equal(without[:, :1090], many[:, :1090])  # the views are untouched
    assert np.array_equal(without[-60:], many[-60:])  # and so is the line at the bottom


def test_inputs_are_left_alone() -> None:
    volume, labels = phantom()
    voxels, before = volume.voxels.copy(), labels.copy()
    draw_overview(volume, labels, findings_of(volume, labels))
    assert np.array_equal(volume.voxels, voxels) and np.array_equal(labels, before)


@pytest.mark.parametrize("exam", ["train/totalseg_example", "validation/K5"])
def test_real_exams(shared_data: Path, exam: str) -> None:
    volume = read_image(shared_data / "ct" / exam / "image.nii.gz")
    labels = read_image(shared_data / "ct" / exam / "mask.nii.gz").voxels.astype(np.uint8)
    picture = np.asarray(draw_overview(volume, labels, findings_of(volume, labels)))
    assert coloured(picture, 1) > 300 and coloured(picture, 2) > 300
    grey = picture[:570, :780].astype(int)
    assert 30 < grey.mean() < 140  # neither black nor white
