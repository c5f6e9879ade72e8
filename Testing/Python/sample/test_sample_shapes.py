"""The sample's building blocks against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest

from KidneySegLib.sample.noise import SmoothField, Uneven
from KidneySegLib.sample.render import Even, Layer, Shells, render
from KidneySegLib.sample.shapes import Ellipsoid, Joined, Points, Trimmed, Tube, curve, frame
from KidneySegLib.sample.truth import ellipsoid_axial_diameter


def grid(half: float, step: float = 0.5) -> Points:
    axis = np.arange(-half, half + step / 2, step)
    return Points.grid(axis, axis, axis)


def volume(shape, points: Points, step: float = 0.5) -> float:
    return float((shape.distance(points) < 0).sum()) * step**3


def test_distance_to_a_sphere_is_exact():
    points = grid(8, 1.0)
    radius = np.sqrt(points.x**2 + points.y**2 + points.z**2)
    distance = Ellipsoid((0, 0, 0), (5, 5, 5)).distance(points)
    assert np.allclose(distance, radius - 5, atol=1e-3)
    assert distance[8, 8, 8] == pytest.approx(-5, abs=1e-3), "the centre must not be a hole"


def test_ellipsoid_holds_the_volume_of_the_formula():
    body = Ellipsoid((0.3, -0.2, 0.1), (12, 8, 5), frame((1, 2, 3), (1, 0, 0)))
    assert volume(body, grid(14)) == pytest.approx(4 / 3 * np.pi * 12 * 8 * 5, rel=0.005)
    low, high = body.bounds
    inside = np.argwhere(body.distance(grid(14)) < 0)[:, ::-1] * 0.5 - 14
    assert (inside >= low).all() and (inside <= high).all()
    assert (inside.min(axis=0) - low < 1).all() and (high - inside.max(axis=0) < 1).all()


def test_tube_is_a_cylinder_with_round_ends():
    # off the grid's points, none of which may lie on the surface
    tube = Tube(np.array([[-6.0, 0.13, 0.17], [6.0, 0.13, 0.17]]), np.array([4.0, 4.0]))
    assert volume(tube, grid(12)) == pytest.approx(np.pi * 16 * 12 + 4 / 3 * np.pi * 64, rel=0.01)


def test_curve_passes_through_its_points():
    knots = [(0.0, 0, 0), (10.0, 5, 0), (18.0, -3, 9)]
    tube = curve(knots, [2.0, 3.0, 1.0], step=2.0)
    for knot, radius in zip(knots, (2.0, 3.0, 1.0), strict=True):
        nearest = np.linalg.norm(tube.path - knot, axis=1).argmin()
        assert tube.path[nearest] == pytest.approx(knot)
        assert tube.radii[nearest] == pytest.approx(radius)


def test_joining_and_trimming():
    left, right = Ellipsoid((-5, 0, 0), (4, 4, 4)), Ellipsoid((5, 0, 0), (4, 4, 4))
    points = grid(12)
    apart = volume(Joined((left, right), fillet=0.01), points)
    assert apart == pytest.approx(2 * volume(left, points), rel=0.001)
    big = Ellipsoid((0, 0, 0), (10, 10, 10))
    lens = Trimmed(big, inside=(Ellipsoid((10, 0, 0), (10, 10, 10)),), rounding=0.01)
    # two spheres of radius r at distance r share 5/12 pi r^3
    assert volume(lens, points) == pytest.approx(5 / 12 * np.pi * 1000, rel=0.01)
    rest = Trimmed(big, without=(Ellipsoid((10, 0, 0), (10, 10, 10)),), rounding=0.01)
    assert volume(rest, points) == pytest.approx((4 / 3 - 5 / 12) * np.pi * 1000, rel=0.01)


def test_field_has_unit_variance_and_belongs_to_the_patient():
    bounds = (np.full(3, -60.0), np.full(3, 60.0))
    field = SmoothField.random(np.random.default_rng(4), 5.0, bounds)
    points = grid(60, 2.0)
    values = field(points)
    assert values.mean() == pytest.approx(0, abs=0.1)
    assert values.std() == pytest.approx(1, abs=0.1)
    window = (slice(10, 20), slice(3, 30), slice(40, 41))
    assert np.allclose(field(points.part(window)), values[window], atol=1e-5)


def test_uneven_border_stays_within_its_bounds():
    bounds = (np.full(3, -20.0), np.full(3, 20.0))
    field = SmoothField.random(np.random.default_rng(1), 6.0, bounds)
    ball = Uneven(Ellipsoid((0, 0, 0), (10, 10, 10)), field, 1.0)
    pushed = ball.distance(grid(16)) - Ellipsoid((0, 0, 0), (10, 10, 10)).distance(grid(16))
    assert pushed.std() == pytest.approx(1.0, abs=0.35)
    assert ball.bounds[1] == pytest.approx([13, 13, 13])


def test_axial_diameter_of_a_tilted_ellipsoid():
    assert ellipsoid_axial_diameter(Ellipsoid((0, 0, 0), (3, 7, 20))) == pytest.approx(14)
    tilt = np.deg2rad(30)
    axes = np.array([[np.cos(tilt), 0, -np.sin(tilt)], [0, 1, 0], [np.sin(tilt), 0, np.cos(tilt)]])
    expected = 2 / np.sqrt(np.cos(tilt) ** 2 / 6**2 + np.sin(tilt) ** 2 / 20**2)
    assert ellipsoid_axial_diameter(Ellipsoid((1, 2, 3), (6, 5, 20), axes)) == pytest.approx(expected)


def test_thick_slices_average_what_they_hold():
    """The HU of a small stone, summed over voxels, give its volume although it is thinner than two slices."""
    x = np.arange(-10, 10.1, 0.8)
    z = np.arange(-11, 11.1, 2.2) + 0.7
    stone = Ellipsoid((0.1, 0.2, 0.3), (3.0, 2.8, 4.2), frame((0.3, 0.2, 1), (1, 0, 0)))
    image, labels = render([Layer(stone, Even(1000), 5, fine=True)], Points.grid(x, x, z), thickness=2.2)
    share = (image + 1000) / 2000
    assert share.sum() * 0.8**2 * 2.2 == pytest.approx(4 / 3 * np.pi * 3 * 2.8 * 4.2, rel=0.03)
    assert set(np.unique(labels)) == {0, 5}


def test_layers_cover_each_other_in_order():
    points = grid(6, 1.0)
    outer, inner = Ellipsoid((0, 0, 0), (5, 5, 5)), Ellipsoid((0, 0, 0), (2.5, 2.5, 2.5))
    image, labels = render([Layer(outer, Even(50), 1), Layer(inner, Even(-100), 0)], points, thickness=1.0)
    assert image[6, 6, 6] == -100 and labels[6, 6, 6] == 0
    assert image[6, 6, 10] == 50 and labels[6, 6, 10] == 1
    assert image[6, 6, 11] == pytest.approx(-475) and labels[6, 6, 12] == 0
    assert image[0, 0, 0] == -1000
    wall, _ = render([Layer(outer, Shells(((0.0, Even(40)), (2.0, Even(10)))))], points, thickness=1.0)
    assert wall[6, 6, 10] == pytest.approx(40) and wall[6, 6, 6] == pytest.approx(10)
