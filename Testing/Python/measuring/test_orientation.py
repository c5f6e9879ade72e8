"""Anatomy against the header: contradictions are told in every place that shows a side, and nothing else is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from orientation_cases import MIRRORS, ROTATIONS, anatomy_says, mislabelled, patient, turned
from reporting_cases import findings_of

from KidneySegLib.commands.summary import summarise
from KidneySegLib.findings import Findings
from KidneySegLib.flags import Severity
from KidneySegLib.languages.language import Language
from KidneySegLib.measuring.orientation.doubt import orientation_flags
from KidneySegLib.measuring.orientation.verdict import Orientation, Verdict
from KidneySegLib.pictures.overview import draw_overview
from KidneySegLib.pictures.views import ViewFinder
from KidneySegLib.readers.input import read_input
from KidneySegLib.reporting.content.tables import findings_tables
from KidneySegLib.result_files.labels.files import write_segmentation
from KidneySegLib.result_files.labels.reading import read_labels
from KidneySegLib.result_files.tables import write_measurements
from KidneySegLib.sample.tissues import Phase
from KidneySegLib.volume import Volume, read_image

PRONE = ROTATIONS["prone called supine"]
EXPECTED = {
    "prone called supine": Orientation(Verdict.CONTRADICTS, "front", liver=True),
    "feet first called head first": Orientation(Verdict.CONTRADICTS, "", liver=True, head=True),
    "feet first prone called head first supine": Orientation(Verdict.CONTRADICTS, "front", head=True),
    "on the right side, called supine": Orientation(Verdict.CONTRADICTS, "left"),
    "on the left side, called supine": Orientation(Verdict.CONTRADICTS, "right"),
    "sides": Orientation(Verdict.CONTRADICTS, "", liver=True),
    "front and back": Orientation(Verdict.CONTRADICTS, "front"),
    "head and feet": Orientation(Verdict.CONTRADICTS, "", head=True),
}


def judged(flips: tuple[int, ...], quarters: int, phase: Phase = Phase.NON_CONTRAST, drawn: bool = True) -> Orientation:
    volume, labels = patient(phase)
    outlines = mislabelled(labels, flips, quarters)
    return anatomy_says(volume.like(turned(volume.voxels, flips, quarters)), outlines if drawn else outlines * 0)


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("name", [*ROTATIONS, *MIRRORS])
def test_a_wrong_header_is_told_by_what_it_turned(name: str, phase: Phase) -> None:
    assert judged(*{**ROTATIONS, **MIRRORS}[name], phase) == EXPECTED[name]


@pytest.mark.parametrize("name", list(ROTATIONS))
def test_a_turned_patient_is_told_where_no_kidney_was_outlined(name: str) -> None:
    assert judged(*ROTATIONS[name], drawn=False).verdict is Verdict.CONTRADICTS


def stored(volume: Volume, labels: np.ndarray, permutation: tuple[int, int, int], flips: tuple[int, ...]):
    """The same patient and header in another order of storage."""
    matrix = np.array(volume.ijk_to_lps)
    first = np.zeros(3)
    for axis in flips:
        first[axis] = volume.voxels.shape[axis] - 1
        matrix[:3, 2 - axis] *= -1
    matrix[:3, 3] = volume.to_lps(first)
    columns = [2 - permutation[2 - column] for column in range(3)]
    matrix[:3, :3] = matrix[:3, columns]
    return (
        Volume(np.flip(volume.voxels, flips).transpose(permutation), matrix),
        np.flip(labels, flips).transpose(permutation),
    )


@pytest.mark.parametrize(
    ("permutation", "flips"),
    [((0, 1, 2), (0,)), ((0, 1, 2), (2,)), ((0, 2, 1), (1, 2)), ((2, 1, 0), ()), ((1, 2, 0), (0, 1, 2))],
)
def test_any_order_of_storage_agrees(permutation: tuple[int, int, int], flips: tuple[int, ...]) -> None:
    assert anatomy_says(*stored(*patient(), permutation, flips)).verdict is Verdict.AGREES


@pytest.mark.parametrize("window", [(-1024, 300), (-150, 250), (-110, 190), (-40, 280)])
def test_display_windows_hide_neither_agreement_nor_contradiction(window: tuple[int, int]) -> None:
    volume, labels = patient()
    clipped = np.clip(volume.voxels, *window)
    assert anatomy_says(volume.like(clipped), labels).verdict is Verdict.AGREES
    prone = anatomy_says(volume.like(turned(clipped, *PRONE)), mislabelled(labels, *PRONE))
    assert prone.spine == "front"


@pytest.mark.parametrize(
    "box",
    [
        np.s_[:, :45, :],  # the front half, without the spine
        np.s_[:, 22:, :45],
        np.s_[:, :, 48:],
        np.s_[:, :, :46],
        np.s_[:, 37:, 22:75],
        np.s_[20:24, :52, :],
        np.s_[:, :30, :30],
        np.s_[30:31],
    ],
)
def test_crops_and_slabs_never_contradict(box: tuple[slice, ...]) -> None:
    volume, labels = patient()
    box = tuple(box) if isinstance(box, tuple) else (box,)
    box = (*box, *(slice(None),) * (3 - len(box)))
    matrix = np.array(volume.ijk_to_lps)
    part = Volume(np.ascontiguousarray(volume.voxels[box]), matrix)
    assert anatomy_says(part, np.ascontiguousarray(labels[box])).verdict is not Verdict.CONTRADICTS


@pytest.mark.parametrize("value", [-1000, 0, 60, 3000])
def test_nothing_is_told_of_an_image_without_anatomy(value: int) -> None:
    empty = Volume(np.full((20, 30, 30), value, np.int16), np.diag([3.0, 3.0, 4.0, 1.0]))
    assert anatomy_says(empty, np.zeros(empty.voxels.shape, np.uint8)) == Orientation(Verdict.UNKNOWN)


def test_a_smaller_patient_agrees_and_is_told_when_turned() -> None:
    volume, labels = patient()
    child = Volume(volume.voxels, np.diag([0.55, 0.55, 0.55, 1.0]) @ volume.ijk_to_lps)
    assert anatomy_says(child, labels).verdict is Verdict.AGREES
    prone = child.like(turned(volume.voxels, *PRONE))
    assert anatomy_says(prone, mislabelled(labels, *PRONE)).spine == "front"


def test_contrast_medium_in_the_bowel_and_metal_do_not_make_a_spine_in_front() -> None:
    volume, labels = patient()
    voxels = volume.voxels.copy()
    voxels[25:50, 22:31, 37:58] = 400  # stomach full of contrast medium
    voxels[20:30, 45:48, 56:59] = 3071
    assert anatomy_says(volume.like(voxels), labels).verdict is not Verdict.CONTRADICTS


def turned_findings() -> tuple[Volume, np.ndarray, Findings]:
    volume, labels = patient()
    volume, labels = volume.like(turned(volume.voxels, *PRONE)), mislabelled(labels, *PRONE)
    return volume, labels, findings_of(volume, labels)


def test_no_side_is_claimed_that_the_anatomy_contradicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume, labels, findings = turned_findings()
    (flag,) = [flag for flag in findings.flags if flag.code == "orientation_contradicted"]
    assert flag.severity is Severity.ERROR and "the spine lies in front and the liver lies on the left" in flag.message
    assert not findings.sides_certain
    values = findings.to_dict()
    sides = [each["side"] for group in ("kidneys", "lesions", "stones", "stone_burden") for each in values[group]]
    assert len(sides) >= 6 and set(sides) == {"header-right", "header-left"}
    again = Findings.from_json(findings.to_json())
    assert again.to_json() == findings.to_json() and not again.kidneys[0].side_certain
    write_measurements(tmp_path / "m.csv", findings)
    with (tmp_path / "m.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["side"] for row in rows} == {"header-right", "header-left"}
    assert [row["name"] for row in rows[:2]] == ["Header-right kidney", "Header-left kidney"]
    assert [row["label_value"] for row in rows[:2]] == ["1", "2"]
    summarise(findings)
    assert "Header-right kidney" in capsys.readouterr().out
    assert all("right kidney" not in f.message.replace("header-right kidney", "") for f in findings.flags)
    assert set("".join(ViewFinder(volume, labels, sides_certain=False).coronal().letters)) == set("RLHF?")
    draw_overview(volume, labels, findings)


@pytest.mark.parametrize("code", ["en", "es", "tr"])
def test_the_report_says_so_in_its_language(code: str) -> None:
    _, _, findings = turned_findings()
    language = Language.of(code)
    word = {"en": "Header-right kidney", "es": "según el encabezado", "tr": "Başlığa göre"}[code]
    assert word in findings_tables(findings, language, 9)[0].rows[0][0]
    for orientation in EXPECTED.values():
        for flag in orientation_flags(orientation):
            text = flag.said(language)
            assert "{" not in text and len(text) <= 400
            assert code == "en" or not {"spine", "liver", "head"} & set(text.split())


def test_a_liver_on_the_left_alone_is_a_doubt() -> None:
    (flag,) = orientation_flags(EXPECTED["sides"])
    assert flag.code == "liver_on_left" and flag.severity is Severity.WARNING and "situs inversus" in flag.message


def test_segments_without_a_claimed_side_are_read_back(tmp_path: Path) -> None:
    volume, labels, _ = turned_findings()
    write_segmentation(tmp_path / "a.seg.nrrd", volume, labels, "test", sides_certain=False)
    text = (tmp_path / "a.seg.nrrd").read_bytes()[:4000].decode("latin-1")
    assert "Header-right kidney" in text and "24028007" not in text and "Name:=Right kidney" not in text
    np.testing.assert_array_equal(read_labels(tmp_path / "a.seg.nrrd", volume).labels, labels)


@pytest.mark.parametrize(
    "name",
    [
        *("train/totalseg_example", "train/TA", "train/TD", "train/N2", "train/CG", "train/lidc0001", "train/TB"),
        *("validation/T1", "validation/TE", "validation/NL", "negative/cmbcrc01068", "negative/lidc0314_chest"),
    ],
)
def test_real_exams_never_contradict_their_header(shared_data: Path, name: str) -> None:
    folder = shared_data / "ct" / name
    volume = read_input(folder / "image.nii.gz").stored
    nothing = np.zeros(volume.voxels.shape, np.uint8)
    assert anatomy_says(volume, nothing).verdict is not Verdict.CONTRADICTS
    if (folder / "mask.nii.gz").exists():
        mask = read_image(folder / "mask.nii.gz").voxels.astype(np.uint8)
        assert anatomy_says(volume, mask).verdict is not Verdict.CONTRADICTS


@pytest.mark.parametrize("turn", list(ROTATIONS))
def test_a_real_exam_that_was_turned_is_told(shared_data: Path, turn: str) -> None:
    volume = read_input(shared_data / "ct" / "train" / "totalseg_example" / "image.nii.gz").stored
    canonical = volume.canonical()
    flips, quarters = ROTATIONS[turn]
    prone = canonical.like(turned(canonical.voxels, flips, 0))
    if quarters:
        prone = Volume(turned(canonical.voxels, flips, quarters), canonical.ijk_to_lps)
    assert anatomy_says(prone, np.zeros(prone.voxels.shape, np.uint8)).verdict is Verdict.CONTRADICTS
