"""Change since a prior exam: lesions found again in a patient who lies elsewhere, exact sizes, growth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lesion_cases import LEFT, RIGHT, Shape, ball, draw, ellipsoid, grid, kidneys
from numpy.typing import NDArray
from reporting_cases import findings_of
from scipy.spatial.transform import Rotation

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.follow_up.comparison import Change, Comparison, LesionChange, Prior, compare
from KidneySegLib.follow_up.kidney_frame import KidneyFrame, Registration
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

EXTENT = (240.0, 120.0, 180.0)
TURN = Rotation.from_euler("xyz", (8, -12, 20), degrees=True).as_matrix()
SHIFT = np.array([12.0, -9.0, 15.0])

# earlier and later radius of each lesion, and its place: a grown mass, a cyst that stayed, one that went, one that came
GROWN, STAYED, GONE, CAME = (-70.0, 8.0, 30.0), (60.0, -5.0, -30.0), (-55.0, 0.0, -35.0), (66.0, 0.0, 30.0)


def moved(shape: Shape, turn: NDArray, shift: NDArray) -> Shape:
    """The same body in a patient who was turned and shifted on the table."""
    centre = turn @ np.array(shape.centre) + shift
    return Shape(lambda x: shape.inside((x - shift) @ turn), tuple(centre), shape.reach)


def exam(bodies: list[tuple[int, Shape]], turn: NDArray | None = None, shift: NDArray | None = None) -> Prior:
    """A patient with two kidneys and these lesions, as a result."""
    turn, shift = np.eye(3) if turn is None else turn, np.zeros(3) if shift is None else shift
    volume = grid((1.0, 1.0, 1.5), EXTENT)
    labels = draw(volume, [(label, moved(shape, turn, shift)) for label, shape in [*kidneys(), *bodies]])
    return Prior(volume.like(labels), findings_of(volume, labels), 200)


def before() -> list[tuple[int, Shape]]:
    return [(3, ball(GROWN, 8.0)), (4, ball(STAYED, 7.0)), (4, ball(GONE, 6.0))]


def after() -> list[tuple[int, Shape]]:
    return [(3, ball(GROWN, 10.0)), (4, ball(STAYED, 7.0)), (4, ball(CAME, 6.0))]


def compared(prior: Prior, now: Prior) -> Comparison:
    return compare(now.labels, now.findings, prior)


def change_at(comparison: Comparison, state: str) -> list[LesionChange]:
    return [change for change in comparison.lesions if change.state == state]


@pytest.mark.parametrize("turned", [False, True])
def test_lesions_are_found_again_in_a_patient_who_lies_elsewhere(turned: bool) -> None:
    prior = exam(before(), TURN if turned else None, SHIFT if turned else None)
    now = exam(after())
    comparison = compared(prior, now)
    mass, cyst = change_at(comparison, "matched")
    assert mass.now is not None and mass.now.structure == "mass" and mass.now.side is Side.RIGHT
    assert cyst.now is not None and cyst.now.structure == "cyst" and cyst.now.side is Side.LEFT
    (new,) = change_at(comparison, "new")
    assert new.now is not None and new.prior is None and new.now.pole == "upper" and new.now.side is Side.LEFT
    (gone,) = change_at(comparison, "vanished")
    assert gone.prior is not None and gone.now is None and gone.prior.pole == "lower" and gone.prior.side is Side.RIGHT
    assert not change_at(comparison, "unmatched")


def test_raw_coordinates_would_not_have_found_them() -> None:
    """The turned patient's lesions lie further from their old places than from each other's."""
    prior, now = exam(before(), TURN, SHIFT), exam(after())
    places = [
        {lesion.structure: np.array(lesion.measures.centroid_lps_mm) for lesion in one.findings.lesions}
        for one in (prior, now)
    ]
    assert np.linalg.norm(places[0]["mass"] - places[1]["mass"]) > 20


def test_changes_are_those_of_the_measures() -> None:
    comparison = compared(exam(before()), exam(after()))
    (mass, _) = change_at(comparison, "matched")
    assert mass.prior is not None and mass.now is not None
    volume = mass.volume_ml
    assert (volume.prior, volume.now) == (mass.prior.measures.volume_ml, mass.now.measures.volume_ml)
    assert volume.percent == pytest.approx(100 * ((10 / 8) ** 3 - 1), abs=6)
    assert mass.axial_diameter_mm.absolute == pytest.approx(4, abs=1)
    assert mass.axial_diameter_mm.per_year == pytest.approx(mass.axial_diameter_mm.absolute * 365.25 / 200)
    # (10 / 8)³ in 200 days: doubling in 200 ln 2 / (3 ln 1.25) = 207 days
    assert volume.doubling_days == pytest.approx(207, rel=0.06)
    right, left = comparison.sides
    assert right.organ_volume_ml.prior is not None and right.organ_volume_ml.now is not None
    assert left.organ_volume_ml.absolute == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(
    ("prior", "now", "days", "expected"),
    [
        (2.0, 4.0, 100, (2.0, 100.0, 7.305, 100.0)),
        (4.0, 2.0, 100, (-2.0, -50.0, -7.305, None)),
        (2.0, 4.0, None, (2.0, 100.0, None, None)),
        (2.0, 2.0, 100, (0.0, 0.0, 0.0, None)),
        (None, 4.0, 100, (None, None, None, None)),
        (2.0, None, 100, (None, None, None, None)),
    ],
)
def test_change(prior: float | None, now: float | None, days: int | None, expected: tuple) -> None:
    change = Change(prior, now, days)
    found = (change.absolute, change.percent, change.per_year, change.doubling_days)
    assert found == tuple(None if value is None else pytest.approx(value) for value in expected)


@pytest.mark.parametrize(("radius", "told"), [(8.0, False), (9.0, False), (10.0, True), (6.0, False)])
def test_a_doubling_time_needs_more_growth_than_readers_differ_by(radius: float, told: bool) -> None:
    (mass,) = compared(exam([(3, ball(GROWN, 8.0))]), exam([(3, ball(GROWN, radius))])).lesions
    assert (mass.doubling_days is not None) == told
    assert mass.within_error == (radius in (8.0, 9.0))
    assert (mass.volume_ml.doubling_days is not None) == (radius > 8)


def test_registration_takes_every_place_along() -> None:
    prior = KidneyFrame.of(exam(before(), TURN, SHIFT).labels)
    now = KidneyFrame.of(exam(before()).labels)
    registration = Registration.between(prior, now)
    assert list(registration.centres) == [Side.RIGHT, Side.LEFT]
    angle = Rotation.from_matrix(registration.rotation @ TURN).magnitude()
    assert np.degrees(angle) < 1.5
    for side, place in ((Side.RIGHT, GROWN), (Side.LEFT, STAYED)):
        assert np.linalg.norm(registration.to_now(TURN @ np.array(place) + SHIFT, side) - place) < 2.5


def test_each_kidney_moves_by_itself() -> None:
    """Breathing moves one kidney by 25 mm; its lesion goes with it, and the other kidney's stays."""
    sunk = np.array([0.0, 0.0, -25.0])
    lesions = [(4, ball(GROWN, 8.0)), (4, ball(STAYED, 7.0))]
    volume = grid((1.0, 1.0, 1.5), EXTENT)
    bodies = [*kidneys(), *lesions]
    shapes = [(label, moved(shape, np.eye(3), sunk if shape.centre[0] < 0 else np.zeros(3))) for label, shape in bodies]
    labels = draw(volume, shapes)
    prior = Prior(volume.like(labels), findings_of(volume, labels), 30)
    comparison = compared(prior, exam(lesions))
    assert [change.state for change in comparison.lesions] == ["matched", "matched"]


