"""The sample's lumbar spine and iliac bones."""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.sample.noise import SmoothField, Uneven
from KidneySegLib.sample.render import Even, Fill, Layer, Shells, Textured
from KidneySegLib.sample.shapes import Ellipsoid, Points, Shape, curve, ellipsoid_distance, frame
from KidneySegLib.sample.tissues import Tissues
from KidneySegLib.sample.trunk import EXTENT, VERTEBRAL_PERIOD

LEVELS = range(-4, 7)


@dataclass(frozen=True)
class SpinalColumn:
    """The column of vertebral bodies, or of the discs between them.

    Attributes:
        half_height: of one body in mm; None for one long column.
    """

    half_height: float | None

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Two corners (mm) of the box around it."""
        return np.array([-27.0, -21.0, EXTENT[0][2]]), np.array([27.0, 21.0, EXTENT[1][2]])

    def distance(self, points: Points) -> np.ndarray:
        """See `Shape`. Bodies are oval, hollow behind, and narrower at half height."""
        oval = ellipsoid_distance((points.x, points.y), (24.0, 17.0))
        hollow = np.float32(17.0) - np.hypot(points.x, points.y - np.float32(29.0))
        section = np.maximum(oval, hollow)
        if self.half_height is None:
            return np.broadcast_to(section + np.float32(0.8), points.shape)
        height = np.mod(points.z + np.float32(VERTEBRAL_PERIOD / 2), np.float32(VERTEBRAL_PERIOD))
        height = np.abs(height - np.float32(VERTEBRAL_PERIOD / 2))
        waist = np.float32(2.2) * np.cos(np.minimum(height / np.float32(self.half_height), 1) * np.float32(np.pi / 2))
        return np.maximum(section + waist, height - np.float32(self.half_height))


def build_skeleton(rng: np.random.Generator, tissues: Tissues) -> tuple[Layer, ...]:
    """Returns the layers of spine and pelvis."""
    grain = SmoothField.random(rng, 5.0, (np.array([-60.0, -30.0, EXTENT[0][2]]), np.array([60.0, 90.0, EXTENT[1][2]])))
    border = SmoothField.random(rng, 12.0, EXTENT)
    body = Shells(((0.0, Even(tissues.cortical * 0.8)), (1.3, Textured(tissues.cancellous, 28.0, grain))))
    arch = Shells(((0.0, Even(tissues.cortical)), (1.8, Textured(tissues.cancellous + 130, 40.0, grain))))
    canal = Ellipsoid((0.0, 25.0, 0.0), (11.0, 9.0, 900.0))
    sac = Ellipsoid((0.0, 24.5, 0.0), (8.5, 7.5, 900.0))
    layers = [
        Layer(SpinalColumn(None), Even(tissues.disc)),
        Layer(Uneven(SpinalColumn(12.3), border, 0.5), body),
        Layer(canal, Even(tissues.fat + 40)),
        Layer(sac, Even(tissues.cord)),
    ]
    for level in LEVELS:
        layers += [Layer(shape, arch) for shape in _arch(level * VERTEBRAL_PERIOD)]
    return tuple(layers + _pelvis(arch, border, tissues))


def _arch(z: float) -> list[Shape]:
    """Returns pedicles, laminae, spinous and transverse processes and joints of the vertebra at height ``z``."""
    spine = Ellipsoid((0.0, 56.0, z - 9.0), (3.6, 18.0, 10.0), frame((0.0, 0.25, 1.0), (1, 0, 0)))
    parts: list[Shape] = [spine]
    for side in (-1.0, 1.0):
        parts += [
            curve([(side * 14, 12, z + 5), (side * 16, 20, z + 4), (side * 16, 27, z + 2)], [5.0, 4.4, 5.0]),
            curve([(side * 16, 28, z), (side * 9, 36, z - 6), (0, 41, z - 9)], [5.5, 4.4, 4.5]),
            curve([(side * 17, 29, z + 10), (side * 18, 32, z), (side * 17, 33, z - 12)], [5.0, 5.5, 6.0]),
            curve([(side * 18, 29, z + 3), (side * 32, 34, z + 3), (side * 43, 37, z + 4)], [4.2, 3.6, 3.0]),
        ]
    return parts


def _pelvis(bone: Fill, border: SmoothField, tissues: Tissues) -> list[Layer]:
    """Returns the iliac wings with the gluteal muscles behind and the iliacus before them."""
    layers: list[Layer] = []
    for side in (-1.0, 1.0):
        axes = frame((side * 0.42, 0.1, 1.0), (side * 0.85, -0.45, 0.0))
        wing = Ellipsoid((side * 104.0, 14.0, -142.0), (5.5, 58.0, 58.0), axes)
        flesh = Ellipsoid((side * 106.0, 22.0, -150.0), (30.0, 62.0, 52.0), axes)
        layers += [
            Layer(Uneven(flesh, border, 2.0), Even(tissues.muscle)),
            Layer(Uneven(wing, border, 0.8), bone),
        ]
    return layers
