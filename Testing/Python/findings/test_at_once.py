"""What is listed of a change before it is measured: measuring then lists the same, with its numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from reporting_cases import findings_of, oblique, phantom
from result_cases import described_corrected
from test_reading import states

from KidneySegLib.findings import Findings, Reading
from KidneySegLib.findings.at_once import (
    drawn_at_once,
    rejected_at_once,
    relabelled_at_once,
    restored_at_once,
    taken_over_at_once,
)
from KidneySegLib.findings.marks import confirmed, named
from KidneySegLib.structures import BY_KEY
from KidneySegLib.tasks.new_body import NewBody, new_body
from KidneySegLib.tasks.relabel import around, made
from KidneySegLib.volume import Volume

Case = tuple[Volume, np.ndarray, Findings]


def is_measured(finding) -> bool:
    return not math.isnan(finding.measures.hu_mean)


def with_lesions(rotation: np.ndarray | None = None) -> Case:
    """Two masses in the left kidney, M1 above M2; a cyst in the right one; a stone in each."""
    volume, labels = phantom(rotation=rotation)
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    labels[(k - 18) ** 2 + (j - 30) ** 2 + (i - 20) ** 2 <= 9] = 4
    labels[18, 34:36, 66:68] = 5
    return volume, labels, findings_of(volume, labels)


@pytest.fixture(scope="module")
def case() -> Case:
    return with_lesions()


def listed(findings: Findings) -> set[tuple[object, ...]]:
    return {
        *((each.id, each.structure, each.side, each.reading) for each in (*findings.lesions, *findings.stones)),
        *((each.finding.id, "rejected") for each in findings.rejected),
    }


def stored(findings: Findings) -> Findings:
    """As it is kept in a scene."""
    return Findings.from_json(findings.to_json())


def test_rejection_is_listed_before_it_is_measured_and_measuring_agrees(case):
    volume, labels, original = case
    marked = named(confirmed(original, "M2"), "C1", "left alone")
    at_once = marked
    for name in ("M1", "S1", "C1"):
        at_once = rejected_at_once(at_once, name, original)
    assert Findings.from_json(at_once.to_json()).to_json() == at_once.to_json()
    assert states(at_once) == {"M2": "confirmed", "S2": "found"}
    drawn = labels.copy()
    drawn[18:][labels[18:] == 3] = 2
    drawn[labels == 4] = 0
    stone = next(each for each in original.stones if each.id == "S1")
    k, j, i = (round(value) for value in volume.to_kji(np.array(stone.measures.centroid_lps_mm)))
    drawn[k - 3 : k + 4, j - 3 : j + 4, i - 3 : i + 4][
        labels[k - 3 : k + 4, j - 3 : j + 4, i - 3 : i + 4] == BY_KEY["stone"].label
    ] = 0
    last, fresh = (
        described_corrected(volume, drawn, network=labels, original=original, last=each) for each in (at_once, marked)
    )
    assert last.to_json() == fresh.to_json()
    back = restored_at_once(restored_at_once(at_once, "M1"), "S1")
    assert states(back) == {"M2": "confirmed", "M1": "found", "S2": "found", "S1": "found"}
    assert [each.finding.id for each in back.rejected] == ["C1"]
    added = replace(original, lesions=(replace(original.lesions[0], reading=Reading("added")), *original.lesions[1:]))
    assert rejected_at_once(added, "M1", original).rejected == () and "M1" not in states(
        rejected_at_once(added, "M1", original)
    )
    assert rejected_at_once(original, "M9", original) == original


@pytest.mark.parametrize("key", ["cyst", "stone", "kidney"])
def test_another_kind_is_listed_before_it_is_measured_and_measuring_agrees(case: Case, key: str) -> None:
    volume, labels, original = case
    drawn = labels.copy()
    drawn[18:][labels[18:] == 3] = 2 if key == "kidney" else BY_KEY[key].label
    last = named(confirmed(original, "M1"), "M1", "follow up")
    at_once = stored(relabelled_at_once(last, "M1", key, original))
    found = described_corrected(volume, drawn, network=labels, original=original, last=at_once)
    assert listed(at_once) == listed(found)
    if key == "kidney":
        return
    (new,) = [each for each in (*at_once.lesions, *at_once.stones) if each.reading.was == "M1"]
    assert new.structure == key and not is_measured(new) and new.reading.reader_name == "follow up"
    assert all(is_measured(each) for each in (*found.lesions, *found.stones))
    assert np.ptp([part.stop - part.start for part in around(volume, new)]) < 40, "its place is known"
    # and the next change of it at once
    label_map = volume.like(drawn)
    again = stored(relabelled_at_once(at_once, new.id, "mass", original))
    np.testing.assert_array_equal(made(label_map, new, BY_KEY["mass"]), labels)
    assert {name for name, *_rest in listed(again)} == {name for name, *_rest in listed(original)}
    gone = stored(rejected_at_once(at_once, new.id, original))
    assert [each.finding.id for each in gone.rejected] == ["M1"]
    assert gone.rejected[0].finding.structure == "mass" and is_measured(gone.rejected[0].finding)


@pytest.mark.parametrize("rotation", [None, oblique()], ids=["straight", "oblique"])
def test_what_is_drawn_is_listed_before_it_is_measured_and_measuring_agrees(rotation: np.ndarray | None) -> None:
    volume, labels, original = with_lesions(rotation)
    for axes in ((), (0,), (1, 2)):
        drawn = labels.copy()
        drawn[16:20, 30:34, 60:63] = 4
        start = (4, 3, 2)
        part, after = _part(volume, labels, start, axes), _part(volume, drawn, start, axes)
        body = new_body(part, after.voxels, BY_KEY["cyst"], start)
        assert body is not None and not body.grown and body.measures.voxels == 48
        at_once = drawn_at_once(original, body.measures, "cyst", grown=False, network=original)
        found = described_corrected(volume, drawn, network=labels, original=original)
        (new,) = [each for each in at_once.lesions if each.reading.state == "added"]
        (same,) = [each for each in found.lesions if each.reading.state == "added"]
        assert (new.id, new.side, new.structure) == (same.id, same.side, same.structure)
        assert new.measures.centroid_lps_mm == pytest.approx(same.measures.centroid_lps_mm, abs=0.01)
        assert new.measures.axial_diameter_mm == pytest.approx(same.measures.axial_diameter_mm)
        assert not is_measured(stored(at_once).lesions[-1]) and is_measured(same)


def _part(volume: Volume, labels: np.ndarray, start: tuple[int, int, int], axes: tuple[int, ...]) -> Volume:
    """A part of the grid that begins at a voxel, stored against some of its axes."""
    k, j, i = (slice(first, None) for first in start)
    part = volume.like(labels).crop((k, j, i))
    matrix, corner = np.array(part.ijk_to_lps), np.zeros(3)
    for axis in axes:
        corner[axis] = part.voxels.shape[axis] - 1
        matrix[:3, 2 - axis] *= -1
    matrix[:3, 3] = part.to_lps(corner)
    return Volume(np.flip(part.voxels, axes), matrix)


def test_the_slice_is_that_of_the_stored_array(case: Case) -> None:
    volume, labels, original = case
    for axes, axis_slice in (((), 17), ((0,), 35 - 17)):
        drawn = labels.copy()
        drawn[16:19, 30:34, 60:63] = 4
        drawn[17, 30:34, 63] = 4  # the longest diameter lies here
        whole, after = _part(volume, labels, (0, 0, 0), axes), _part(volume, drawn, (0, 0, 0), axes)
        start = (3, 0, 0)
        part = whole.crop((slice(3, None), slice(None), slice(None)))
        body = new_body(part, after.voxels[3:], BY_KEY["cyst"], start)
        assert body is not None and body.measures.axial_slice == axis_slice
    assert new_body(part, part.voxels, BY_KEY["cyst"]) is None
    assert original.lesions


def test_a_lesion_that_grows_keeps_its_marks_and_is_measured_anew(case: Case) -> None:
    volume, labels, original = case
    drawn = labels.copy()
    drawn[14:16, 30, 20] = 4
    body = new_body(volume.like(labels), drawn, BY_KEY["cyst"])
    assert isinstance(body, NewBody) and body.grown
    at_once = drawn_at_once(confirmed(original, "C1"), body.measures, "cyst", grown=True, network=original)
    (cyst,) = [each for each in at_once.lesions if each.structure == "cyst"]
    assert (cyst.id, cyst.reading, is_measured(cyst)) == ("C1", Reading("confirmed"), False)
    assert len(at_once.lesions) == len(original.lesions)


def test_a_candidate_that_is_taken_over_is_listed_and_rejected_again(case: Case) -> None:
    _volume, _labels, original = case
    cyst = original.lesions[-1]
    names = ("P1", "P2", "P3")
    network = replace(original, candidates=tuple(replace(cyst, id=name, confidence=0.3) for name in names))
    at_once = stored(taken_over_at_once(network, "P2", network))
    (new,) = [each for each in at_once.lesions if each.reading.state == "added"]
    assert (new.id, new.reading.was, is_measured(new)) == ("C2", "P2", False)
    assert [each.id for each in at_once.candidates] == ["P1", "P3"]
    other = relabelled_at_once(at_once, "C2", "mass", network)
    assert ("M3", "mass", cyst.side, Reading("added", "", "P2")) in listed(other)
    back = rejected_at_once(at_once, "C2", network)
    assert [each.id for each in back.candidates] == list(names) and back.rejected == ()
    assert states(back) == states(network)
