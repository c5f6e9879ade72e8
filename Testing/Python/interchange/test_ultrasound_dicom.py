"""Outline and measures of an ultrasound image as DICOM: which frame they lie on, in which units and codes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from ultrasound_cases import LENGTH_MM, WIDTH_MM, dataset, ellipse, findings_of, frame, region, result_of, write

from KidneySegLib.errors import InputError
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.measuring.ultrasound.ellipsoid import with_volume
from KidneySegLib.result_files.result import Result


def exported(folder: Path, path: Path, result: Result | None = None) -> tuple[Dataset, Dataset, Result]:
    """SEG and SR of an image, written and read again, and the result that they are of."""
    result = result or result_of(path)
    files = write_dicom_results(folder / "out", result, path)
    assert [file.name for file in files][:2] == ["segmentation.seg.dcm", "measurements.sr.dcm"]
    return dcmread(files[0]), dcmread(files[1]), result


def numbers(report: Dataset) -> dict[str, Dataset]:
    """The report's measurements by the meaning of their names."""
    found = {}
    stack = [report]
    while stack:
        item = stack.pop()
        if item.get("ValueType") == "NUM":
            found[item.ConceptNameCodeSequence[0].CodeMeaning] = item
        stack += list(item.get("ContentSequence", []))
    return found


def value(item: Dataset) -> tuple[float, str]:
    of = item.MeasuredValueSequence[0]
    return float(of.NumericValue), of.MeasurementUnitsCodeSequence[0].CodeValue


def test_the_outline_lies_on_the_image(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()], Laterality="L")
    segmentation, _, result = exported(tmp_path, path)
    image = dcmread(path)
    assert "FrameOfReferenceUID" not in segmentation
    assert segmentation.StudyInstanceUID == image.StudyInstanceUID and segmentation.PatientID == image.PatientID
    source = segmentation.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert source.ReferencedSOPInstanceUID == image.SOPInstanceUID and "ReferencedFrameNumber" not in source
    np.testing.assert_array_equal(np.squeeze(segmentation.pixel_array), result.segmentation.labels[0] > 0)
    (segment,) = segmentation.SegmentSequence
    assert segment.SegmentLabel == "Left kidney"
    kind = segment.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning) == ("64033007", "Left")


def test_a_kidney_without_a_side_claims_none(tmp_path: Path) -> None:
    segmentation, report, _ = exported(tmp_path, write(tmp_path, frame(), [region()]))
    (segment,) = segmentation.SegmentSequence
    assert segment.SegmentLabel == "Kidney"
    assert "SegmentedPropertyTypeModifierCodeSequence" not in segment.SegmentedPropertyTypeCodeSequence[0]
    assert "Laterality" not in str(report)


