"""Flags on lesions, and on what the contrast phase does not allow to know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from KidneySegLib.findings import KidneyFinding, LesionFinding, Phase, PhaseEstimate
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.measuring.lesions.quality import check_lesions, check_phase
from KidneySegLib.measuring.measurements import measure
from KidneySegLib.measuring.quality import check_kidneys
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

SOME = replace(
    measure(Volume(np.zeros((2, 2, 2), np.int16), np.eye(4)), np.ones((2, 2, 2), bool)), perpendicular_mm=15.0
)
CYST = LesionFinding("C1", "cyst", Side.LEFT, "lower", SOME, 5.0, 0.0, 0.4, 0.9)
KIDNEYS = [KidneyFinding(side, SOME, 150.0, 110.0) for side in Side]
PLAIN = PhaseEstimate("non-contrast", 0.9)


def codes(flags: list[Flag]) -> list[str]:
    return [flag.code for flag in flags]


def check(lesion: LesionFinding, phase: PhaseEstimate | None = PLAIN) -> list[Flag]:
    return check_lesions([lesion], KIDNEYS, {}, phase)


def dense(hu: float, **changes: float) -> LesionFinding:
    return replace(CYST, measures=replace(SOME, hu_p50=hu, **changes))


def test_a_plain_cyst_has_no_flags() -> None:
    assert check(CYST) == []


@pytest.mark.parametrize(
    ("phase", "hu", "flagged"),
    [
        ("non-contrast", 20, False),
        ("non-contrast", 21, True),
        ("unknown", 21, True),
        ("nephrographic", 30, False),
        ("nephrographic", 31, True),
        ("corticomedullary", 29, False),
        ("excretory", 45, True),
    ],
)
def test_dense_cysts(phase: Phase, hu: float, flagged: bool) -> None:
    assert codes(check(dense(hu), PhaseEstimate(phase, 0.9))) == (["dense_cyst"] if flagged else [])


def test_a_dense_cyst_is_described_not_diagnosed() -> None:
    (flag,) = check(dense(45))
    assert flag.message == (
        "Cyst C1 (left kidney, lower pole) has 45 HU (median): more than 20 HU is not a simple cyst by density. "
        "Characterise it."
    )


def test_density_of_tiny_cysts_and_of_masses_says_nothing() -> None:
    assert check(dense(45, perpendicular_mm=7.9)) == []
    assert check(replace(dense(45), structure="mass", id="M1")) == []


def test_cut_uncertain_and_lost_lesions() -> None:
    (flag,) = check(replace(CYST, cut_at=("feet", "left side")))
    assert flag.code == "lesion_cut" and "towards the feet and the left side: it may be larger" in flag.message
    assert codes(check(replace(CYST, confidence=0.59))) == ["low_confidence_lesion"]
    assert check(replace(CYST, confidence=0.6)) == check(replace(CYST, confidence=None)) == []
    lost = replace(CYST, pole=None, exophytic_share=None)
    (flag,) = check_lesions([lost], KIDNEYS[:1], {}, PLAIN)
    assert flag.code == "lesion_without_kidney" and flag.message.startswith("Cyst C1 (left kidney) lies on a side")


def test_poles_of_a_kidney_that_is_not_whole() -> None:
    cut = [KIDNEYS[0], replace(KIDNEYS[1], cut_at=("head",))]
    (flag,) = check_lesions([CYST], cut, {}, PLAIN)
    assert flag.code == "poles_of_a_part" and flag.message.startswith("The left kidney is not whole")
    assert check_lesions([replace(CYST, side=Side.RIGHT)], cut, {}, PLAIN) == []
    assert check_lesions([CYST], [KIDNEYS[0], replace(KIDNEYS[1], cut_at=("left side",))], {}, PLAIN) == []


def test_specks() -> None:
    one, many = check_lesions([], KIDNEYS, {"mass": 1, "cyst": 3}, PLAIN)
    assert one.message == ("1 group of voxels labelled solid mass is smaller than 3 mm and not listed as a finding.")
    assert many.message.startswith("3 groups of voxels labelled cyst are smaller") and many.severity is Severity.INFO
    assert check_lesions([], KIDNEYS, {"mass": 0}, PLAIN) == []


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("non-contrast", ["masses_without_contrast"]),
        ("corticomedullary", ["stones_with_contrast", "masses_in_early_phase"]),
        ("nephrographic", ["stones_with_contrast"]),
        ("excretory", ["stones_with_contrast"]),
        ("unknown", ["phase_unknown"]),
    ],
)
def test_every_phase_says_what_it_hides(phase: Phase, expected: list[str]) -> None:
    flags = check_phase(PhaseEstimate(phase, 0.9))
    assert codes(flags) == expected
    assert flags[0].severity is (Severity.WARNING if expected[0] == "stones_with_contrast" else Severity.INFO)
    assert not any("probably" in flag.message for flag in flags)
    if phase != "unknown":
        assert all("probably" in flag.message for flag in check_phase(PhaseEstimate(phase, 0.6)))


def test_volume_flags_regard_the_lesions() -> None:
    """A kidney of 150 ml with a mass of 300 ml is unusual as a whole, and the flag says why."""
    right = KidneyFinding(Side.RIGHT, replace(SOME, volume_ml=150.0), 450.0, 150.0)
    left = KidneyFinding(Side.LEFT, replace(SOME, volume_ml=160.0), 160.0, 110.0)
    volume, asymmetry = check_kidneys([right, left])
    assert volume.code == "unusual_volume"
    assert volume.message.startswith(
        "The right kidney has an unusual volume of 450 ml, of which 300 ml are lesions (usual:"
    )
    assert asymmetry.message == (
        "The right kidney is 2.8 times as large as the left one (450 ml, of which 300 ml are lesions; 160 ml)."
    )
    remnant = KidneyFinding(Side.RIGHT, replace(SOME, volume_ml=40.0), 140.0, 110.0)
    assert check_kidneys([remnant, left]) == []  # a mass took the kidney's place; its own row tells it
