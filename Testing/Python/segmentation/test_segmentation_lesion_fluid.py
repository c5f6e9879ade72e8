"""Cysts that density and form tell on scans without contrast medium, on analytic bodies."""

from __future__ import annotations

import numpy as np
import pytest
from lesion_cases import LEFT, RIGHT, ball, either, ellipsoid, grid, kidneys, points, rod
from scipy.ndimage import gaussian_filter

from KidneySegLib.segmentation.kidneys.organ import OrganMask
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.find import FoundLesions, with_fluid
from KidneySegLib.segmentation.lesions.fluid import fluid_cysts
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

FAT, PARENCHYMA, FLUID = -100.0, 34.0, 6.0
MASS, CYST = 3, 4


def scan(*bodies, parenchyma=PARENCHYMA, spacing=(1.2, 1.2, 1.5), noise=10.0):
    """Two kidneys in fat, and bodies of fluid: image, outlines of parenchyma and the mask of the fluid."""
    empty = grid(spacing, extent=(230.0, 130.0, 150.0))
    places = points(empty)
    hu = np.full(empty.voxels.shape, FAT)
    masks = [shape(places) for _, shape in kidneys()]
    for mask in masks:
        hu[mask] = parenchyma
    fluid = np.zeros(hu.shape, bool)
    for body in bodies:
        fluid |= body(places)
    hu[fluid] = FLUID
    hu = gaussian_filter(hu, 0.8 / np.array(spacing[::-1]))
    hu += np.random.default_rng(1).normal(0, noise, hu.shape)
    volume = Volume(hu.round().astype(np.int16), empty.ijk_to_lps)
    return volume, masks, fluid


def outline(volume, side, mask, without=None):
    box = tuple(slice(0, n) for n in mask.shape)
    mask = mask if without is None else mask & ~without
    return Outline(side, box, mask, mask.astype(np.float32), 0.95, 150.0, False, ())


def found(volume, side, mask, without=None):
    kidney = outline(volume, side, mask, without)
    return fluid_cysts(volume, kidney, kidney.box)


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


# the kidneys' half axes are 25, 22 and 55 mm; the spine lies between them at x = 0
@pytest.mark.parametrize(("side", "place"), [(Side.RIGHT, RIGHT), (Side.LEFT, LEFT)])
def test_a_cyst_on_the_outer_side_is_found_although_it_lies_outside_the_outline(side, place):
    outer = np.sign(place[0])
    volume, masks, cyst = scan(ball((place[0] + outer * 30, 0.0, 10.0), 13.0))
    mask = masks[0 if side is Side.RIGHT else 1]
    numbers = found(volume, side, mask, without=cyst)
    assert numbers.max() == 1 and dice(numbers > 0, cyst) > 0.85


def test_touching_cysts_are_told_apart():
    volume, masks, _ = scan(ball((-88.0, 0.0, -13.0), 15.0), ball((-90.0, 0.0, 15.0), 15.0))
    numbers = found(volume, Side.RIGHT, masks[0])
    assert numbers.max() == 2
    heights = sorted(np.nonzero(numbers == n)[0].mean() for n in (1, 2))
    assert heights[1] - heights[0] == pytest.approx(28 / 1.5, abs=2)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("a dilated renal pelvis on the hilar side", ball((-44.0, 0.0, 0.0), 12.0)),
        (
            "dilated calyces and pelvis",
            either(ball((-52, 0, 0), 9), rod((-52, 0, 0), (-60, 0, 30), 6), rod((-52, 0, 0), (-60, 0, -30), 6)),
        ),
        ("bowel beside the kidney", rod((-95.0, -20.0, -60.0), (-95.0, 10.0, 60.0), 8.0)),
        ("a gallbladder that does not touch it", ellipsoid((-60.0, -48.0, 10.0), (14.0, 14.0, 28.0))),
        ("a small body", ball((-86.0, 0.0, 0.0), 5.0)),
    ],
)
def test_other_fluid_is_no_cyst(what, body):
    volume, masks, _ = scan(body)
    assert not found(volume, Side.RIGHT, masks[0]).any(), what


def test_enhanced_parenchyma_is_left_to_the_network():
    volume, masks, _ = scan(ball((-90.0, 0.0, 10.0), 13.0), parenchyma=120.0)
    assert not found(volume, Side.RIGHT, masks[0]).any()


def test_a_kidney_alone_has_no_cyst_and_an_empty_outline_is_no_error():
    volume, masks, _ = scan()
    assert not found(volume, Side.RIGHT, masks[0]).any()
    assert not found(volume, Side.RIGHT, np.zeros_like(masks[0])).any()


def lesions(volume, labels, mask, cyst):
    box = tuple(slice(0, n) for n in labels.shape)
    known = FoundLesions(box, labels, np.where(labels > 0, 70, 0).astype(np.uint8), ())
    kidney = outline(volume, Side.RIGHT, mask, cyst)
    return with_fluid(known, volume, kidney, OrganMask(box, kidney.mask, kidney.probability, ()))


def test_what_the_network_drew_keeps_its_outline_and_becomes_a_cyst():
    volume, masks, cyst = scan(ball((-88.0, 0.0, 10.0), 13.0))
    drawn = np.where(ball((-88.0, 0.0, 10.0), 12.0)(points(volume)), MASS, 0).astype(np.uint8)
    result = lesions(volume, drawn, masks[0], cyst)
    assert np.array_equal(result.labels > 0, drawn > 0) and set(np.unique(result.labels)) == {0, CYST}
    assert result.percent[drawn > 0].max() == 90  # density is surer of it than the network was


def test_a_cyst_is_added_beside_a_mass_and_fluid_in_a_mass_stays_mass():
    centre, place = (-90.0, 0.0, 25.0), ball((-90.0, 0.0, -25.0), 13.0)
    volume, masks, fluid = scan(ball(centre, 9.0), place)
    drawn = np.where(ball(centre, 20.0)(points(volume)), MASS, 0).astype(np.uint8)
    result = lesions(volume, drawn, masks[0], fluid)
    assert np.array_equal(result.labels == MASS, drawn == MASS)
    added = result.labels == CYST
    assert dice(added, place(points(volume))) > 0.8 and result.percent[added].min() == 90
