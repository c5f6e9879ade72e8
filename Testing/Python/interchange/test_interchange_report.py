"""The measurement report (TID 1500): numbers, lines, codes, and how it refers to segmentation and images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from highdicom.sr import Comprehensive3DSR
from interchange_cases import Case, make_case, read
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes

from KidneySegLib.findings import KidneyFinding, LesionFinding, RejectedFinding, StoneFinding
from KidneySegLib.findings.marks import confirmed, named
from KidneySegLib.flags import Flag
from KidneySegLib.interchange.measurements import numbers_of
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.structures import SIDE_CODES

Finding = KidneyFinding | LesionFinding | StoneFinding
NAMES = ["Right kidney", "Left kidney", "M1", "C1", "C2", "S1", "S2"]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="module", params=[False, True], ids=["per structure", "per lesion"])
def written(request: pytest.FixtureRequest, case: Case, tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """Segmentation, report and diameters for viewers."""
    folder = tmp_path_factory.mktemp("out")
    paths = write_dicom_results(folder, case.result, case.series, per_lesion=request.param)
    return [read(path) for path in paths]


def groups_of(report: Dataset) -> dict[str, Dataset]:
    """The measurement groups by tracking identifier, taken by hand."""
    return {str(child(group, "112039").TextValue): group for group in child(report, "126010").ContentSequence}


def child(item: Dataset, code: str) -> Dataset:
    (found,) = [c for c in item.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == code]
    return found


def numbers_in(group: Dataset) -> dict[tuple[str, str], tuple[float, str]]:
    """Value and unit by name and derivation."""
    values = {}
    for item in (c for c in group.ContentSequence if c.ValueType == "NUM"):
        derivation = [
            c.ConceptCodeSequence[0].CodeMeaning
            for c in item.get("ContentSequence", ())
            if c.ConceptNameCodeSequence[0].CodeValue == "121401"
        ]
        (measured,) = item.MeasuredValueSequence
        unit = measured.MeasurementUnitsCodeSequence[0]
        assert unit.CodingSchemeDesignator == "UCUM"
        name = str(item.ConceptNameCodeSequence[0].CodeMeaning)
        values[name, str(derivation[0]) if derivation else ""] = float(measured.NumericValue), str(unit.CodeValue)
    return values


def coded_items(dataset: Dataset) -> Iterator[Dataset]:
    """All codes of a data set, at any depth."""
    for element in dataset:
        for item in element.value if element.VR == "SQ" else ():
            if "CodeValue" in item:
                yield item
            yield from coded_items(item)


def all_findings(case: Case) -> list[Finding]:
    return [*case.findings.kidneys, *case.findings.lesions, *case.findings.stones]


def test_each_finding_has_a_group_with_its_numbers_and_units(case: Case, written: list[Dataset]) -> None:
    groups = groups_of(written[1])
    assert list(groups) == NAMES
    for group, finding in zip(groups.values(), all_findings(case), strict=True):
        measures, found = finding.measures, numbers_in(group)
        corrected = finding if isinstance(finding, StoneFinding) else measures
        expected = {
            ("Attenuation Coefficient", "Mean"): (corrected.hu_mean, "[hnsf'U]"),
            ("Attenuation Coefficient", "Standard Deviation"): (measures.hu_sd, "[hnsf'U]"),
            ("Attenuation Coefficient", "Minimum"): (measures.hu_min, "[hnsf'U]"),
            ("Attenuation Coefficient", "Maximum"): (measures.hu_max, "[hnsf'U]"),
            ("Long Axis", ""): (measures.axial_diameter_mm, "mm"),
            ("Short Axis", ""): (measures.perpendicular_mm, "mm"),
            ("Length", ""): (corrected.length_mm, "mm"),
            ("Volume", ""): (corrected.volume_ml, "ml"),
        }
        if isinstance(finding, KidneyFinding):
            organ = ("Volume of kidney with its masses, cysts and stones", "")
            expected[organ] = (finding.organ_volume_ml, "ml")
        assert {key: unit for key, (_, unit) in found.items()} == {key: unit for key, (_, unit) in expected.items()}
        for key, (value, _) in expected.items():
            assert found[key][0] == pytest.approx(value, rel=1e-6)


def test_measurements_are_in_one_order_so_that_tables_by_position_hold(written: list[Dataset]) -> None:
    orders = [list(numbers_in(group)) for group in groups_of(written[1]).values()]
    for order in orders[1:]:
        assert order == orders[0][: len(order)]


def test_what_cannot_be_measured_is_left_out_at_the_end_only(case: Case) -> None:
    stone = replace(case.findings.stones[0], below_resolution=True, length_mm=None, volume_ml=None)
    kidney = case.findings.kidneys[0]
    flat = replace(kidney.measures, volume_ml=float("nan"))
    slab = replace(kidney, measures=flat, organ_volume_ml=float("nan"))
    whole = [number.name for number in numbers_of(kidney)]
    for finding, missing in ((stone, 3), (slab, 2)):
        assert [number.name for number in numbers_of(finding)] == whole[:-missing]


def test_lengths_are_lines_in_patient_coordinates_on_their_image(case: Case, written: list[Dataset]) -> None:
    heights = {str(d.SOPInstanceUID): float(d.ImagePositionPatient[2]) for d in map(read, case.series.iterdir())}
    frame_of_reference = written[0].FrameOfReferenceUID
    for group, finding in zip(groups_of(written[1]).values(), all_findings(case), strict=True):
        m = finding.measures
        for code, start, end, axial in (
            ("103339001", m.axial_start_lps_mm, m.axial_end_lps_mm, True),
            ("103340004", m.perpendicular_start_lps_mm, m.perpendicular_end_lps_mm, True),
            ("410668003", m.length_start_lps_mm, m.length_end_lps_mm, False),
        ):
            items = child(group, code).ContentSequence
            (line,) = [item for item in items if item.ValueType == "SCOORD3D"]
            assert (line.GraphicType, line.RelationshipType) == ("POLYLINE", "INFERRED FROM")
            assert line.ReferencedFrameOfReferenceUID == frame_of_reference
            np.testing.assert_allclose(np.reshape(line.GraphicData, (2, 3)), (start, end), atol=1e-3)
            images = [item.ReferencedSOPSequence[0] for item in items if item.ValueType == "IMAGE"]
            if axial:
                assert heights[str(images[0].ReferencedSOPInstanceUID)] == pytest.approx(start[2], abs=0.01)
            else:
                assert not images or start[2] == pytest.approx(end[2], abs=0.03)


def test_findings_name_type_site_and_side(case: Case, written: list[Dataset]) -> None:
    types = {"Right kidney": "64033007", "Left kidney": "64033007", "M": "4147007", "C": "367643001", "S": "56381008"}
    for (name, group), finding in zip(groups_of(written[1]).items(), all_findings(case), strict=True):
        kind = child(group, "121071").ConceptCodeSequence[0]
        assert kind.CodeValue == types.get(name, types.get(name[0], ""))
        site = child(group, "363698007")
        assert site.ConceptCodeSequence[0].CodeValue == "64033007"
        assert child(site, "272741003").ConceptCodeSequence[0].CodeValue == SIDE_CODES[finding.side].value
    lower = next(lesion for lesion in case.findings.lesions if lesion.pole == "lower")
    pole = child(child(groups_of(written[1])[lower.id], "363698007"), "106233006")
    assert pole.ConceptCodeSequence[0].CodeValue == "261089000"


def test_every_code_is_one_of_the_standards(written: list[Dataset]) -> None:
    """Code, scheme and meaning as pydicom's tables of PS3.16 have them."""
    known = {
        (value, scheme, meaning.lower())
        for scheme, keywords in concepts.items()
        for codes_of_keyword in keywords.values()
        for value, (meaning, _) in codes_of_keyword.items()
    }
    # SNOMED CT's and UCUM's own, which context groups do not list
    known |= {("56381008", "SCT", "calculus"), ("ml", "UCUM", "milliliter"), ("mm", "UCUM", "millimeter")}
    known |= {("{pixels}", "UCUM", "pixels"), ("{-1:1}", "UCUM", "{-1:1}")}  # of the image library, TID 1602 and 1604
    # concept names of TID 1204, 1501 and 320, which the tables leave out
    known |= {("en-US", "RFC5646", "english (united states)")}
    known |= {("276214006", "SCT", "finding category"), ("260753009", "SCT", "source")}
    found = {
        (str(item.CodeValue), str(item.CodingSchemeDesignator), str(item.CodeMeaning).lower())
        for dataset in written
        for item in coded_items(dataset)
    }
    assert len(found) > 30
    assert {code for code in found - known if code[1] != "99KIDNEYSEG"} == set()


