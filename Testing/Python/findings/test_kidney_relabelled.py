"""A whole kidney that a reader makes a mass, cyst or stone: what the network outlined as kidney is a tumour."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from reporting_cases import findings_of, oblique
from result_cases import described_corrected
from test_at_once import Case, listed, stored, with_lesions
from test_reading import states

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings, Reading
from KidneySegLib.findings.at_once import kidney_relabelled_at_once, rejected_at_once, relabelled_at_once
from KidneySegLib.findings.marks import named
from KidneySegLib.flags import Severity
from KidneySegLib.languages.language import Language
from KidneySegLib.reporting.content.reading import reading_notes
from KidneySegLib.reporting.text import findings_text
from KidneySegLib.result_files.tables import write_measurements
from KidneySegLib.structures import BY_KEY, Side
from KidneySegLib.tasks.relabel import kidney_made, made, taken_out
from KidneySegLib.volume import Volume


@pytest.fixture(scope="module")
def case() -> Case:
    """Two masses and a stone in the left kidney; a cyst and a stone in the right one."""
    return with_lesions()


def codes(findings: Findings) -> list[str]:
    return [flag.code for flag in findings.flags]


@pytest.mark.parametrize("key", ["mass", "cyst", "stone"])
def test_it_is_listed_before_it_is_measured_and_measuring_agrees(case: Case, key: str) -> None:
    volume, labels, original = case
    kidney = original.kidney(Side.RIGHT)
    drawn = kidney_made(volume.like(labels), kidney, BY_KEY[key])
    np.testing.assert_array_equal(drawn, np.where(labels == 1, BY_KEY[key].label, labels), "all else is untouched")
    at_once = stored(kidney_relabelled_at_once(original, Side.RIGHT, key, original))
    found = described_corrected(volume, drawn, network=labels, original=original, last=at_once)
    (new,) = [each for each in (*found.lesions, *found.stones) if each.reading.was_kidney is Side.RIGHT]
    assert (new.structure, new.side, new.reading.state) == (key, Side.RIGHT, "changed")
    assert [each.side for each in found.kidneys] == [each.side for each in at_once.kidneys] == [Side.LEFT]
    assert found.rejected == ()
    if key == "mass":
        was, now = ({each.id: each for each in (*of.lesions, *of.stones)} for of in (original, found))
        assert now["C1"] == was["C1"] and now["S1"].location == was["S1"].location and now["S1"].pole == was["S1"].pole
        assert new.pole is None and new.exophytic_share is None, "it lies in no kidney"
        assert listed(at_once) == listed(found) and new.measures.voxels == kidney.measures.voxels
    else:  # a cyst and a stone lie in this kidney: it grows together with the one of its kind
        assert new.id == {"cyst": "C1", "stone": "S1"}[key]
        assert new.measures.voxels == (np.isin(labels, (1, BY_KEY[key].label))[..., :45]).sum()


def test_remarks_tell_what_was_made_of_it_and_nothing_that_contradicts_it(case: Case) -> None:
    volume, labels, original = case
    drawn = np.where(labels == 1, np.uint8(3), labels)
    found = described_corrected(volume, drawn, network=labels, original=original)
    told = [flag.message for flag in found.flags if flag.values.get("how") == "remade"]
    assert told == ["Right kidney: outlined by the network, and changed into a solid mass by the reader."]
    assert not {"one_kidney", "lesion_without_kidney", "lesion_like_kidney"} & {*codes(found)}
    erased = described_corrected(volume, np.where(labels == 1, np.uint8(0), labels), network=labels, original=original)
    assert {"one_kidney", "lesion_without_kidney"} <= {*codes(erased)}, "nobody said what is there"
    both = np.where(labels <= 2, labels * 0 + (labels > 0) * 3, labels).astype(np.uint8)
    of_both = described_corrected(volume, both, network=labels, original=original)
    assert of_both.kidneys == () and "no_kidney" not in codes(of_both)


def test_a_kidney_in_pieces_becomes_several_lesions_and_that_is_said(case: Case) -> None:
    """Else a reader who made one tumour of a kidney would read the diameter of a piece as that of the tumour."""
    volume, labels, _original = case
    network = labels.copy()
    middle = int(np.median(np.nonzero(labels == 1)[0]))
    network[middle : middle + 2][labels[middle : middle + 2] == 1] = 0  # fat between the poles, say
    original = findings_of(volume, network)
    drawn = kidney_made(volume.like(network), original.kidney(Side.RIGHT), BY_KEY["mass"])
    found = described_corrected(volume, drawn, network=network, original=original)
    pieces = [each.id for each in found.lesions if each.reading.was_kidney is Side.RIGHT]
    (flag,) = [flag for flag in found.flags if flag.code == "kidney_became_several"]
    assert len(pieces) == 2 and flag.values == {"side": "right", "findings": tuple(pieces)}
    assert flag.severity is Severity.WARNING
    filled = np.where(labels == 1, np.uint8(3), network)
    whole = described_corrected(volume, filled, network=network, original=original)
    assert "kidney_became_several" not in codes(whole), "the gap was filled, as the sentence says"
    assert len([each for each in whole.lesions if each.reading.was_kidney]) == 1


def test_its_cyst_and_stone_stay_on_its_side_in_an_image_of_this_kidney_alone() -> None:
    """Where no kidney is drawn the body's midline tells sides, and half a body has none."""
    volume, labels, _original = with_lesions()
    part = (slice(None), slice(None), slice(0, 40))
    half, own = volume.crop(part), np.ascontiguousarray(labels[part])
    half = half.like(np.ascontiguousarray(half.voxels))
    original = findings_of(half, own)
    found = described_corrected(half, np.where(own == 1, np.uint8(3), own), network=own, original=original)
    assert {each.side for each in (*found.lesions, *found.stones)} == {Side.RIGHT}
    assert states(found) == {"M1": "changed", "C1": "found", "S1": "found"}


