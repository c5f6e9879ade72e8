"""A result and an earlier one of the same patient: a mass that grew, and one that is gone."""

from __future__ import annotations

import numpy as np
from lesion_cases import ball, draw, grid, kidneys
from numpy.typing import NDArray
from reporting_cases import findings_of

from KidneySegLib.findings import Findings
from KidneySegLib.follow_up.comparison import Prior
from KidneySegLib.volume import Volume


def grown_prior() -> tuple[Volume, NDArray, Findings, Prior]:
    """Returns image, labels and findings of now, and the result of 100 days before."""
    volume = grid((1.5, 1.5, 2.0), (240.0, 120.0, 180.0))
    before = draw(volume, [*kidneys(), (3, ball((-70.0, 8.0, 30.0), 9.0)), (4, ball((60.0, 0.0, -30.0), 8.0))])
    now = draw(volume, [*kidneys(), (3, ball((-70.0, 8.0, 30.0), 12.0))])
    prior = Prior(volume.like(before), findings_of(volume, before), 100)
    assert np.count_nonzero(now == 3) > np.count_nonzero(before == 3)
    return volume, now, findings_of(volume, now), prior
