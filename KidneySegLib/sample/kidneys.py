"""The sample's kidneys with sinus, collecting system and vessels, and what is to be found in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.sample.noise import SmoothField, Uneven
from KidneySegLib.sample.render import Even, Fill, Layer, Shells, Textured
from KidneySegLib.sample.shapes import Ellipsoid, Points, Shape, Trimmed, along, curve, ellipsoid_distance, frame
from KidneySegLib.sample.tissues import Tissues
from KidneySegLib.sample.trunk import EXTENT
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side

# How far the poles bend towards the midline, in mm at the tip of the kidney.
BEND = 9.0
# Where the lower calyx ends, and the stone lies: mm towards the hilum, across, and towards the upper pole.
LOWER_CALYX = (3.0, -1.0, -27.0)


@dataclass(frozen=True)
class Kidney:
    """A bean: an ellipsoid whose long axis is bent round the hilum.

    Attributes:
        side: the patient's side.
        centre: mm.
        radii: half axes towards the hilum, across, and lengthwise, in mm.
        axes: the same three directions as unit vectors (rows); the last points to the upper pole.
    """

    side: Side
    centre: np.ndarray
    radii: tuple[float, float, float]
    axes: np.ndarray

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of a box around the kidney."""
        radii = np.array([self.radii[0] + BEND, self.radii[1], self.radii[2]])
        reach = np.sqrt(((self.axes * radii[:, None]) ** 2).sum(axis=0))
        return self.centre - reach, self.centre + reach

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`."""
        u, v, w = (along(points, axis, self.centre) for axis in self.axes)
        bent = u - np.float32(BEND) * ((w * np.float32(1 / self.radii[2])) ** 2 - np.float32(0.4))
        return ellipsoid_distance((bent, v, w), self.radii)

    def place(self, u: float, v: float, w: float) -> np.ndarray:
        """Returns the point (mm LPS) at ``u`` mm towards the hilum, ``v`` across and ``w`` towards the upper pole."""
        return self.centre + np.array([u, v, w]) @ self.axes

    def grown(self, u: float, v: float, w: float) -> Kidney:
        """Returns the same shape with half axes longer by ``u``, ``v`` and ``w`` mm."""
        return replace(self, radii=(self.radii[0] + u, self.radii[1] + v, self.radii[2] + w))


def build_kidneys(rng: np.random.Generator) -> dict[Side, Kidney]:
    """Returns both kidneys, the right one lower; ``rng`` varies their places and sizes a little."""
    kidneys = {}
    for side, sign, radii, height in (
        (Side.RIGHT, -1.0, (27.0, 23.5, 54.0), -4.0),
        (Side.LEFT, 1.0, (28.0, 24.5, 56.0), 9.0),
    ):
        centre = np.array([sign * 72.0, 14.0, height]) + rng.uniform(-3.0, 3.0, 3)
        axes = frame((-0.22 * sign, 0.2, 1.0), (-0.82 * sign, -0.57, 0.0))
        u, v, w = (float(r) for r in np.array(radii) * rng.uniform(0.97, 1.03, 3))
        kidneys[side] = Kidney(side, centre, (u, v, w), axes)
    return kidneys


def perirenal_layers(rng: np.random.Generator, kidneys: dict[Side, Kidney], tissues: Tissues) -> tuple[Layer, ...]:
    """Returns Gerota's fascia and the perirenal fat inside it, painted over the neighbour organs."""
    field = SmoothField.random(rng, 30.0, EXTENT)
    streaks = SmoothField.random(rng, 8.0, EXTENT)
    layers = []
    for kidney in kidneys.values():
        space = Uneven(kidney.grown(12.0, 10.0, 15.0), field, 1.8)
        fat = Textured(tissues.fat, 7.0, streaks)
        layers.append(Layer(space, Shells(((0.0, Even(-62.0)), (1.0, fat)))))
    return tuple(layers)


def kidney_layers(rng: np.random.Generator, kidneys: dict[Side, Kidney], tissues: Tissues) -> tuple[Layer, ...]:
    """Returns both kidneys; labels follow the convention that clear sinus fat does not belong to the kidney."""
    border = SmoothField.random(rng, 17.0, EXTENT)
    grain = SmoothField.random(rng, 5.0, EXTENT)
    layers: list[Layer] = []
    for kidney in kidneys.values():
        label = KIDNEYS[kidney.side].label
        hull = Uneven(kidney, border, 1.1)
        # outside the kidney the sinus goes over into the perirenal fat
        open_cleft = Trimmed(Uneven(_sinus(kidney), grain, 1.0), inside=(kidney.grown(4.0, 4.0, 4.0),), rounding=2.0)
        parenchyma = Textured(tissues.kidney, 2.5, grain)
        layers += [
            Layer(hull, parenchyma, label, fine=True),
            Layer(open_cleft, Textured(tissues.fat + 8, 8.0, grain), 0),
        ]
        for tube, fill in _sinus_tubes(kidney, tissues):
            layers += [Layer(tube, fill), Layer(Trimmed(tube, inside=(hull,), rounding=0.5), None, label)]
    return tuple(layers)


def _sinus(kidney: Kidney) -> Shape:
    """Returns the sinus: a flat cleft, open to the hilum."""
    centre = kidney.place(20.0, 0.0, 0.0)
    return Ellipsoid((centre[0], centre[1], centre[2]), (21.0, 8.0, 25.0), kidney.axes)


def _sinus_tubes(kidney: Kidney, tissues: Tissues) -> list[tuple[Shape, Fill]]:
    """Returns vein, artery, and the collecting system down to the ureter, each with its fill."""
    left = kidney.side is Side.LEFT
    sign = 1.0 if left else -1.0
    blood = Even(tissues.blood)
    at, z = kidney.place, float(kidney.centre[2])
    # the left renal vein passes before the aorta
    to_cava = [(-20.0, -30.0, z + 4), (6.0, -41.0, z + 6), (28.0, -30.0, z + 6)] if left else [(-24.0, -26.0, z + 8)]
    vessels = [
        (np.array([*to_cava, at(45, 2, 4), at(22, 3, 8)]), [*([4.5] * (len(to_cava) + 1)), 3.0]),
        (np.array([(sign * 6, -29, z + 12), at(44, 3, 12), at(24, 4, 2)]), [3.2, 2.8, 2.0]),
        (np.array([at(26, 3, 6), at(14, 3, 22), at(6, 2, 30)]), [2.6, 2.0, 1.3]),
        (np.array([at(26, 3, 2), at(14, 4, -18), at(6, 3, -28)]), [2.6, 2.0, 1.3]),
    ]
    return [(curve(path, radii), blood) for path, radii in vessels] + _collecting_system(kidney, tissues)


def _collecting_system(kidney: Kidney, tissues: Tissues) -> list[tuple[Shape, Fill]]:
    """Returns ureter with renal pelvis, and four calyces."""
    urine = Shells(((0.0, Even(tissues.gut_wall - 10)), (1.0, Even(tissues.fluid))))
    at, z = kidney.place, float(kidney.centre[2])
    sign = 1.0 if kidney.side is Side.LEFT else -1.0
    ureter = [
        *(at(22, -1, -2), at(30, -2, -6), at(36, -2, -26)),
        *((sign * 40, -14, z - 62), (sign * 38, -24, z - 110), (sign * 42, -30, -170)),
    ]
    tubes: list[tuple[Shape, Fill]] = [(curve(np.array(ureter), [5.0, 6.5, 3.4, 2.4, 2.2, 2.2]), urine)]
    for u, v, w in ((3.0, 1.0, 27.0), (-1.0, -3.0, 9.0), (-1.0, 3.0, -8.0), LOWER_CALYX):
        path = np.array([at(24, -1, -2), at(u + 9, v / 2, w * 0.7), at(u, v, w)])
        tubes.append((curve(path, [4.2, 3.0, 4.6]), urine))
    return tubes


@dataclass(frozen=True)
class PhantomLesion:
    """Something to be found: an exact ellipsoid, so that its true size is known.

    Attributes:
        key: structure's key.
        side: the kidney that it belongs to.
        shape: its place.
        hu: its mean HU.
    """

    key: str
    side: Side
    shape: Ellipsoid
    hu: float

    @property
    def label(self) -> int:
        """Label value."""
        return BY_KEY[self.key].label


def build_lesions(kidneys: dict[Side, Kidney], tissues: Tissues) -> tuple[PhantomLesion, ...]:
    """Returns one solid mass (left), one cyst and one stone (both right)."""
    right, left = kidneys[Side.RIGHT], kidneys[Side.LEFT]
    return (
        _lesion("mass", left, (-13.0, 13.0, 22.0), (19.0, 18.5, 20.5), tissues.mass),
        _lesion("cyst", right, (-21.0, -9.0, 20.0), (12.5, 12.0, 12.5), tissues.fluid),
        _lesion("stone", right, LOWER_CALYX, (3.0, 2.8, 4.2), tissues.stone),
    )


def _lesion(
    key: str, kidney: Kidney, place: tuple[float, float, float], radii: tuple[float, float, float], hu: float
) -> PhantomLesion:
    x, y, z = kidney.place(*place)
    return PhantomLesion(key, kidney.side, Ellipsoid((float(x), float(y), float(z)), radii, kidney.axes), hu)


def lesion_layers(rng: np.random.Generator, lesions: tuple[PhantomLesion, ...], tissues: Tissues) -> tuple[Layer, ...]:
    """Returns the lesions as layers; the mass is uneven inside, the cyst has a thin wall."""
    clumps = SmoothField.random(rng, 5.0, EXTENT)
    fills: dict[str, Fill] = {
        "mass": Textured(tissues.mass, 10.0, clumps),
        "cyst": Shells(((0.0, Even(tissues.fluid + 14)), (0.8, Even(tissues.fluid)))),
        "stone": Even(tissues.stone),
    }
    return tuple(Layer(lesion.shape, fills[lesion.key], lesion.label, fine=True) for lesion in lesions)
