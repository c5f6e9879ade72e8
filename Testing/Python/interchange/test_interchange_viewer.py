"""What web viewers need of our reports: pixels of the image, an image library, a report that they take over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from interchange_cases import Case, make_case, read
from pydicom.dataset import Dataset
from result_cases import result_of

from KidneySegLib.findings import KidneyFinding, LesionFinding, StoneFinding
from KidneySegLib.interchange.results import DIAMETERS, MEASUREMENTS, write_dicom_results

LONG, SHORT, LENGTH = "103339001", "103340004", "410668003"
METHOD, DERIVATION, COMMENT = "370129005", "121401", "121106"
TOOL = "Cornerstone3DTools@^0.1.0:Bidirectional"
Written = tuple[Case, Dataset, Dataset]


@pytest.fixture(scope="module", params=["square pixels", "axial", "sagittal", "multi-frame", "gantry tilt"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(tmp_path_factory.mktemp("case"), request.param)


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(tmp_path_factory.mktemp("square"), "square pixels")


def write(folder: Path, geometry: str) -> Written:
    """A case, its measurements and its diameters for viewers."""
    case = make_case(folder, geometry)
    write_dicom_results(folder / "out", case.result, case.series)
    return case, read(folder / "out" / MEASUREMENTS), read(folder / "out" / DIAMETERS)


def children(item: Dataset, code: str) -> list[Dataset]:
    return [c for c in item.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == code]


def groups_of(report: Dataset) -> list[Dataset]:
    (container,) = children(report, "126010")
    return list(container.ContentSequence)


def coordinates(number: Dataset) -> list[Dataset]:
    return [c for c in number.get("ContentSequence", ()) if c.ValueType in ("SCOORD", "SCOORD3D")]


def numbers_in(group: Dataset) -> list[Dataset]:
    return [c for c in group.ContentSequence if c.ValueType == "NUM"]


def findings_of(case: Case) -> list[KidneyFinding | LesionFinding | StoneFinding]:
    return [*case.findings.kidneys, *case.findings.lesions, *case.findings.stones]


def axes_of(finding: KidneyFinding | LesionFinding | StoneFinding) -> dict[str, np.ndarray]:
    m = finding.measures
    long = np.array([m.axial_start_lps_mm, m.axial_end_lps_mm])
    return {LONG: long, SHORT: np.array([m.perpendicular_start_lps_mm, m.perpendicular_end_lps_mm])}


def in_mm(line: Dataset, images: dict[str, Dataset]) -> np.ndarray:
    """Places a 2D line by its image's own header: the centre of the first pixel is (0.5, 0.5)."""
    (image,) = line.ContentSequence
    assert (line.GraphicType, image.RelationshipType) == ("POLYLINE", "SELECTED FROM")
    header = images[image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID]
    orientation = np.array(header.ImageOrientationPatient, float)
    between_rows, between_columns = map(float, header.PixelSpacing)
    pixels = np.reshape(line.GraphicData, (-1, 2)) - 0.5
    along = np.outer(pixels[:, 0] * between_columns, orientation[:3])
    return np.array(header.ImagePositionPatient, float) + along + np.outer(pixels[:, 1] * between_rows, orientation[3:])


def test_axial_diameters_are_pixels_of_the_image_that_they_lie_on(square: Written) -> None:
    case, *reports = square
    images = {str(image.SOPInstanceUID): image for image in map(read, case.series.iterdir())}
    for report in reports:
        for group, finding in zip(groups_of(report), findings_of(case), strict=True):
            for code, line in axes_of(finding).items():
                (number,) = children(group, code)
                first = coordinates(number)[0]
                assert (first.ValueType, first.RelationshipType) == ("SCOORD", "INFERRED FROM")
                np.testing.assert_allclose(in_mm(first, images), line, atol=1e-3)


def test_pixels_are_left_out_where_a_viewer_would_fail_or_draw_elsewhere(written: Written) -> None:
    """Axes in pixels, or nothing: a mixture stops OHIF, and pixels that are not square move its lines."""
    case, *reports = written
    spacing = getattr(read(next(case.series.iterdir())), "PixelSpacing", (1, 2))
    for report in reports:
        for group in groups_of(report):
            kinds = {n.ConceptNameCodeSequence[0].CodeValue: coordinates(n)[0].ValueType for n in lines_in(group)}
            expected = "SCOORD" if spacing[0] == spacing[1] else "SCOORD3D"
            assert (kinds[LONG], kinds[SHORT], kinds.get(LENGTH, "SCOORD3D")) == (expected, expected, "SCOORD3D")
            assert lines_in(group)[0].ConceptNameCodeSequence[0].CodeValue == LONG
            if expected == "SCOORD3D":
                assert not any(c.ValueType == "SCOORD" for n in lines_in(group) for c in coordinates(n))


def lines_in(group: Dataset) -> list[Dataset]:
    return [number for number in numbers_in(group) if coordinates(number)]


