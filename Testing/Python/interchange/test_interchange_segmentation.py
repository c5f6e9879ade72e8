"""What a DICOM segmentation says: codes, sides, colours, algorithm, identifiers, patient; and which segments it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, write_field
from highdicom.color import CIELabColor
from interchange_cases import PIXEL, SHA256, SHAPE, Case, body, make_case, masks_on, read, result_on, stack
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from result_cases import result_of

from KidneySegLib import __version__
from KidneySegLib.errors import InputError
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.interchange.segments import parts_of
from KidneySegLib.structures import BY_KEY, KIDNEY, SIDE_CODES, STRUCTURES, Side


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("case"))


def segmentation_of(case: Case, folder: Path, **options: object) -> Dataset:
    return read(
        write_dicom_results(folder, case.result, case.series, **options)[0]  # type: ignore[arg-type]
    )


def code(item: Dataset) -> tuple[str, str, str]:
    return str(item.CodeValue), str(item.CodingSchemeDesignator), str(item.CodeMeaning)


@pytest.mark.parametrize("labelmap", [False, True])
def test_segments_carry_the_codes_and_sides_of_the_structures(case: Case, tmp_path: Path, labelmap: bool) -> None:
    segments = [s for s in segmentation_of(case, tmp_path, labelmap=labelmap).SegmentSequence if s.SegmentNumber]
    assert [str(s.SegmentLabel) for s in segments] == [
        "Right kidney",
        "Left kidney",
        "Solid mass left",
        "Cyst left",
        "Stone right",
        "Stone left",
    ]
    for segment in segments:
        structure = next(s for s in STRUCTURES if s.name in str(segment.SegmentLabel))
        side = SIDE_CODES[Side.RIGHT if "right" in str(segment.SegmentLabel).lower() else Side.LEFT]
        (category,) = segment.SegmentedPropertyCategoryCodeSequence
        standard = (
            codes.cid7150.AnatomicalStructure if structure.side else codes.cid7150.MorphologicallyAbnormalStructure
        )
        (kind,) = segment.SegmentedPropertyTypeCodeSequence
        assert code(category) == (standard.value, "SCT", standard.meaning)
        assert code(kind) == (structure.type.value, "SCT", structure.type.meaning)
        if structure.side:
            assert "AnatomicRegionSequence" not in segment
            assert code(kind.SegmentedPropertyTypeModifierCodeSequence[0]) == (side.value, "SCT", side.meaning)
        else:
            (region,) = segment.AnatomicRegionSequence
            assert code(region) == (KIDNEY.value, "SCT", KIDNEY.meaning)
            assert code(region.AnatomicRegionModifierSequence[0]) == (side.value, "SCT", side.meaning)
        colour = CIELabColor.from_dicom_value(segment.RecommendedDisplayCIELabValue).to_rgb()
        assert np.abs(np.subtract(colour, structure.colour)).max() <= 1


def test_the_algorithm_is_named_with_versions_and_the_models_checksum(case: Case, tmp_path: Path) -> None:
    for segment in segmentation_of(case, tmp_path).SegmentSequence:
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert segment.SegmentAlgorithmName == f"KidneySeg {__version__}, ct-kidney 1.1.0"
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("KidneySeg", __version__)
        assert code(algorithm.AlgorithmFamilyCodeSequence[0])[:2] == ("123110", "DCM")
        assert algorithm.AlgorithmParameters == f"ct-kidney 1.1.0=sha256:{SHA256}"


def test_structures_that_a_reader_corrected_are_semiautomatic(case: Case, tmp_path: Path) -> None:
    given = segmentation_of(case, tmp_path / "a", corrected=("cyst", "kidney_left"))
    known = result_on(case.series, corrected_by_reader={"cyst": 0.9, "kidney_left": 0.99})
    for segmentation in (given, segmentation_of(known, tmp_path / "b")):
        kinds = {str(s.SegmentLabel): str(s.SegmentAlgorithmType) for s in segmentation.SegmentSequence}
        assert {name for name, kind in kinds.items() if kind == "SEMIAUTOMATIC"} == {"Cyst left", "Left kidney"}


def test_a_segment_per_lesion_holds_the_findings_voxels_under_its_name(case: Case, tmp_path: Path) -> None:
    segmentation = segmentation_of(case, tmp_path, per_lesion=True)
    masks = masks_on(case.volume, segmentation)
    names = [str(s.SegmentLabel) for s in segmentation.SegmentSequence]
    assert names[:2] == ["Right kidney", "Left kidney"]
    found = {str(s.TrackingID): masks[int(s.SegmentNumber)] for s in segmentation.SegmentSequence}
    findings = [*case.findings.lesions, *case.findings.stones]
    assert [finding.id for finding in findings] == ["M1", "C1", "C2", "S1", "S2"]
    for finding in findings:
        mask = found[finding.id]
        assert mask.sum() == finding.measures.voxels
        centre = case.volume.to_lps(np.argwhere(mask)).mean(axis=0)
        np.testing.assert_allclose(centre, finding.measures.centroid_lps_mm, atol=0.02)
    assert sum(names.count(name) for name in ("M1 Solid mass left", "C2 Cyst left", "S2 Stone left")) == 3


def test_voxels_too_small_for_a_finding_are_kept(tmp_path: Path) -> None:
    positions = [np.array((-120.0, -112.0, z)) for z in np.arange(-62.5, 63, 5.0)]
    write_field(tmp_path / "s", positions, field=body, pixel_spacing=(1.5, 1.5), shape=(150, 160))
    case = result_on(tmp_path / "s")
    case.labels[2, 70, 50] = BY_KEY["mass"].label  # 11 mm³ far from everything, on the right
    parts = parts_of(case.result.segmentation, case.findings)
    (rest,) = [part for part in parts if part.finding is None]
    assert (rest.structure.key, rest.side, rest.body.voxels().tolist()) == ("mass", Side.RIGHT, [[2, 70, 50]])
    for per_lesion, label in ((False, "Solid mass right"), (True, "Solid mass right, too small to be listed")):
        segmentation = segmentation_of(case, tmp_path / "out", per_lesion=per_lesion)
        masks = masks_on(case.volume, segmentation)
        (number,) = [int(s.SegmentNumber) for s in segmentation.SegmentSequence if s.SegmentLabel == label]
        assert np.argwhere(masks[number]).tolist() == [[2, 70, 50]]
        assert np.array_equal(np.sum(list(masks.values()), axis=0), case.labels > 0)


def test_patient_and_study_are_those_of_the_images_and_it_says_research(case: Case, tmp_path: Path) -> None:
    image = read(next(case.series.iterdir()))
    paths = write_dicom_results(tmp_path, case.result, case.series, pdf=b"%PDF-1.4\n%%EOF\n")
    for path in paths:
        dataset = read(path)
        for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate"):
            assert dataset[keyword].value == image[keyword].value
        assert dataset.ContentQualification == "RESEARCH"
        assert dataset.SeriesDescription.startswith("KidneySeg ")
        assert dataset.SeriesInstanceUID != image.SeriesInstanceUID
    assert read(paths[0]).FrameOfReferenceUID == image.FrameOfReferenceUID
    assert "Research use only" in read(paths[0]).ContentDescription


def test_every_export_has_identifiers_of_its_own(case: Case, tmp_path: Path) -> None:
    exports = []
    for folder in "ab":
        paths = write_dicom_results(tmp_path / folder, case.result, case.series)
        datasets = [read(path) for path in paths]
        uids = {str(d[k].value) for d in datasets for k in ("SOPInstanceUID", "SeriesInstanceUID")}
        uids |= {str(s.TrackingUID) for s in datasets[0].SegmentSequence}
        assert len(uids) == 6 + len(datasets[0].SegmentSequence)
        exports.append(uids)
    assert not exports[0] & exports[1]


def test_only_frames_that_hold_something_are_stored(case: Case, tmp_path: Path) -> None:
    segmentation = segmentation_of(case, tmp_path)
    slices = sum(int(mask.any(axis=(1, 2)).sum()) for mask in masks_on(case.volume, segmentation).values())
    assert segmentation.NumberOfFrames == slices < len(segmentation.SegmentSequence) * case.labels.shape[0]


def test_an_empty_result_is_refused(case: Case, tmp_path: Path) -> None:
    findings = replace(case.findings, kidneys=(), lesions=(), stones=())
    with pytest.raises(InputError, match="cannot be empty"):
        write_dicom_results(tmp_path, result_of(case.volume, np.zeros_like(case.labels), findings), case.series)
    assert not any(tmp_path.iterdir())


def test_headers_that_are_incomplete_or_wrong_are_mended(tmp_path: Path) -> None:
    wrong = {"PatientName": None, "StudyDate": None, "PatientSex": "MALE", "PatientBirthDate": "unknown"}
    write_field(tmp_path / "s", stack(AXIAL), field=body, pixel_spacing=PIXEL, shape=SHAPE, **wrong)
    case = result_on(tmp_path / "s")
    segmentation = segmentation_of(case, tmp_path / "out")
    for keyword in ("PatientName", "StudyDate", "PatientSex", "PatientBirthDate", "StudyID", "AccessionNumber"):
        assert not segmentation[keyword].value
    assert segmentation.PatientID == "SECRET-ID"


def test_a_series_without_frame_of_reference_is_refused(tmp_path: Path) -> None:
    write_field(tmp_path / "s", stack(AXIAL), field=body, pixel_spacing=PIXEL, shape=SHAPE, FrameOfReferenceUID=None)
    with pytest.raises(InputError, match="frame of reference"):
        segmentation_of(result_on(tmp_path / "s"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
