"""The sample's trunk: skin, fat, muscles, ribs, lungs and the table underneath.

Origin is the centre of the second lumbar vertebra's body; the scan reaches from the iliac crests to the lung bases.
"""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.sample.noise import SmoothField, Uneven
from KidneySegLib.sample.render import Even, Fill, Layer, Shells, Textured
from KidneySegLib.sample.shapes import Ellipsoid, Joined, Points, Shape, Trimmed, curve, frame
from KidneySegLib.sample.tissues import Tissues

# Box (mm LPS) that holds every scan of the sample.
EXTENT = (np.array([-230.0, -190.0, -190.0]), np.array([230.0, 190.0, 230.0]))
VERTEBRAL_PERIOD = 33.0
# Soft tissue round the spine and the great vessels, where lungs and diaphragm do not reach.
MEDIASTINUM = Ellipsoid((3.0, 6.0, 0.0), (35.0, 46.0, 900.0))


@dataclass(frozen=True)
class Wall:
    """A surface all round the trunk: an oval cross-section, drawn in at the waist.

    Attributes:
        half_width: along x, mm.
        front: y of its foremost line, mm.
        back: y of its hindmost line, mm.
        waist: how much it is drawn in between ribs and pelvis, mm.
    """

    half_width: float
    front: float
    back: float
    waist: float = 6.0

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm); along z the trunk goes on beyond the scan."""
        low, high = EXTENT
        return np.array([-self.half_width, self.front, low[2]]), np.array([self.half_width, self.back, high[2]])

    @property
    def centre_y(self) -> float:
        """Y of the cross-section's centre in mm."""
        return (self.front + self.back) / 2

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`. The section is a superellipse of order 2.5, flatter in front and behind than an ellipse."""
        half_depth = (self.back - self.front) / 2
        x = np.abs(points.x / np.float32(self.half_width))
        y = np.abs((points.y - np.float32(self.centre_y)) / np.float32(half_depth))
        level = np.maximum((x**2.5 + y**2.5) ** np.float32(0.4), np.float32(1e-3))
        slope = np.hypot((x / level) ** 1.5 / np.float32(self.half_width), (y / level) ** 1.5 / np.float32(half_depth))
        inset = np.float32(self.waist) * np.exp(-(((points.z + np.float32(45)) / np.float32(55)) ** 2))
        return (level - 1) / np.maximum(slope, np.float32(1e-4)) + inset


@dataclass(frozen=True)
class Trunk:
    """The layers of the trunk and the surfaces that organs keep to.

    Attributes:
        behind: layers under the organs (skin to peritoneal fat, ribs, lungs).
        before: layers over the organs (muscles of the back).
        cavity: inner surface of the muscular wall.
        diaphragm: what lies below the diaphragm.
    """

    behind: tuple[Layer, ...]
    before: tuple[Layer, ...]
    cavity: Shape
    diaphragm: Shape


def table(tissues: Tissues) -> Layer:
    """Returns the couch: a shallow trough of carbon fibre around foam."""
    board = Trimmed(
        Ellipsoid((0.0, -222.0, 0.0), (440.0, 362.0, 9000.0)),
        inside=(Ellipsoid((0.0, 118.0, 0.0), (215.0, 60.0, 9000.0)),),
        without=(Ellipsoid((0.0, -230.0, 0.0), (420.0, 342.0, 9000.0)),),
        rounding=2.0,
    )
    return Layer(board, Shells(((0.0, Even(150.0)), (2.2, Even(-950.0)))))


def build_trunk(rng: np.random.Generator, tissues: Tissues) -> Trunk:
    """Makes the trunk; ``rng`` decides how its borders run."""
    broad = SmoothField.random(rng, 45.0, EXTENT)
    fine = SmoothField.random(rng, 14.0, EXTENT)
    streaks = SmoothField.random(rng, 7.0, EXTENT)

    skin = Uneven(Wall(172.0, -130.0, 97.0), broad, 3.0)
    outer = Uneven(Wall(152.0, -107.0, 74.0), broad, 2.6)
    cavity = Uneven(Wall(137.0, -98.0, 60.0), broad, 2.6)
    diaphragm = _diaphragm()
    fat = Textured(tissues.fat, 6.0, streaks)
    behind = [
        Layer(skin, Shells(((0.0, Even(tissues.skin)), (2.2, fat)))),
        Layer(outer, _wall_muscle(tissues, streaks)),
        Layer(cavity, Textured(tissues.fat + 2, 10.0, fine)),
        *_ribs(rng, tissues, streaks),
        *_lungs(rng, cavity, diaphragm, fine, tissues),
        Layer(Trimmed(diaphragm, inside=(cavity,)), Shells(((0.0, Even(tissues.muscle)), (2.4, fat)))),
        *_rectus(tissues, streaks),
    ]
    return Trunk(tuple(behind), _muscles(fine, streaks, tissues), cavity, diaphragm)


def _wall_muscle(tissues: Tissues, texture: SmoothField) -> Fill:
    """Returns the three flat muscles of the flank with streaks of fat between them."""
    muscle = Textured(tissues.muscle, 5.0, texture)
    streak = Textured(tissues.muscle - 95, 45.0, texture)
    return Shells(((0.0, muscle), (4.6, streak), (5.6, muscle), (9.6, streak), (10.4, muscle)))


def _diaphragm() -> Shape:
    right = Ellipsoid((-66.0, -22.0, 30.0), (86.0, 88.0, 112.0))
    left = Ellipsoid((66.0, -18.0, 26.0), (84.0, 86.0, 104.0))
    low = Ellipsoid((0.0, -20.0, -60.0), (220.0, 150.0, 118.0))
    return Joined((right, left, low), fillet=22.0)


def _rectus(tissues: Tissues, texture: SmoothField) -> list[Layer]:
    """Returns the straight muscles of the belly, apart in the midline."""
    muscle = Textured(tissues.muscle, 6.0, texture)
    return [Layer(Ellipsoid((side * 33.0, -101.0, -20.0), (30.0, 5.5, 190.0)), muscle) for side in (-1.0, 1.0)]


def _lungs(
    rng: np.random.Generator, cavity: Shape, diaphragm: Shape, texture: SmoothField, tissues: Tissues
) -> list[Layer]:
    lung = Trimmed(cavity, without=(diaphragm, MEDIASTINUM), rounding=1.0)
    heart = Ellipsoid((18.0, -48.0, 168.0), (62.0, 46.0, 34.0))
    fat_pad = Ellipsoid((14.0, -52.0, 166.0), (72.0, 50.0, 38.0))
    gullet = curve([(6.0, -28.0, 220.0), (10.0, -32.0, 150.0), (22.0, -42.0, 118.0)], 8.0)
    vessels = []
    for side in (-1.0, 1.0):
        for _ in range(45):
            root = np.array([side * 45.0, -10.0, 215.0]) + rng.normal(0, 6, 3)
            end = np.array([side * rng.uniform(45, 130), rng.uniform(-75, 48), rng.uniform(75, 150)])
            vessels.append(curve(np.stack([root, (root + end) / 2 + rng.normal(0, 9, 3), end]), [4.0, 2.4, 0.9]))
    return [
        Layer(lung, Textured(tissues.lung, 35.0, texture)),
        *(Layer(Trimmed(vessel, inside=(lung,), rounding=0.5), Even(tissues.blood)) for vessel in vessels),
        Layer(Trimmed(fat_pad, inside=(cavity,), without=(diaphragm,), rounding=1.0), Even(tissues.fat)),
        Layer(Trimmed(heart, inside=(cavity,), without=(diaphragm,), rounding=1.0), Even(tissues.blood)),
        Layer(gullet, Even(tissues.gut_wall)),
    ]


def _ribs(rng: np.random.Generator, tissues: Tissues, texture: SmoothField) -> list[Layer]:
    """Returns the seventh to twelfth ribs: from the spine round the wall, falling to the side and then rising."""
    bone = Shells(((0.0, Even(tissues.cortical)), (1.6, Textured(300.0, 40.0, texture))))
    gristle = Even(tissues.cartilage)
    layers = []
    for number, reach in ((12, 0.34), (11, 0.5), (10, 0.72), (9, 0.8), (8, 0.86), (7, 0.9)):
        head = VERTEBRAL_PERIOD * (14 - number) + 8.0
        turn = np.linspace(0.1, reach, 14) * np.pi
        # turn 0 is straight back, half a circle is straight to the front
        drop = 78.0 * np.sin(np.minimum(turn, 0.62 * np.pi) / 1.24) - 30.0 * np.maximum(turn - 0.62 * np.pi, 0)
        x = 146.5 * np.abs(np.sin(turn)) ** 0.8
        y = -16.5 + 82.5 * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8
        for side in (-1.0, 1.0):
            path = np.column_stack([side * x, y, head - drop * rng.uniform(0.94, 1.06)])
            start = [(side * 20.0, 22.0, head)]
            bony = path[: 14 if number > 10 else 11]
            layers.append(Layer(curve(np.vstack([start, bony]), 4.6), bone))
            if number <= 10:
                layers.append(Layer(curve(path[10:], 5.0), gristle))
    return layers


def _muscles(fine: SmoothField, texture: SmoothField, tissues: Tissues) -> tuple[Layer, ...]:
    """Returns psoas, quadratus lumborum, erector spinae and the crura of the diaphragm."""
    muscle = Textured(tissues.muscle, 6.0, texture)
    marbled = Textured(tissues.muscle - 4, 13.0, texture)
    layers = []
    for side in (-1.0, 1.0):
        psoas = curve(
            [(s * side, y, z) for s, y, z in ((25, 6, 45), (31, 4, 10), (38, 0, -35), (46, -6, -80), (60, -24, -160))],
            [5.0, 11.0, 17.0, 21.0, 23.0],
        )
        quadratus = Ellipsoid(
            (side * 62.0, 46.0, -35.0), (19.0, 8.5, 74.0), frame((0.2 * side, 0.0, -1.0), (side, -0.35, 0.0))
        )
        erector = Ellipsoid((side * 36.0, 57.0, 0.0), (36.0, 19.0, 420.0), frame((0, 0, 1), (1.0, -0.1 * side, 0.0)))
        spinal = Ellipsoid((side * 16.0, 60.0, 0.0), (14.5, 20.0, 420.0))
        crus = curve([(side * 16, -12, 105), (side * 14, -15, 50), (side * 13, -17, 5)], [5.0, 4.5, 2.5])
        layers += [
            Layer(Uneven(quadratus, fine, 1.2), muscle),
            Layer(Uneven(erector, fine, 1.6), marbled),
            Layer(Uneven(spinal, fine, 1.2), marbled),
            Layer(Uneven(psoas, fine, 1.0), muscle),
            Layer(crus, muscle),
        ]
    return tuple(layers)