def only_right(bodies: list[tuple[int, Shape]], turn: NDArray | None = None) -> Prior:
    result = exam(bodies, turn)
    labels = np.where(result.labels.voxels == 2, 0, result.labels.voxels).astype(np.uint8)
    volume = Volume(np.full(labels.shape, 30, np.int16), result.labels.ijk_to_lps)
    return Prior(volume.like(labels), findings_of(volume, labels), 30)


def test_a_single_kidney_suffices() -> None:
    tilt = Rotation.from_euler("y", 10, degrees=True).as_matrix()
    lesions = [(3, ball(GROWN, 8.0)), (4, ball(GONE, 7.0))]
    comparison = compared(only_right(lesions, tilt), only_right(lesions))
    assert [change.state for change in comparison.lesions] == ["matched", "matched"]
    assert [side.side for side in comparison.sides] == [Side.RIGHT]


def test_a_kidney_that_was_removed_makes_no_lesion_vanish() -> None:
    comparison = compared(exam(before()), only_right([(3, ball(GROWN, 8.0))]))
    lost = next(change for change in comparison.lesions if change.prior and change.prior.side is Side.LEFT)
    assert lost.state == "unmatched" and lost.now is None
    assert comparison.sides[1].now is None and comparison.sides[1].organ_volume_ml.absolute is None