def test_the_measures_have_standard_codes_and_lines_in_the_frame(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    segmentation, report, result = exported(tmp_path, path)
    found = numbers(report)
    codes = {name: item.ConceptNameCodeSequence[0].CodeValue for name, item in found.items()}
    assert codes == {"Length": "410668003", "Width": "103355008", "Area": "42798000"}
    assert value(found["Length"]) == (pytest.approx(LENGTH_MM, rel=0.03), "mm")
    assert value(found["Width"]) == (pytest.approx(WIDTH_MM, rel=0.03), "mm")
    assert value(found["Area"]) == (pytest.approx(3619, rel=0.02), "mm2")
    line = next(item for item in found["Length"].ContentSequence if item.ValueType == "SCOORD")
    ends = np.reshape(line.GraphicData, (2, 2))
    of = result.findings.views[0].measures
    np.testing.assert_allclose(ends, np.array([of.length_start_px, of.length_end_px]) + 0.5, atol=0.01)
    image = line.ContentSequence[0].ReferencedSOPSequence[0]
    assert image.ReferencedSOPInstanceUID == dcmread(path).SOPInstanceUID
    assert segmentation.SOPInstanceUID in str(report)


def test_viewers_take_length_and_width_as_their_own_measurement(tmp_path: Path) -> None:
    path = write(tmp_path, np.stack([frame(), frame(ellipse(radii=(20, 40)))]), [region()], Laterality="R")
    segmentation, _, result = exported(tmp_path, path)
    report = dcmread(tmp_path / "out" / "viewer_diameters.sr.dcm")
    found, of = numbers(report), result.findings.views[0].measures
    assert set(found) == {"Long Axis", "Short Axis"}
    for name, size, ends in (
        ("Long Axis", of.length_mm, (of.length_start_px, of.length_end_px)),
        ("Short Axis", of.width_mm, (of.width_start_px, of.width_end_px)),
    ):
        assert value(found[name]) == (pytest.approx(size), "mm")
        (line,) = found[name].ContentSequence
        np.testing.assert_allclose(np.reshape(line.GraphicData, (2, 2)), np.array(ends) + 0.5, atol=0.01)
        image = line.ContentSequence[0].ReferencedSOPSequence[0]
        assert (image.ReferencedSOPInstanceUID, image.ReferencedFrameNumber) == (dcmread(path).SOPInstanceUID, 1)
    texts = {str(element.value) for element in report.iterall() if element.keyword in ("TextValue", "UID")}
    assert any(text.startswith("Cornerstone3DTools@^0.1.0:Bidirectional:") for text in texts)
    assert {"Right kidney", segmentation.SegmentSequence[0].TrackingUID} <= texts


def test_of_a_loop_the_frame_that_was_measured_is_exported(tmp_path: Path) -> None:
    frames = [frame(ellipse(radii=(24, length)), seed=n) for n, length in enumerate((40, 50, 60, 45))]
    path = write(tmp_path, np.stack(frames), [region()])
    segmentation, report, result = exported(tmp_path, path)
    assert segmentation.NumberOfFrames == 1 and result.findings.views[0].frame == 3
    source = segmentation.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert source.ReferencedFrameNumber == 3 and source.ReferencedSOPClassUID == dcmread(path).SOPClassUID
    np.testing.assert_array_equal(np.squeeze(segmentation.pixel_array), result.segmentation.labels[2] > 0)
    line = next(item for item in numbers(report)["Length"].ContentSequence if item.ValueType == "SCOORD")
    assert line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedFrameNumber == 3


def test_without_a_pixel_size_the_report_counts_pixels_and_says_so(tmp_path: Path) -> None:
    _, report, _ = exported(tmp_path, write(tmp_path, frame()))
    found = numbers(report)
    assert {value(item)[1] for item in found.values()} == {"{pixels}"}
    assert value(found["Length"])[0] == pytest.approx(120, rel=0.03)
    said = [item.TextValue for item in report.ContentSequence if item.ValueType == "TEXT"]
    assert any("in pixels, not in millimetres" in text for text in said)


def test_the_volume_of_two_views_names_its_method(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    (tmp_path / "across").mkdir()
    across = findings_of(write(tmp_path / "across", frame(ellipse(radii=(25, 30))), [region()]))
    result = result_of(path)
    both = Result(result.exam, result.segmentation, with_volume(result.findings, across))
    _, report, _ = exported(tmp_path, path, both)
    volume = numbers(report)["Volume"]
    assert value(volume)[1] == "ml" and "126029" in str(volume)


def test_what_the_image_cuts_has_no_length_in_the_report(tmp_path: Path) -> None:
    path = write(tmp_path, frame()[:, :190], [region((0, 0, 190, 240))])
    _, report, _ = exported(tmp_path, path)
    assert set(numbers(report)) == {"Area"}
    assert not (tmp_path / "out" / "viewer_diameters.sr.dcm").exists()


def test_another_image_or_a_picture_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    result = result_of(path)
    dataset(frame(), [region()]).save_as(tmp_path / "other.dcm", enforce_file_format=True)
    (tmp_path / "alone").mkdir()
    (tmp_path / "other.dcm").rename(tmp_path / "alone" / "other.dcm")
    with pytest.raises(InputError, match="another series"):
        write_dicom_results(tmp_path / "out", result, tmp_path / "alone" / "other.dcm")
    with pytest.raises(InputError, match="Leave out --labelmap"):
        write_dicom_results(tmp_path / "out", result, path, labelmap=True)
    empty = result_of(write(tmp_path, frame(np.zeros((240, 320), bool)), [region()]))
    with pytest.raises(InputError, match="Nothing is outlined"):
        write_dicom_results(tmp_path / "out", empty, path)


def test_highdicom_reads_the_segmentation(tmp_path: Path) -> None:
    exported(tmp_path, write(tmp_path, frame(), [region()]))
    read = highdicom.seg.segread(tmp_path / "out" / "segmentation.seg.dcm")
    assert read.number_of_segments == 1


RETIRED_LOOP = "1.2.840.10008.5.1.4.1.1.3"


@pytest.mark.parametrize("kind", ["image", "loop", "no pixel size"])
def test_dciodvfy_finds_no_error(tmp_path: Path, kind: str) -> None:
    program = shutil.which("dciodvfy") or pytest.skip("dciodvfy is not installed here")
    pixels = np.stack([frame(seed=n) for n in range(3)]) if kind == "loop" else frame()
    exported(tmp_path, write(tmp_path, pixels, None if kind == "no pixel size" else [region()]))
    for file in sorted((tmp_path / "out").glob("*.dcm")):
        done = subprocess.run([program, "-new", str(file)], capture_output=True, text=True, check=False)
        assert not [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")], file.name


@pytest.mark.parametrize("sop_class", [None, RETIRED_LOOP])
def test_a_loop_keeps_its_class_in_every_reference(tmp_path: Path, sop_class: str | None) -> None:
    attributes = {"SOPClassUID": sop_class} if sop_class else {}
    path = write(tmp_path, np.stack([frame(seed=n) for n in range(3)]), [region()], **attributes)
    exported(tmp_path, path)
    image = dcmread(path)
    for file in sorted((tmp_path / "out").glob("*.dcm")):
        items = [item for element in dcmread(file).iterall() if element.VR == "SQ" for item in element.value]
        named = [item for item in items if item.get("ReferencedSOPInstanceUID") == image.SOPInstanceUID]
        assert {item.ReferencedSOPClassUID for item in named} == {image.SOPClassUID}, file.name
