"""A body whose border every ray from its centre crosses once: lesions are round more often than not.

Rays in all directions are cut where the tissue stops being that of the body and starts being that around it, best at
an edge, and so that neighbouring rays agree (``sphere``). What speaks for either tissue is learnt from the rays as they
were cut last, in some rounds. The problem is that of Li et al., "Optimal surface segmentation in volumetric images"
(IEEE PAMI 2006), with belief propagation in place of their graph cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.segmentation.interactive.sphere import sphere
from KidneySegLib.segmentation.interactive.tissue import log_odds
from KidneySegLib.volume import Volume

# Samples of a ray, how far the first rays reach, and how far any reaches.
STEPS, FIRST_MM, FARTHEST_MM = 48, 26.0, 62.0
# Rays reach beyond the present border by this factor and so many mm, and so far at least.
BEYOND, BEYOND_MM, LEAST_MM = 1.7, 4.0, 9.0
ROUNDS, PASSES = 3, 10
# The tissue at a click is that of a ball of this radius.
CORE_MM = 3.0
# Samples of the body lie within this share of its radius; those around it beyond this one, up to half a radius and so
# many mm farther.
INNER, OUTER, AROUND, AROUND_MM = 0.7, 1.1, 0.5, 4.0
LOUDEST, SMOOTHING_HU = 2.5, 5.0
# A voxel that is drawn as the structure speaks at least so much for the body.
DRAWN = 1.0
# Costs, in the unit of what 1 mm of tissue at the border says: neighbouring rays that differ by 1 mm (in a body of the
# usual radius), a border that is not at the usual distance of all, and a body that is not of the usual size.
STIFFNESS, ROUNDNESS, SIZE, USUAL_MM = 30.0, 4.0, 1.0, 8.0
# An edge is the change of the mean over so many mm; the most that one is worth, in units of what is usual in the body.
EDGE, EDGE_MM, MOST_EDGE, EDGE_HU = 4.0, 1.5, 1.5, 8.0
# What no tissue outweighs, and the rays that it is said of around a click's direction.
FORBIDDEN, RAYS = 30.0, 3

# Returns a further cost ``(COUNT, STEPS)``, or what broadcasts to it, of borders at distances in mm ``(STEPS,)``.
Price = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ground:
    """Where a body is looked for.

    Attributes:
        volume: in HU, axes at right angles.
        labels: label map, uint8 ``(k, j, i)``.
        label: of the structure.
        free: labels that the body may lie on.
        drawn: whether what is drawn of the structure speaks for the body.
    """

    volume: Volume
    labels: np.ndarray
    label: int
    free: tuple[int, ...]
    drawn: bool = False

    @property
    def spacing(self) -> np.ndarray:
        """In mm along k, j, i."""
        return np.array(self.volume.spacing[::-1])


@dataclass(frozen=True)
class Body:
    """A body around a point.

    Attributes:
        centre: voxel indices ``(k, j, i)``.
        radii: mm to the border in the directions of ``sphere``.
    """

    centre: np.ndarray
    radii: np.ndarray

    def depth(self, offsets: Sequence[np.ndarray]) -> np.ndarray:
        """Returns 1 at the centre, 0 at the border, and less beyond it.

        Args:
            offsets: mm along k, j, i from the centre to the points, three arrays that broadcast.
        """
        distance = np.sqrt(sum((axis**2 for axis in offsets), start=np.float32(0)))
        return 1 - distance / sphere().towards(self.radii, offsets)


def grown(
    ground: Ground,
    centre: np.ndarray,
    inside: Sequence[np.ndarray],
    outside: Sequence[np.ndarray],
    price: Price,
    radii: np.ndarray | None = None,
) -> Body:
    """Finds the body around a point.

    Args:
        ground: where.
        centre: of the body, continuous voxel indices ``(k, j, i)``.
        inside: places that the reader said to be inside, voxel indices.
        outside: places that the reader said to be outside.
        price: further costs of a border, such as those of a change.
        radii: mm, ``(COUNT,)``, to begin with; without them, with the tissue at the centre.
    """
    known = np.concatenate([np.zeros(0), *(_core(ground, at) for at in inside if np.abs(at - centre).max() > 0)])
    for _ in range(ROUNDS):
        reach = FIRST_MM if radii is None else BEYOND * float(np.quantile(radii, 0.9)) + BEYOND_MM
        step = float(np.clip(reach, LEAST_MM, FARTHEST_MM)) / STEPS
        r = (np.arange(STEPS) + 0.5) * step
        border = r + step / 2
        values, odds = _evidence(ground, centre, r, radii, known)
        usual = float(np.median(radii)) if radii is not None else CORE_MM * 2
        cost = -np.cumsum(odds * step * (r / usual), axis=1)
        edges = _edges(values, step)
        cost -= EDGE * np.minimum(edges / (2 * np.median(edges[:, r < max(usual, 2 * CORE_MM)]) + EDGE_HU), MOST_EDGE)
        middle = usual if radii is not None else float(np.median(border[cost.argmin(axis=1)]))
        cost += ROUNDNESS * np.log(border / middle) ** 2 + SIZE * np.log(border / USUAL_MM) ** 2
        cost += price(border)
        for places, beyond in ((inside, False), (outside, True)):
            for offset in ((place - centre) * ground.spacing for place in places):
                if offset.any():
                    wrong = (border < np.linalg.norm(offset)) != beyond
                    cost[np.ix_(sphere().nearest(offset, RAYS), wrong)] += FORBIDDEN
        stiffness = STIFFNESS * step**2 * USUAL_MM / usual
        radii = (sphere().smooth_choice(cost.astype(np.float32), stiffness, PASSES) + 1) * step
    assert radii is not None
    return Body(centre, radii)


def drawn_extent(ground: Ground, centre: np.ndarray) -> np.ndarray:
    """Returns the distance in mm to where what is drawn of the structure ends, in the directions of ``sphere``."""
    step = 0.5
    r = np.arange(0, FARTHEST_MM, step)
    found, missing = _labels(ground, _places(ground, centre, r))
    here = (found == ground.label) & ~missing
    here[:, 0] = True
    return np.where(here.all(axis=1), r[-1], np.argmin(here, axis=1) * step)


def touches(ground: Ground, body: Body, within_mm: float) -> float:
    """Returns the share of directions in which a body ends at what is drawn of the structure, or just before it."""
    found, _ = _labels(ground, _places(ground, body.centre, body.radii[:, None] + np.arange(0, within_mm + 0.1, 0.5)))
    return float((found == ground.label).any(axis=1).mean())


def _evidence(
    ground: Ground, centre: np.ndarray, r: np.ndarray, radii: np.ndarray | None, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns HU of the samples at ``r`` mm of every ray, and how much they speak for the body, ``(COUNT, STEPS)``."""
    places = _places(ground, centre, r)
    values = _values(ground, places)
    found, missing = _labels(ground, places)
    own = found == ground.label
    allowed = np.isin(found, ground.free)
    # a sample of the outside stands for a volume that grows with the square of its distance; inside, all rays meet
    if radii is None:
        within, around = np.broadcast_to(r < CORE_MM, own.shape), np.broadcast_to(r > CORE_MM, own.shape)
    else:
        border = radii[:, None]
        within = r < np.maximum(INNER * border, 2.5)
        around = (r > OUTER * border + 0.3) & (r < (1 + AROUND) * border + AROUND_MM)
    counted = ~missing & allowed
    odds = log_odds(
        values, (within & counted).astype(np.float64), around * counted * r**2, known, SMOOTHING_HU, LOUDEST
    )
    if ground.drawn:
        odds[own] = np.maximum(odds[own], DRAWN)
    odds[missing] = 0
    odds[~allowed] = -LOUDEST
    return values, odds


