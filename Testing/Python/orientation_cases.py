"""The sample's patient at low resolution, and headers that do not fit the anatomy."""

from __future__ import annotations

from functools import cache

import numpy as np

from KidneySegLib.measuring.orientation.coarse_exam import coarse_exam
from KidneySegLib.measuring.orientation.spine import find_spine
from KidneySegLib.measuring.orientation.verdict import Orientation, Verdict, is_aligned, judge_orientation
from KidneySegLib.sample.phantom import SCAN_CENTRE, build_phantom
from KidneySegLib.sample.render import render
from KidneySegLib.sample.shapes import Points
from KidneySegLib.sample.tissues import Phase
from KidneySegLib.volume import Volume

PIXEL, SLICE = 4.0, 4.0
# Flipped array axes (k, j, i) and quarter turns within the slices: what the header does not know.
ROTATIONS = {
    "prone called supine": ((1, 2), 0),
    "feet first called head first": ((0, 2), 0),
    "feet first prone called head first supine": ((0, 1), 0),
    "on the right side, called supine": ((), 1),
    "on the left side, called supine": ((), -1),
}
MIRRORS = {"sides": ((2,), 0), "front and back": ((1,), 0), "head and feet": ((0,), 0)}


@cache
def patient(phase: Phase = Phase.NON_CONTRAST, seed: int = 0) -> tuple[Volume, np.ndarray]:
    """Returns the sample's patient on a coarse grid, int16 HU, and its true labels (k, j, i)."""
    x, y, z = SCAN_CENTRE
    across, along = np.arange(-190, 190, PIXEL), np.arange(-125, 125, SLICE)
    points = Points.grid(x + across, y + across, z + along)
    image, labels = render(build_phantom(phase, seed).layers, points, SLICE)
    noise = np.random.default_rng(seed).normal(0, 12, image.shape)
    matrix = np.diag([PIXEL, PIXEL, SLICE, 1.0])
    matrix[:3, 3] = x + across[0], y + across[0], z + along[0]
    return Volume(np.clip(np.rint(image + noise), -1024, 3071).astype(np.int16), matrix), labels


def turned(array: np.ndarray, flips: tuple[int, ...], quarters: int) -> np.ndarray:
    """Returns an array as it lies under a header that does not know of the turn."""
    return np.ascontiguousarray(np.rot90(np.flip(array, flips), quarters, (1, 2)))


def mislabelled(labels: np.ndarray, flips: tuple[int, ...], quarters: int) -> np.ndarray:
    """Returns labels as the engine would draw them: sides by the header."""
    result = turned(labels, flips, quarters)
    kidneys = np.isin(result, (1, 2))
    left = np.arange(result.shape[2]) >= result.shape[2] / 2
    result[kidneys] = np.where(left, 2, 1)[np.nonzero(kidneys)[2]]
    return result


def anatomy_says(volume: Volume, labels: np.ndarray) -> Orientation:
    """Compares the anatomy with the image's geometry; axes in any order, labels may be empty."""
    order = volume.axis_order()
    canonical = volume.reordered(order)
    if not is_aligned(canonical):
        return Orientation(Verdict.UNKNOWN)
    exam = coarse_exam(canonical, order.apply(labels))
    return judge_orientation(exam, find_spine(exam))
