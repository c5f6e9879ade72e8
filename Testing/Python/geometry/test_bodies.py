"""Bodies of a label map: connected, told apart where they touch, specks."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_cases import Shape, ball, either, ellipsoid, grid, points, rod
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from KidneySegLib.geometry.bodies import find_bodies, surface
from KidneySegLib.geometry.boxes import bounding_boxes
from KidneySegLib.geometry.separation import separate
from KidneySegLib.volume import Volume

TILTED = Rotation.from_euler("xyz", (35, 20, 50), degrees=True).as_matrix()
SPACINGS = [(1.0, 1.0, 1.0), (0.7, 0.7, 2.5), (0.8, 0.8, 5.0)]


def parts(shape: Shape, spacing: tuple[float, float, float]) -> list[NDArray]:
    volume = grid(spacing, (115, 100, 100))
    mask = shape(points(volume))
    mask = mask[bounding_boxes(mask.astype(np.uint8))[1]]
    separated = separate(mask, volume.spacing)
    total = np.sum(separated, axis=0)
    assert np.array_equal(total, mask)  # every voxel in exactly one part
    return separated


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(
    "shape",
    [
        ball((0, 0, 0), 30),
        ball((0.3, 0.2, 0.1), 4),
        ellipsoid((0, 0, 0), (40, 12, 18), TILTED),
        ellipsoid((0, 0, 0), (45, 9, 9), TILTED),
        rod((-25, -20, -20), (25, 20, 20), 6),
        # lobulated masses: lobes that overlap broadly
        either(ball((0, 0, 0), 20), ball((22, 0, 0), 14), ball((-12, 16, 6), 14)),
        either(ball((0, 0, 0), 25), ball((0, 24, 0), 12), ball((0, -18, 18), 10)),
        # a hump on a large mass
        either(ball((0, 0, 0), 30), ball((27, 0, 0), 8)),
    ],
    ids=["ball", "small ball", "ellipsoid", "cigar", "rod", "three lobes", "two humps", "hump"],
)
def test_one_body_stays_one(shape: Shape, spacing: tuple[float, float, float]) -> None:
    assert len(parts(shape, spacing)) == 1


def test_a_rough_surface_does_not_split() -> None:
    volume = grid((0.8, 0.8, 1.0), (60, 60, 60))
    noise = np.random.default_rng(3).random(volume.voxels.shape)
    x = points(volume)
    mask = ball((0, 0, 0), 20)(x) & (ball((0, 0, 0), 18)(x) | (noise < 0.5))
    assert len(separate(mask, volume.spacing)) == 1


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(
    ("radii", "distance"), [((15, 15), 28), ((20, 10), 29), ((10, 10), 19.4), ((30, 8), 37.5), ((8, 8), 15)]
)
def test_two_touching_balls_are_two(
    radii: tuple[float, float], distance: float, spacing: tuple[float, float, float]
) -> None:
    """The volumes are right to 8 %, or 15 % on slices of 5 mm (the lens that both balls share is below 2 %)."""
    centres = np.array([(-distance / 2, 0, 0), (distance / 2, 0, 0)]) @ Rotation.from_euler("y", 30, True).as_matrix()
    balls = [ball(tuple(centre), radius) for centre, radius in zip(centres, radii, strict=True)]
    separated = parts(either(*balls), spacing)
    assert len(separated) == 2
    voxel = float(np.prod(spacing))
    sizes = sorted(np.count_nonzero(part) * voxel for part in separated)
    expected = sorted(4 / 3 * np.pi * radius**3 for radius in radii)
    assert sizes == pytest.approx(expected, rel=0.15 if spacing[2] == 5 else 0.08)


def test_a_chain_of_five_is_five() -> None:
    chain = either(*(ball((x, 8 * (-1) ** n, 0), 9) for n, x in enumerate(range(-30, 31, 15))))
    assert len(parts(chain, (1.0, 1.0, 1.0))) == 5


def test_a_small_cyst_on_a_huge_one() -> None:
    sizes = sorted(np.count_nonzero(p) for p in parts(either(ball((0, 0, 0), 40), ball((47.5, 0, 0), 8)), (1, 1, 1)))
    assert sizes == pytest.approx([4 / 3 * np.pi * 8**3, 4 / 3 * np.pi * 40**3], rel=0.08)


def find(volume: Volume, labels: NDArray) -> tuple[list[int], int]:
    bodies, specks = find_bodies(volume, labels, 4, bounding_boxes(labels)[4])
    for body in bodies:
        assert body.mask.any(axis=(1, 2))[[0, -1]].all()  # cut to its bounding box
        assert (labels[tuple(body.voxels().T)] == 4).all()
    return [int(np.count_nonzero(body.mask)) for body in bodies], len(specks)


def test_separate_bodies_and_their_places() -> None:
    volume = grid((1, 1, 2), (60, 40, 60))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[3:6, 5:10, 7:17] = 4
    labels[20:24, 5:9, 30:34] = 4
    labels[10:14, 20:24, 30:34] = 3
    bodies, specks = find_bodies(volume, labels, 4, bounding_boxes(labels)[4])
    assert specks == []
    assert [(body.offset, body.mask.sum()) for body in bodies] == [((3, 5, 7), 150), ((20, 5, 30), 64)]


def test_bodies_that_touch_at_a_corner_of_voxels_are_one() -> None:
    """A slanting sheet of single voxels, each touching the next at a corner only."""
    volume = grid((1, 1, 1), (30, 30, 30))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    for n in range(5, 25):
        labels[n, n, n] = 4
    assert find(volume, labels) == ([20], 0)


@pytest.mark.parametrize(("gap", "expected"), [(2, ([1000 + 8], 0)), (8, ([1000], 1))])
def test_specks(gap: int, expected: tuple[list[int], int]) -> None:
    """Eight cubic millimetres are less than a ball of 3 mm: counted to what lies beside it, or left out."""
    volume = grid((1, 1, 1), (50, 30, 30))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[10:20, 10:20, 10:20] = 4
    labels[14:16, 14:16, 20 + gap : 22 + gap] = 4
    assert find(volume, labels) == expected


def test_specks_alone() -> None:
    volume = grid((1, 1, 1), (30, 30, 30))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[4, 4, 4] = labels[20:22, 4:6, 4] = 4
    assert find(volume, labels) == ([], 2)
    labels[10:14, 10:12, 10:12] = 4  # 16 mm³ are more than 14.1
    assert find(volume, labels) == ([16], 2)


def test_surface() -> None:
    mask = np.ones((4, 5, 6), bool)
    assert len(surface(mask)) == 4 * 5 * 6 - 2 * 3 * 4
    assert surface(mask).min() == 0
