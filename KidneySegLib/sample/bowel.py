"""The sample's large and small bowel."""

import numpy as np

from KidneySegLib.sample.noise import SmoothField, Uneven
from KidneySegLib.sample.render import Even, Layer, Shells, Stool, Supine, Textured
from KidneySegLib.sample.shapes import Trimmed, Tube, curve
from KidneySegLib.sample.tissues import Tissues
from KidneySegLib.sample.trunk import EXTENT, Trunk

# Region of the small bowel (mm LPS) and the distance between loops' centres.
LOOPS_LOW = np.array([-92.0, -76.0, -150.0])
LOOPS_HIGH = np.array([96.0, -20.0, 14.0])
LOOP_DISTANCE = 31.0


def build_bowel(rng: np.random.Generator, tissues: Tissues, trunk: Trunk) -> tuple[Layer, ...]:
    """Returns mesenteric vessels, small bowel and colon, in the order of painting."""
    fine = SmoothField.random(rng, 11.0, EXTENT)
    return (
        *_mesentery(rng, tissues),
        *_small_bowel(rng, tissues, trunk, fine),
        *_colon(rng, tissues, trunk, fine),
    )


def _colon(rng: np.random.Generator, tissues: Tissues, trunk: Trunk, fine: SmoothField) -> list[Layer]:
    stool = Stool(SmoothField.random(rng, 12.0, EXTENT), SmoothField.random(rng, 3.2, EXTENT))
    gas = Supine(Even(-980.0), stool, level=-68.0)
    wall = Even(tissues.gut_wall)
    ascending = curve(
        [(-84, -42, -150), (-98, -30, -100), (-104, -28, -50), (-98, -36, -8), (-92, -50, 8)], [25, 24, 22, 20, 18]
    )
    transverse = curve(
        [(-92, -50, 8), (-78, -72, 0), (-40, -80, -16), (4, -84, -22), (48, -78, 4), (84, -56, 34), (104, -26, 50)],
        [18.0, 18.0, 17.0, 17.0, 17.0, 16.0, 16.0],
    )
    descending = curve(
        [(104, -26, 50), (114, -8, 26), (112, -2, -30), (108, -6, -80), (92, -20, -120), (76, -36, -160)],
        [16.0, 14.0, 12.5, 12.0, 12.0, 13.0],
    )
    layers = []
    for tube, content in ((descending, stool), (ascending, stool), (transverse, gas)):
        shape = Trimmed(Uneven(_haustra(tube), fine, 1.3), inside=(trunk.cavity,), margin=3.0, rounding=4.0)
        layers.append(Layer(shape, Shells(((0.0, wall), (2.4, content)))))
    return layers


def _haustra(tube: Tube) -> Tube:
    """Returns the tube with the pouches of the colon, about 26 mm apart."""
    run = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(tube.path, axis=0), axis=1))])
    return Tube(tube.path, tube.radii * (1 + 0.13 * np.sin(run * (2 * np.pi / 26.0))))


def _small_bowel(rng: np.random.Generator, tissues: Tissues, trunk: Trunk, fine: SmoothField) -> list[Layer]:
    fluid = Textured(tissues.chyme, 14.0, fine)
    contents = (fluid, fluid, fluid, Supine(Even(-950.0), fluid, level=-74.0), Even(tissues.gut_wall - 6))
    layers = []
    for centre in _scattered(rng):
        turn = rng.uniform(0, 2 * np.pi) + np.linspace(0, rng.uniform(0.7, 1.3) * np.pi, 6)
        first = rng.standard_normal(3)
        second = np.cross(first, rng.standard_normal(3))
        axes = np.stack([first / np.linalg.norm(first), second / np.linalg.norm(second)])
        arc = centre + rng.uniform(17, 26) * (np.stack([np.cos(turn), np.sin(turn)], axis=1) @ axes)
        tube = curve(arc, rng.uniform(9.0, 12.5), step=9.0)
        shape = Trimmed(Uneven(tube, fine, 0.8), inside=(trunk.cavity,), margin=4.0, rounding=3.0)
        content = contents[rng.integers(len(contents))]
        layers.append(Layer(shape, Shells(((0.0, Even(tissues.gut_wall)), (2.6, content)))))
    return layers


def _scattered(rng: np.random.Generator) -> list[np.ndarray]:
    """Returns centres of loops that keep their distance from each other."""
    centres: list[np.ndarray] = []
    for _ in range(600):
        candidate = rng.uniform(LOOPS_LOW, LOOPS_HIGH)
        if all(np.linalg.norm(candidate - other) > LOOP_DISTANCE for other in centres):
            centres.append(candidate)
    return centres


def _mesentery(rng: np.random.Generator, tissues: Tissues) -> list[Layer]:
    """Returns fine vessels that fan out from the root of the mesentery."""
    layers = []
    for _ in range(34):
        root = np.array([-4.0, -62.0, rng.uniform(-80, 10)])
        end = rng.uniform(LOOPS_LOW, LOOPS_HIGH)
        middle = (root + end) / 2 + rng.uniform(-10, 10, 3)
        layers.append(Layer(curve(np.stack([root, middle, end]), [2.2, 1.7, 1.1], step=14.0), Even(tissues.blood)))
    return layers