def _core(ground: Ground, place: np.ndarray) -> np.ndarray:
    """Returns the HU around a place."""
    return _values(ground, _places(ground, place, np.linspace(0.3, CORE_MM, 5))[:, ::4]).ravel()


def _places(ground: Ground, centre: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Returns voxel indices ``(3, COUNT, n)`` at distances in mm, ``(n,)`` or ``(COUNT, n)``, in all directions."""
    steps = sphere().directions.T[:, :, None] * r
    return centre[:, None, None] + steps / ground.spacing[:, None, None]


def _values(ground: Ground, places: np.ndarray) -> np.ndarray:
    """Returns the HU at places ``(3, ...)``, linear between voxels; beyond the image, those at its rim."""
    from scipy.ndimage import map_coordinates

    voxels = ground.volume.voxels
    last = np.array(voxels.shape) - 1
    low = np.clip(np.floor(places.min(axis=(1, 2))).astype(int) - 1, 0, last)
    high = np.clip(np.ceil(places.max(axis=(1, 2))).astype(int) + 1, low, last)
    box = tuple(slice(a, b + 1) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    part = voxels[box].astype(np.float32)
    values: np.ndarray = map_coordinates(part, places - low[:, None, None], np.float32, order=1, mode="nearest")
    return values


def _labels(ground: Ground, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the labels at places ``(3, ...)``, and whether these lie beyond the image."""
    shape = np.array(ground.labels.shape)[:, None, None]
    missing: np.ndarray = np.any((places < -0.5) | (places > shape - 0.5), axis=0)
    at = np.clip(np.rint(places).astype(np.intp), 0, shape - 1)
    return ground.labels[tuple(at)], missing


def _edges(values: np.ndarray, step: float) -> np.ndarray:
    """Returns how much the mean HU changes behind each sample of every ray, ``(COUNT, STEPS)``."""
    width = max(1, round(EDGE_MM / step))
    sums = np.cumsum(np.pad(values, ((0, 0), (width + 1, width)), mode="edge"), axis=1)
    at = np.arange(values.shape[1]) + width + 1
    change: np.ndarray = np.abs(sums[:, at + width] - 2 * sums[:, at] + sums[:, at - width]) / width
    return change