@pytest.mark.parametrize("kept", ["upper", "lower"])
def test_a_kidney_that_the_image_cuts_is_laid_onto_the_part_that_both_exams_show(kept: str) -> None:
    """Lesions in the common part are found again, though the centres lie 28 mm apart; nothing is said of others."""
    lesions = [(3, ball(GROWN, 8.0)), (4, ball(GONE, 7.0))]
    prior, now = exam(lesions, shift=SHIFT), exam(lesions)
    half = now.labels.voxels.shape[0] // 2
    part = now.labels.crop((slice(half, None) if kept == "upper" else slice(None, half), slice(None), slice(None)))
    image = Volume(np.full(part.voxels.shape, 30, np.int16), part.ijk_to_lps)
    cut = Prior(part, findings_of(image, part.voxels), 30)
    for comparison, lost in ((compared(prior, cut), "prior"), (compared(cut, prior), "now")):
        found = {change.state: change for change in comparison.lesions}
        assert set(found) == {"matched", "unmatched"}
        assert found["matched"].now and found["matched"].now.structure == ("mass" if kept == "upper" else "cyst")
        assert getattr(found["unmatched"], lost) is not None


def test_a_mass_is_not_taken_for_a_cyst_beside_it() -> None:
    near = tuple(np.array(GROWN) + (0, 0, -16))
    bodies = [(3, ball(GROWN, 6.0)), (4, ball(near, 6.0))]
    swapped = [(4, ball(GROWN, 6.0)), (3, ball(near, 6.0))]
    same = compared(exam(bodies), exam(bodies))
    assert all(change.prior and change.now and change.prior.id == change.now.id for change in same.lesions)
    other = compared(exam(bodies), exam(swapped))  # a structure that changed its name in place
    assert [change.state for change in other.lesions] == ["matched", "matched"]
    assert all(c.prior and c.now and c.prior.structure != c.now.structure for c in other.lesions)


def test_far_lesions_are_two() -> None:
    comparison = compared(exam([(4, ball(GONE, 6.0))]), exam([(4, ball(GROWN, 6.0))]))
    assert sorted(change.state for change in comparison.lesions) == ["new", "vanished"]


def test_round_kidneys_have_no_axis_and_are_still_registered() -> None:
    volume = grid((1.0, 1.0, 1.5), EXTENT)
    balls = [(1, ball(RIGHT, 30.0)), (2, ball(LEFT, 30.0)), (4, ellipsoid((-70.0, 0.0, 15.0), (6, 6, 6)))]
    labels = draw(volume, balls)
    assert KidneyFrame.of(volume.like(labels)).axes == {}
    result = Prior(volume.like(labels), findings_of(volume, labels), None)
    (change,) = compared(result, result).lesions
    assert change.state == "matched" and change.volume_ml.absolute == 0


def test_what_cannot_be_compared_is_refused() -> None:
    result = exam(before())
    flat = result.labels.crop((slice(60, 61), slice(None), slice(None)))
    with pytest.raises(InputError, match="Single slices"):
        compare(flat, result.findings, result)
    for days in (0, -3):
        with pytest.raises(InputError, match="older"):
            compare(result.labels, result.findings, replace(result, interval_days=days))


def test_an_exam_is_not_compared_with_itself_and_an_ultrasound_loop_is_no_volume() -> None:
    result = exam(before())
    record = result.findings.provenance
    source = replace(record.input, source={"sop_instance_uids": ["1.2.3", "1.2.4"]})
    own = replace(result.findings, provenance=replace(record, input=source))
    with pytest.raises(InputError, match="same images"):
        compare(result.labels, own, replace(result, findings=own))
    compare(result.labels, own, result)
    loop = replace(result.findings, provenance=replace(record, settings={"in_patient": False}))
    for now, prior in ((loop, result), (result.findings, replace(result, findings=loop))):
        with pytest.raises(InputError, match="Ultrasound"):
            compare(result.labels, now, prior)


def test_phases_are_compared() -> None:
    result = exam(before())
    assert compared(result, result).same_phase
    assert result.findings.phase is not None
    later: Findings = replace(result.findings, phase=replace(result.findings.phase, phase="excretory"))
    assert not compare(result.labels, later, result).same_phase
