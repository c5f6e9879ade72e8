"""The contrast phase of made kidneys and of real exams whose phase is known."""

from __future__ import annotations

import numpy as np
import pytest
from stone_cases import Abdomen

from KidneySegLib.measuring.kidneys.phase import estimate_phase
from KidneySegLib.volume import read_image


def kidneys(cortex: float, medulla: float, collecting: float | None = None, clip=None):
    abdomen = Abdomen(tissue=cortex, noise=15)
    for centre in (Abdomen.right, Abdomen.left):
        abdomen.hu[abdomen.distance(centre, (1, 15, 18, 27)) < 1] = medulla
        if collecting is not None:
            abdomen.hu[abdomen.distance(centre, (1, 5, 8, 12)) < 1] = collecting
    return estimate_phase(abdomen.volume(clip), abdomen.labels)


@pytest.mark.parametrize(
    ("cortex", "medulla", "collecting", "phase"),
    [
        (33, 33, None, "non-contrast"),
        (33, 33, 900, "non-contrast"),  # a cast stone
        (42, 40, 10, "non-contrast"),
        (250, 60, None, "corticomedullary"),
        (95, 48, None, "corticomedullary"),
        (180, 170, None, "nephrographic"),
        (150, 130, 10, "nephrographic"),
        (120, 125, 700, "excretory"),
        (90, 90, 300, "excretory"),
    ],
)
def test_phase_of_made_kidneys(cortex, medulla, collecting, phase):
    estimate = kidneys(cortex, medulla, collecting)
    assert estimate.phase == phase
    assert estimate.evidence["cortex_hu"] == pytest.approx(cortex, abs=8)
    assert 0.5 <= estimate.confidence <= 1


def test_clipped_window_lowers_the_confidence_but_not_the_phase():
    assert kidneys(140, 55, clip=(-160, 200)).phase == "corticomedullary"
    full, clipped = kidneys(150, 145), kidneys(150, 145, clip=(-160, 200))
    assert (full.phase, clipped.phase) == ("nephrographic", "nephrographic")
    assert clipped.confidence < full.confidence


def test_weakly_enhanced_and_missing_kidneys_are_unknown():
    weak = kidneys(61, 61)
    assert (weak.phase, weak.confidence) == ("unknown", 0.0)
    abdomen = Abdomen()
    nothing = estimate_phase(abdomen.volume(), np.zeros_like(abdomen.labels))
    assert (nothing.phase, nothing.evidence) == ("unknown", {})


KNOWN = {
    "train/acrin": "non-contrast",
    "train/lung2": "non-contrast",
    "train/lidc0314": "non-contrast",
    "train/C1": "non-contrast",
    "train/K2": "non-contrast",
    "train/totalseg_example": "non-contrast",
    "validation/C2": "non-contrast",
    "validation/K5": "non-contrast",
    "train/lidc0001": "corticomedullary",
    "train/N2": "corticomedullary",
    "train/c3l00189": "nephrographic",  # portal
    "validation/lits0": "nephrographic",  # portal
}


@pytest.mark.parametrize(("exam", "phase"), KNOWN.items())
def test_phase_of_real_exams(shared_data, exam, phase):
    folder = shared_data / "ct" / exam
    if not folder.is_dir():
        pytest.skip(f"the exam {exam} is not here")
    labels = read_image(folder / "mask.nii.gz").voxels.astype(np.uint8)
    assert estimate_phase(read_image(folder / "image.nii.gz"), labels).phase == phase