def test_the_report_for_viewers_holds_each_finding_under_a_tool_with_its_name(written: Written) -> None:
    case, measurements, diameters = written
    groups = groups_of(diameters)
    names = ["Right kidney", "Left kidney", "M1 Solid mass left", "C1 Cyst left", "C2 Cyst left"]
    assert [children(g, COMMENT)[0].TextValue for g in groups] == [*names, "S1 Stone right", "S2 Stone left"]
    for group, same, finding in zip(groups, groups_of(measurements), findings_of(case), strict=True):
        (identifier,), (known,) = children(group, "112039"), children(same, "112039")
        assert identifier.TextValue == f"{TOOL}:{known.TextValue}" and not known.TextValue.startswith("Corner")
        assert children(group, "112040")[0].UID == children(same, "112040")[0].UID
        first, second = numbers_in(group)[:2]
        values = [float(n.MeasuredValueSequence[0].NumericValue) for n in (first, second)]
        m = finding.measures
        assert values == pytest.approx([m.axial_diameter_mm, m.perpendicular_mm], rel=1e-6)
        meanings = [n.ConceptNameCodeSequence[0].CodeMeaning for n in (first, second)]
        assert meanings == ["Long Axis", "Short Axis"]
        # OHIF skips numbers with children that are no coordinates, and takes the first number for the line
        assert all(len(n.get("ContentSequence", ())) == len(coordinates(n)) for n in numbers_in(group))


def cut(case: Case, everything: bool) -> Case:
    """The same with findings that the image cuts within its slices: the right kidney, or all but the stones."""
    findings = case.findings
    kidneys = tuple(
        replace(k, cut_at=("right",)) if everything or n == 0 else k for n, k in enumerate(findings.kidneys)
    )
    lesions = tuple(replace(x, cut_at=("right",)) if everything else x for x in findings.lesions)
    return replace(case, findings=replace(findings, kidneys=kidneys, lesions=lesions))


@pytest.mark.parametrize(("everything", "left"), [(False, 6), (True, 2)])
def test_a_finding_that_the_image_cuts_has_its_centre_and_no_diameters(
    square: Written, tmp_path: Path, everything: bool, left: int
) -> None:
    """A group without coordinates stops OHIF's list of measurements."""
    case = cut(square[0], everything)
    write_dicom_results(tmp_path, case.result, case.series)
    groups = groups_of(read(tmp_path / MEASUREMENTS))
    assert len(groups) == 7 and all(lines_in(group) for group in groups)
    (point,) = coordinates(lines_in(groups[0])[0])
    assert (point.ValueType, point.GraphicType, len(lines_in(groups[0]))) == ("SCOORD3D", "POINT", 1)
    np.testing.assert_allclose(point.GraphicData, case.findings.kidneys[0].measures.centroid_lps_mm, atol=1e-3)
    assert len(groups_of(read(tmp_path / DIAMETERS))) == left


def test_without_any_diameter_there_is_no_report_for_viewers(square: Written, tmp_path: Path) -> None:
    case = cut(square[0], everything=True)
    labels = np.where(case.labels == 5, 0, case.labels).astype(np.uint8)
    findings = replace(case.findings, stones=(), stone_burden=())
    files = write_dicom_results(tmp_path, result_of(case.volume, labels, findings), case.series)
    assert DIAMETERS not in {file.name for file in files} and len(groups_of(read(tmp_path / MEASUREMENTS))) == 5


def test_every_number_says_how_it_came_about(square: Written) -> None:
    for group in groups_of(square[1]):
        for number in numbers_in(group):
            assert children(number, METHOD) or children(number, DERIVATION)
    kidney, *_, stone = groups_of(square[1])
    by = {"kidney": kidney, "stone": stone}
    method = {name: children(children(g, "118565006")[0], METHOD)[0].ConceptCodeSequence[0] for name, g in by.items()}
    assert (method["kidney"].CodeValue, method["kidney"].CodingSchemeDesignator) == ("126030", "DCM")
    assert method["stone"].CodeValue == "partial_volume"


def test_the_image_library_describes_the_images_with_lines(written: Written) -> None:
    case, *reports = written
    images = {str(image.SOPInstanceUID): image for image in map(read, case.series.iterdir())}
    for report in reports:
        referenced = {
            str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
            for group in groups_of(report)
            for number in numbers_in(group)
            for item in [
                *number.get("ContentSequence", ()),
                *(c for s in coordinates(number) for c in s.get("ContentSequence", ())),
            ]
            if item.ValueType == "IMAGE"
        }
        listed = []
        for library in children(report, "111028"):
            (group,) = children(library, "126200")
            listed = [item for item in group.ContentSequence if item.ValueType == "IMAGE"]
        uids = [str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID) for item in listed]
        assert len(uids) == len(set(uids)) and referenced <= set(uids) <= set(images)
        for uid, item in zip(uids, listed, strict=True):
            for position in children(item, "110903"):  # Image Position (Patient) Z
                assert float(position.MeasuredValueSequence[0].NumericValue) == images[uid].ImagePositionPatient[2]
