"""The sample's upper abdominal organs and great vessels."""

import numpy as np

from KidneySegLib.sample.noise import SmoothField, Uneven
from KidneySegLib.sample.render import Even, Layer, Shells, Supine, Textured
from KidneySegLib.sample.shapes import Ellipsoid, Joined, Trimmed, curve, frame
from KidneySegLib.sample.tissues import Tissues
from KidneySegLib.sample.trunk import EXTENT, Trunk


def build_organs(rng: np.random.Generator, tissues: Tissues, trunk: Trunk) -> tuple[Layer, ...]:
    """Returns liver, gallbladder, spleen, stomach, pancreas and duodenum, in the order of painting."""
    broad = SmoothField.random(rng, 32.0, EXTENT)
    fine = SmoothField.random(rng, 12.0, EXTENT)
    grain = SmoothField.random(rng, 6.0, EXTENT)
    limits = (trunk.cavity, trunk.diaphragm)
    return (
        *_stomach(tissues, limits, broad, grain),
        *_liver(tissues, limits, broad, fine, grain),
        *_spleen(tissues, limits, fine, grain),
        *_pancreas(tissues, fine, grain),
    )


def _liver(tissues: Tissues, limits: tuple, broad: SmoothField, fine: SmoothField, grain: SmoothField) -> list[Layer]:
    right = Ellipsoid((-86.0, -16.0, 78.0), (64.0, 82.0, 76.0), frame((0.1, 0.25, 1.0), (1.0, 0.0, 0.0)))
    tip = Ellipsoid((-110.0, -20.0, 28.0), (27.0, 50.0, 50.0), frame((0.12, 0.15, 1.0), (1.0, 0.0, 0.0)))
    left = Ellipsoid((-4.0, -66.0, 104.0), (76.0, 34.0, 40.0), frame((0.35, 0.0, 1.0), (1.0, -0.1, 0.0)))
    caudate = Ellipsoid((-26.0, -34.0, 88.0), (18.0, 16.0, 26.0))
    hilum = Ellipsoid((-30.0, -50.0, 48.0), (34.0, 20.0, 24.0))
    body = Trimmed(
        Joined((right, tip, left, caudate), fillet=16.0), inside=limits, without=(hilum,), margin=2.0, rounding=8.0
    )
    veins = [
        curve([(-20, -24, 120), (-52, -34, 124), (-92, -32, 112), (-120, -20, 96)], [6.0, 4.5, 3.2, 1.5]),
        curve([(-18, -30, 122), (-44, -62, 112), (-64, -84, 86)], [5.0, 3.6, 1.6]),
        curve([(-30, -46, 54), (-58, -34, 70), (-88, -22, 72), (-116, 8, 60)], [7.0, 5.5, 4.0, 1.8]),
        curve([(-58, -34, 70), (-84, -56, 56), (-108, -58, 36)], [5.0, 3.4, 1.6]),
        curve([(-40, -44, 60), (-26, -64, 90), (6, -74, 104), (36, -72, 108)], [5.5, 4.5, 3.0, 1.5]),
    ]
    gallbladder = Ellipsoid((-62.0, -70.0, 26.0), (14.0, 24.0, 18.0), frame((0.1, 0.5, 1.0), (1.0, 0.2, 0.0)))
    surface = Uneven(body, broad, 2.2)
    return [
        Layer(surface, Textured(tissues.liver, 3.0, grain)),
        *(Layer(Trimmed(vein, inside=(surface,), rounding=1.0), Even(tissues.blood)) for vein in veins),
        Layer(Uneven(gallbladder, fine, 1.0), Shells(((0.0, Even(tissues.gut_wall)), (1.6, Even(tissues.fluid))))),
    ]


def _spleen(tissues: Tissues, limits: tuple, fine: SmoothField, grain: SmoothField) -> list[Layer]:
    body = Ellipsoid((104.0, 18.0, 92.0), (40.0, 58.0, 52.0), frame((0.15, -0.35, 1.0), (1.0, 0.45, 0.0)))
    hollow = Ellipsoid((68.0, -10.0, 84.0), (32.0, 44.0, 60.0))
    spleen = Uneven(Trimmed(body, inside=limits, without=(hollow,), margin=2.0, rounding=8.0), fine, 1.2)
    return [Layer(spleen, Textured(tissues.spleen, 3.0, grain))]


def _stomach(tissues: Tissues, limits: tuple, broad: SmoothField, grain: SmoothField) -> list[Layer]:
    bag = curve(
        [(52, -14, 122), (64, -34, 108), (66, -58, 84), (52, -74, 58), (22, -80, 42), (-8, -74, 40), (-28, -64, 42)],
        [26.0, 33.0, 31.0, 26.0, 21.0, 17.0, 12.0],
        step=10.0,
    )
    stomach = Uneven(Trimmed(bag, inside=limits, margin=3.0, rounding=6.0), broad, 2.0)
    content = Supine(Even(-985.0), Textured(18.0, 16.0, grain), level=-72.0)
    return [Layer(stomach, Shells(((0.0, Even(tissues.gut_wall)), (4.5, content))))]