def test_a_group_refers_to_the_segment_that_holds_it_alone(written: list[Dataset]) -> None:
    segmentation, report, _ = written
    segments = {str(s.TrackingID): s for s in segmentation.SegmentSequence}
    groups = groups_of(report)
    shared = {"C1", "C2"} if len(segments) == 6 else set()
    for name, group in groups.items():
        references = [c for c in group.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == "121191"]
        if name in shared:
            assert not references and name not in segments
            continue
        (reference,) = references[0].ReferencedSOPSequence
        assert reference.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
        assert reference.ReferencedSegmentNumber == segments[name].SegmentNumber
        assert segments[name].TrackingUID == child(group, "112040").UID
        assert segmentation.ReferencedSeriesSequence[0].SeriesInstanceUID == child(group, "121232").UID


def test_all_images_and_the_segmentation_are_listed_as_evidence(case: Case, written: list[Dataset]) -> None:
    (study,) = written[1].CurrentRequestedProcedureEvidenceSequence
    listed = {str(i.ReferencedSOPInstanceUID) for s in study.ReferencedSeriesSequence for i in s.ReferencedSOPSequence}
    images = {str(read(path).SOPInstanceUID) for path in case.series.iterdir()}
    assert listed == images | {str(written[0].SOPInstanceUID)}


