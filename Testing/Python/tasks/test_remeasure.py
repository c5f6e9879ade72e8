"""A corrected label map is measured again: names stay, corrections are told, other grids are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from reporting_cases import findings_of, oblique, phantom
from result_cases import described_corrected, described_slice, result_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import GeometryError, InputError, OutputError
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings
from KidneySegLib.findings.result import PhaseEstimate
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.correction import corrections
from KidneySegLib.measuring.describe import describe
from KidneySegLib.measuring.instance_map import candidate_map
from KidneySegLib.measuring.instances import LesionCandidate, Segmentation
from KidneySegLib.result_files.labels.files import write_nifti, write_segmentation
from KidneySegLib.result_files.labels.reading import read_labels
from KidneySegLib.result_files.names import RESULT_FILES
from KidneySegLib.result_files.result import Result
from KidneySegLib.tasks.remeasure import remeasure
from KidneySegLib.tasks.run import measure
from KidneySegLib.volume import Volume

ASYMMETRY = {
    "larger": "left",
    "smaller": "right",
    "ratio": 2.0,
    "larger_volume": {"total_ml": 200.0, "lesions_ml": 0.0},
    "smaller_volume": {"total_ml": 100.0, "lesions_ml": 0.0},
}


def two_masses() -> tuple[Volume, np.ndarray]:
    """A phantom whose left kidney has a mass at each pole, M1 (upper) and M2, and each kidney a stone."""
    volume, labels = phantom()
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    labels[18, 34:36, 66:68] = 5
    return volume, labels


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path, Volume, np.ndarray]:
    """Image file, result folder of the network, volume and labels."""
    volume, labels = two_masses()
    sitk.WriteImage(volume.to_image(), str(tmp_path / "image.nii.gz"))
    result_of(volume, labels, findings_of(volume, labels)).write(tmp_path / "network")
    return tmp_path / "image.nii.gz", tmp_path / "network", volume, labels


def test_removed_lesion_and_stone_leave_the_others_their_names(case):
    image, network, volume, labels = case
    corrected = labels.copy()
    corrected[18:][labels[18:] == 3] = 2  # M1, the upper one, was none
    corrected[18, :, :45][labels[18, :, :45] == 5] = 1  # S1, the right one
    write_nifti(network.parent / "mine.nii.gz", volume, corrected)
    run = measure(image, network.parent / "mine.nii.gz", previous=network)
    assert [lesion.id for lesion in run.findings.lesions] == ["M2"]
    assert [stone.id for stone in run.findings.stones] == ["S2"]
    expected = 2 * (corrected == 3).sum() / ((corrected == 3).sum() + (labels == 3).sum())
    told = corrections(run.findings)
    assert set(told) == {"kidney_right", "kidney_left", "mass", "stone"}
    assert told["mass"] == pytest.approx(expected, abs=1e-4)
    assert [f.code for f in run.findings.flags].count("corrected_by_reader") == 4
    assert run.findings.lesions[0].measures == Findings.read(network / "findings.json").lesions[1].measures


def test_structures_that_are_gone_or_new_are_told_without_a_dice(case):
    """A Dice of 0.000 would say nothing of who has drawn them."""
    image, network, volume, labels = case
    corrected = np.where(labels == 3, 4, labels).astype(np.uint8)
    write_nifti(network.parent / "mine.nii.gz", volume, corrected)
    findings = measure(image, network.parent / "mine.nii.gz", previous=network).findings
    told = [flag.message for flag in findings.flags if flag.code == "corrected_by_reader"]
    assert told == ["Solid mass: removed by the reader.", "Cyst: drawn by the reader; the network drew none."]
    assert corrections(findings) == {"mass": 0.0, "cyst": 0.0}
    moved = np.where(labels == 3, 2, labels).astype(np.uint8)
    moved[3:6, 3:6, 3:6] = 3  # elsewhere: both have drawn one
    write_nifti(network.parent / "mine.nii.gz", volume, moved)
    findings = measure(image, network.parent / "mine.nii.gz", previous=network).findings
    assert any("Solid mass" in flag.message and "0.000" in flag.message for flag in findings.flags)


def test_remarks_name_lesions_as_the_list_does_and_untouched_ones_keep_their_confidence():
    volume, labels = two_masses()
    original = findings_of(volume, labels)
    lesions = tuple(replace(lesion, confidence=0.5) for lesion in original.lesions)
    doubt = [f"Solid mass {name}" for name in ("M1", "M2")]
    corrected = labels.copy()
    corrected[18:][labels[18:] == 3] = 2
    findings = described_corrected(volume, corrected, network=labels, original=replace(original, lesions=lesions))
    assert [(lesion.id, lesion.confidence) for lesion in findings.lesions] == [("M2", 0.5)]
    said = [flag.message for flag in findings.flags if flag.code == "low_confidence_lesion"]
    assert len(said) == 1 and said[0].startswith(doubt[1])


def test_split_keeps_the_name_for_the_larger_piece_and_merge_that_of_the_larger_lesion():
    volume, labels = two_masses()
    original = findings_of(volume, labels)
    split = labels.copy()
    split[24][labels[24] == 3] = 2  # M1: the larger piece is the upper one
    findings = described_corrected(volume, split, network=labels, original=original)
    heights = {lesion.id: lesion.measures.centroid_lps_mm[2] for lesion in findings.lesions}
    assert sorted(heights) == ["M1", "M2", "M3"] and heights["M1"] > heights["M3"] > heights["M2"]
    again = split.copy()
    again[25:27, 30:32, 66:70][again[25:27, 30:32, 66:70] == 3] = 2  # M1 loses a corner
    second = described_corrected(volume, again, network=labels, original=original, last=findings)
    assert [lesion.id for lesion in second.lesions] == [lesion.id for lesion in findings.lesions]
    merged = labels.copy()
    merged[8:28, 32:39, 67:74] = 3
    (lesion,) = described_corrected(volume, merged, network=labels, original=original).lesions
    assert lesion.id in ("M1", "M2")


def test_unchanged_labels_give_the_findings_of_the_run(case):
    image, network, volume, labels = case
    run = measure(image, network / "labels.nii.gz", previous=network)
    assert run.findings.to_json() == (network / "findings.json").read_text()
    np.testing.assert_array_equal(run.segmentation.labels, labels)


def test_labels_of_anybody_are_measured_without_an_earlier_result(case):
    image, network, volume, labels = case
    run = measure(image, network / "segmentation.seg.nrrd")
    assert run.findings.lesions == findings_of(volume, labels).lesions
    assert run.findings.provenance.bundles == () and run.findings.provenance.device == "none"
    assert corrections(run.findings) == {}


def test_a_corrected_slice_is_measured_as_one(tmp_path):
    volume, labels = phantom()
    one, drawn = Volume(volume.voxels[18:19], volume.ijk_to_lps), labels[18:19].copy()
    provenance = findings_of(one, drawn).provenance
    findings = described_slice(one, drawn, thickness_mm=4.0, estimated_hu=False, flags=[], provenance=provenance)
    sitk.WriteImage(one.to_image(), str(tmp_path / "slice.nii.gz"))
    result_of(one, drawn, findings).write(tmp_path / "network")
    drawn[:, :, :22][drawn[:, :, :22] == 1] = 0
    write_nifti(tmp_path / "mine.nii.gz", one, drawn)
    for previous in (None, tmp_path / "network"):
        again = measure(tmp_path / "slice.nii.gz", tmp_path / "mine.nii.gz", previous=previous).findings
        assert [flag.code for flag in again.flags].count("single_slice") == 1
        assert again.kidneys[0].measures.length_mm == again.kidneys[0].measures.axial_diameter_mm


def test_another_order_of_axes_and_a_part_of_the_image_fit(tmp_path):
    volume, labels = phantom(rotation=oblique())
    flipped = Volume(volume.voxels[::-1, :, ::-1], _flipped(volume, (0, 2)))
    part = flipped.like(np.ascontiguousarray(labels[::-1, :, ::-1])).crop((slice(2, 36), slice(5, 58), slice(3, 88)))
    sitk.WriteImage(part.to_image(), str(tmp_path / "part.nrrd"))
    np.testing.assert_array_equal(read_labels(tmp_path / "part.nrrd", volume).labels, labels)


def _flipped(volume: Volume, axes: tuple[int, ...]) -> np.ndarray:
    start, matrix = np.zeros(3), np.array(volume.ijk_to_lps)
    for axis in axes:
        start[axis] = volume.voxels.shape[axis] - 1
        matrix[:3, 2 - axis] *= -1
    matrix[:3, 3] = volume.to_lps(start)
    return matrix


def test_segments_are_known_by_name_not_by_number(tmp_path):
    volume, labels = phantom()
    path = tmp_path / "edited.seg.nrrd"
    write_segmentation(path, volume, labels, "test")
    image = sitk.ReadImage(str(path))
    renumbered = volume.like(np.choose(labels, (0, 5, 4, 3, 2, 1)).astype(np.uint8)).to_image()
    for key in image.GetMetaDataKeys():
        if key.startswith("Segment"):
            value = image.GetMetaData(key)
            renumbered.SetMetaData(key, str(6 - int(value)) if key.endswith("_LabelValue") else value)
    renumbered.SetMetaData("Segment0_ID", "Segment_7")  # as Segment Editor calls one that it made
    sitk.WriteImage(renumbered, str(path))
    np.testing.assert_array_equal(read_labels(path, volume).labels, labels)
    renumbered.SetMetaData("Segment0_Tags", "")
    sitk.WriteImage(renumbered, str(path))
    np.testing.assert_array_equal(read_labels(path, volume).labels, labels)
    renumbered.SetMetaData("Segment0_Name", "Right renal artery")
    sitk.WriteImage(renumbered, str(path))
    with pytest.raises(InputError, match="Right renal artery"):
        read_labels(path, volume)


def test_what_does_not_belong_is_refused(case, tmp_path):
    image, network, volume, labels = case
    moved = np.array(volume.ijk_to_lps)
    moved[0, 3] += 1.0
    write_nifti(tmp_path / "moved.nii.gz", Volume(volume.voxels, moved), labels)
    with pytest.raises(GeometryError, match="does not lie"):
        measure(image, tmp_path / "moved.nii.gz")
    write_nifti(tmp_path / "strange.nii.gz", volume, labels * 3)
    with pytest.raises(InputError, match="not a structure of KidneySeg"):
        measure(image, tmp_path / "strange.nii.gz")
    with pytest.raises(InputError, match="complete result"):
        measure(image, network / "labels.nii.gz", previous=tmp_path)
    sitk.WriteImage(Volume(volume.voxels[2:], moved).to_image(), str(tmp_path / "other.nii.gz"))
    write_nifti(tmp_path / "others.nii.gz", Volume(volume.voxels[2:], moved), labels[2:])
    with pytest.raises(GeometryError, match="another image"):
        measure(tmp_path / "other.nii.gz", tmp_path / "others.nii.gz", previous=network)


def test_command_writes_the_same_files_as_segment(case, tmp_path):
    image, network, volume, labels = case
    write_nifti(tmp_path / "mine.nii.gz", volume, np.where(labels == 3, 2, labels).astype(np.uint8))
    arguments = ["measure", str(image), str(tmp_path / "mine.nii.gz"), "--findings", str(network), "-o"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "out"), "--progress", "none"])
    assert done.exit_code == 0, done.output
    assert "corrected by the reader" in done.output and "Solid mass M1" not in done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(RESULT_FILES)
    findings = Findings.from_json((tmp_path / "out" / "findings.json").read_text())
    assert findings.lesions == () and set(corrections(findings)) == {"kidney_left", "mass"}
    refused = CliRunner().invoke(app, [*arguments, str(network)])
    assert isinstance(refused.exception, OutputError)
    once_more = ["measure", str(image), str(tmp_path / "mine.nii.gz"), "--findings", str(tmp_path / "out"), "-o"]
    assert isinstance(CliRunner().invoke(app, [*once_more, str(tmp_path / "two")]).exception, InputError)


def test_front_ends_get_the_same_findings_from_parts_of_label_maps(case, tmp_path):
    image, _network, volume, labels = case
    original = findings_of(volume, labels)
    first, second = labels.copy(), labels.copy()
    first[16:20, 30:34, 20:24] = 3  # the reader draws a mass in the right kidney
    second[16:20, 30:34, 20:23] = 3  # and takes a part of it away again
    last = described_corrected(volume, first, network=labels, original=original)
    expected = described_corrected(volume, second, network=labels, original=original, last=last)
    part = (slice(2, 36), slice(4, 58), slice(3, 88))
    for name, drawn in (("labels", second), ("network", labels)):
        sitk.WriteImage(volume.like(drawn).crop(part).to_image(), str(tmp_path / f"{name}.nrrd"))
    for name, findings in (("network", original), ("last", last)):
        (tmp_path / f"{name}.json").write_text(findings.to_json(), encoding="utf-8")
    names = [str(tmp_path / name) for name in ("labels.nrrd", "network.nrrd", "network.json", "last.json", "out.json")]
    options = ["--network-labels", "--network", "--last", "--output"]
    words = [word for pair in zip(options, names[1:], strict=True) for word in pair]
    done = CliRunner().invoke(app, ["remeasure", str(image), names[0], *words])
    assert done.exit_code == 0, done.exception
    assert Findings.read(Path(names[-1])).to_json() == expected.to_json()
    assert "remeasure" not in CliRunner().invoke(app, ["--help"]).output, "it is for programs"


def test_front_ends_keep_the_candidates_of_a_corrected_result(case, tmp_path):
    """The upper mass was left a candidate; the reader corrects something else, or draws it."""
    image, network, volume, labels = case
    exam, before = Exam(volume), labels.copy()
    before[18:][labels[18:] == 3] = 2
    upper = next(each for each in Result.read(network).segmentation.instances if each.structure.key == "mass")
    segmentation = replace(Segmentation.of(exam.volume, before), candidates=(LesionCandidate(upper, 0.4),))
    original = describe(exam, segmentation, provenance=Findings.read(network / "findings.json").provenance)
    sitk.WriteImage(candidate_map(segmentation).to_image(), str(tmp_path / "candidates.nrrd"))
    (tmp_path / "network.json").write_text(original.to_json(), encoding="utf-8")
    write_nifti(tmp_path / "network.nii.gz", volume, before)
    write_nifti(tmp_path / "other.nii.gz", volume, np.where(labels == 5, 2, before).astype(np.uint8))
    files = [tmp_path / name for name in ("network.nii.gz", "network.json", "candidates.nrrd")]
    other, drawn = (remeasure(image, path, *files) for path in (tmp_path / "other.nii.gz", network / "labels.nii.gz"))
    assert [each.id for each in other.candidates] == ["P1"]
    assert [(each.id, each.reading.was) for each in drawn.lesions] == [("M2", "P1"), ("M1", None)]
    assert drawn.candidates == ()


def test_bodies_that_nobody_changed_are_not_measured_again(monkeypatch):
    from KidneySegLib.measuring import anatomy

    volume, labels = two_masses()
    original = findings_of(volume, labels)
    corrected = labels.copy()
    corrected[18:][labels[18:] == 3] = 2  # M1
    whole = described_corrected(volume, corrected, network=labels, original=original)
    sizes = []
    measure_body = anatomy.measure

    def recorded(volume, mask, offset):
        sizes.append(np.count_nonzero(mask))
        return measure_body(volume, mask, offset)

    monkeypatch.setattr(anatomy, "measure", recorded)
    assert described_corrected(volume, corrected, network=labels, original=original) == whole
    assert sizes == [(corrected == 2).sum()], "the left kidney only"
    assert whole.kidneys[0] == original.kidneys[0]


def test_no_correction_loses_the_contrast_phase():
    volume, labels = two_masses()
    sure = PhaseEstimate("corticomedullary", 0.9)
    original = replace(findings_of(volume, labels), phase=sure)
    corrected = labels.copy()
    corrected[labels == 1] = 0
    corrected[:29][labels[:29] == 2] = 0  # what is left tells nothing
    half = described_corrected(volume, corrected, network=labels, original=original)
    assert half.phase == sure
    assert "masses_in_early_phase" in [flag.code for flag in half.flags]
    nothing = described_corrected(volume, np.zeros_like(labels), network=labels, original=original)
    assert nothing.phase.phase == "unknown", "there is no kidney that could tell it"
    unsure = replace(original, phase=PhaseEstimate("excretory", 0.0))
    told = described_corrected(volume, np.where(labels == 3, 2, labels), network=labels, original=unsure)
    assert told.phase == findings_of(volume, labels).phase, "a new estimate that is surer counts"


def test_remarks_on_the_image_and_on_its_reading_stay_as_they_were():
    volume, labels = two_masses()
    flags = (Flag.of("noise", noise_hu=40), Flag.of("straightened"), Flag.of("asymmetry", **ASYMMETRY))
    original = replace(findings_of(volume, labels), flags=flags)
    corrected = np.where(labels == 3, 2, labels).astype(np.uint8)
    codes = [f.code for f in described_corrected(volume, corrected, network=labels, original=original).flags]
    assert codes[:2] == ["noise", "straightened"] and codes.count("noise") == 1
    assert "asymmetry" not in codes, "it is said anew, where it still holds"