def _pancreas(tissues: Tissues, fine: SmoothField, grain: SmoothField) -> list[Layer]:
    gland = curve(
        [(-30, -46, 0), (-26, -50, 18), (-4, -52, 30), (26, -44, 38), (56, -24, 48), (80, -8, 60)],
        [14.0, 15.0, 10.0, 10.5, 11.0, 8.0],
    )
    duodenum = curve(
        [
            (-34, -62, 42),
            (-52, -50, 38),
            (-54, -38, 16),
            (-50, -34, -14),
            (-28, -34, -28),
            (6, -36, -26),
            (38, -38, -6),
        ],
        [12.0, 13.0, 13.0, 12.5, 12.0, 11.0, 11.0],
    )
    chyme = Supine(Even(-700.0), Textured(tissues.chyme, 12.0, grain), level=-60.0)
    return [
        Layer(Uneven(duodenum, fine, 1.5), Shells(((0.0, Even(tissues.gut_wall)), (3.0, chyme)))),
        Layer(Uneven(gland, grain, 1.6), Textured(tissues.pancreas, 22.0, grain)),
    ]


def build_vessels(rng: np.random.Generator, tissues: Tissues) -> tuple[Layer, ...]:
    """Returns aorta, inferior vena cava, iliac, portal and mesenteric vessels and the adrenal glands."""
    grain = SmoothField.random(rng, 9.0, EXTENT)
    blood = Even(tissues.blood)
    aorta = curve([(16, -14, 230), (14, -24, 110), (9, -29, 40), (6, -30, -30), (4, -30, -76)], [12, 11.5, 10, 9, 8.5])
    cava = Joined(
        (
            curve([(-20, -24, 150), (-22, -26, 60), (-23, -26, 0), (-21, -25, -84)], [12.0, 11.0, 10.0, 9.5]),
            curve([(-26, -25, 150), (-28, -26, 60), (-29, -26, 0), (-26, -25, -84)], [10.0, 10.0, 9.0, 9.0]),
        ),
        fillet=3.0,
    )
    veins = [
        curve([(-22, -26, -80), (-8, -22, -96), (18, -16, -118), (44, -22, -160)], [8.5, 7.5, 7.0, 7.0]),
        curve([(-22, -26, -80), (-36, -16, -118), (-54, -14, -160)], [8.5, 7.5, 7.0]),
        curve([(-30, -46, 54), (-20, -48, 32), (-12, -54, 14), (-14, -62, -40), (-18, -66, -90)], [7, 7, 6, 4.5, 2.5]),
        curve([(-16, -46, 28), (26, -34, 36), (62, -14, 52), (90, 2, 74)], [5.0, 4.5, 4.0, 3.0]),
    ]
    arteries = [
        curve([(4, -30, -70), (-10, -30, -92), (-34, -26, -122), (-52, -30, -160)], [7.0, 5.8, 5.2, 5.0]),
        curve([(4, -30, -70), (18, -30, -92), (40, -28, -122), (56, -34, -160)], [7.0, 5.8, 5.2, 5.0]),
        curve([(10, -36, 30), (8, -50, 16), (4, -62, -30), (-4, -68, -80)], [4.0, 3.8, 3.2, 2.0]),
        curve([(12, -34, 50), (6, -44, 54), (-20, -48, 56)], [3.8, 3.2, 2.6]),
    ]
    plaques = [
        Ellipsoid(c, r) for c, r in (((1.5, -37.0, -58.0), (3.2, 1.3, 4.0)), ((12.6, -26.0, -40.0), (1.2, 3, 4)))
    ]
    return (
        Layer(Uneven(cava, grain, 0.7), blood),
        *(Layer(vein, blood) for vein in veins),
        Layer(aorta, Shells(((0.0, Even(tissues.gut_wall + 6)), (1.2, blood)))),
        *(Layer(artery, blood) for artery in arteries),
        *(Layer(plaque, Even(tissues.plaque)) for plaque in plaques),
        *_adrenals(tissues),
    )


def _adrenals(tissues: Tissues) -> list[Layer]:
    layers = []
    for side, z in ((-1.0, 66.0), (1.0, 78.0)):
        limbs = (
            curve([(side * 30, -8, z + 8), (side * 34, 2, z), (side * 38, 14, z - 6)], [2.6, 2.4, 1.8]),
            curve([(side * 34, 2, z), (side * 44, 8, z - 8)], [2.4, 1.6]),
        )
        layers += [Layer(limb, Even(tissues.gland)) for limb in limbs]
    return layers