def test_part_of_a_kidney_is_an_addition_and_a_mass_that_grows_into_it_is_changed(case: Case) -> None:
    volume, labels, original = case
    third = labels.copy()
    third[:14][labels[:14] == 1] = 3
    found = described_corrected(volume, third, network=labels, original=original)
    (new,) = [each for each in found.lesions if each.id not in ("M1", "M2", "C1")]
    assert new.reading == Reading("added") and found.kidney(Side.RIGHT) is not None
    merged = described_corrected(volume, np.where(labels == 2, np.uint8(3), labels), network=labels, original=original)
    masses = [each for each in merged.lesions if each.structure == "mass"]
    assert {each.reading.state for each in masses} == {"changed"}
    assert sum(each.measures.voxels for each in masses) == np.isin(labels, (2, 3)).sum()


@pytest.mark.parametrize("rotation", [None, oblique()], ids=["straight", "oblique"])
def test_rejecting_it_and_making_it_kidney_bring_the_kidney_back(rotation: np.ndarray | None) -> None:
    volume, labels, original = with_lesions(rotation)
    drawn = np.where(labels == 1, np.uint8(3), labels)
    found = described_corrected(volume, drawn, network=labels, original=original)
    (new,) = [each for each in found.lesions if each.reading.was == "kidney_right"]
    np.testing.assert_array_equal(taken_out(volume.like(drawn), new), labels)
    np.testing.assert_array_equal(made(volume.like(drawn), new, BY_KEY["kidney_right"]), labels)
    for back in (rejected_at_once(found, new.id, original), relabelled_at_once(found, new.id, "kidney", original)):
        assert listed(stored(back)) == listed(original) and back.rejected == ()
        assert [each.side for each in back.kidneys] == [Side.RIGHT, Side.LEFT]
    cyst = stored(relabelled_at_once(found, new.id, "cyst", original))
    again = described_corrected(
        volume, np.where(labels == 1, np.uint8(4), labels), network=labels, original=original, last=cyst
    )
    for each in (cyst, again):
        assert [one.reading.state for one in each.lesions if one.reading.was_kidney] == ["changed"]


def test_state_and_name_stand_in_report_and_table(case: Case, tmp_path) -> None:
    volume, labels, original = case
    drawn = np.where(labels == 1, np.uint8(3), labels)
    found = described_corrected(volume, drawn, network=labels, original=original)
    (new,) = [each for each in found.lesions if each.reading.was_kidney]
    assert Findings.from_json(found.to_json()) == Findings.from_json(stored(found).to_json())
    assert stored(found).lesions[0].reading == new.reading
    notes = {name: " ".join(reading_notes(found.lesions, Language.of(name))) for name in ("en", "es", "tr")}
    assert f"{new.id} (was the right kidney)" in notes["en"]
    assert len({notes[name].split("(")[1] for name in notes}) == 3, "in three languages"
    again = described_corrected(volume, drawn, network=labels, original=original, last=named(found, new.id, "T1"))
    assert next(each for each in again.lesions if each.id == new.id).reading.reader_name == "T1"
    assert "Right kidney: changed into M3 by the reader. Left kidney: " in findings_text(found, Language.of("en"))
    write_measurements(tmp_path / "measurements.csv", found)
    with (tmp_path / "measurements.csv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["id"] == new.id)
    assert (row["state"], row["was"]) == ("changed", "kidney_right")


def test_where_it_makes_no_sense_a_sentence_says_so(case: Case) -> None:
    volume, labels, original = case
    kidney = original.kidney(Side.LEFT)
    soft = replace(kidney, measures=replace(kidney.measures, hu_mean=38.0))
    with pytest.raises(InputError, match="38 HU on average, and stones have more than 130 HU"):
        kidney_made(volume.like(labels), soft, BY_KEY["stone"])
    nothing = Volume(np.where(labels == 2, np.uint8(0), labels), volume.ijk_to_lps)
    with pytest.raises(InputError, match="Nothing is drawn of this kidney"):
        kidney_made(nothing, kidney, BY_KEY["mass"])
    assert kidney_relabelled_at_once(original, Side.LEFT, "mass", original).kidney(Side.LEFT) is None
    gone = kidney_relabelled_at_once(original, Side.LEFT, "mass", original)
    assert kidney_relabelled_at_once(gone, Side.LEFT, "cyst", original) == gone, "there is none to be changed"