def test_highdicom_reads_the_groups(written: list[Dataset]) -> None:
    content = Comprehensive3DSR.from_dataset(written[1]).content
    volumetric = content.get_volumetric_roi_measurement_groups()
    plain = content.get_image_measurement_groups()
    assert not content.get_planar_roi_measurement_groups()  # what Slicer asks for first
    assert sorted(g.tracking_identifier for g in [*volumetric, *plain]) == sorted(NAMES)
    (mass,) = content.get_volumetric_roi_measurement_groups(finding_type=codes.SCT.Mass)
    assert [m.value for m in mass.get_measurements(name=codes.SCT.Volume)][0] > 0


def test_groups_follow_the_segments_where_each_lesion_is_one(written: list[Dataset]) -> None:
    """Slicer gives the n-th segment the identifier of the n-th group."""
    segmentation, report, _ = written
    if len(segmentation.SegmentSequence) == len(NAMES):
        assert [str(s.TrackingID) for s in segmentation.SegmentSequence] == list(groups_of(report))
    else:
        assert len(segmentation.SegmentSequence) == 6


def test_what_a_reader_made_of_a_lesion_is_in_its_group(case: Case, tmp_path: Path) -> None:
    marked = named(confirmed(case.findings, "M1"), "C2", "follow-up")
    gone = RejectedFinding(case.findings.lesions[1], "background")
    flags = (*marked.flags, Flag.of("rejected_by_reader", findings=["C9"]))
    findings = replace(marked, rejected=(gone,), flags=flags)
    written = write_dicom_results(tmp_path, replace(case.result, findings=findings), case.series)
    report = read(written[1])
    states = {}
    for name, group in groups_of(report).items():
        codes_of = [c for c in group.ContentSequence if c.ConceptNameCodeSequence[0].CodeValue == "reading_state"]
        states[name] = [str(c.ConceptCodeSequence[0].CodeValue) for c in codes_of]
    assert states["Right kidney"] == [] and states["M1"] == ["confirmed"]
    assert states["C1"] == states["S2"] == ["found"]
    (comment,) = [
        c for c in groups_of(report)["C2"].ContentSequence if c.ValueType == "TEXT" and c.TextValue == "follow-up"
    ]
    assert comment.ConceptNameCodeSequence[0].CodeValue == codes.DCM.Comment.value
    said = [c.TextValue for c in report.ContentSequence if c.ValueType == "TEXT"]
    assert "Rejected by the reader and not counted: C9." in said
    assert list(groups_of(report)) == NAMES
