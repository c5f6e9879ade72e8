"""Real texture in whole sectors: pieces of frames that a kidney fills, put where experts saw kidneys and other tissue.

A network that met real speckle only inside pasted kidneys would take real speckle for a kidney. So pieces beside the
kidneys of other frames lie in the same sector, and in sectors without a kidney there are such pieces alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from KidneySegLib.training.synthesis.ultrasound.frames import Frame, Shape

# How much a piece is made smaller: from pixels of a frame that a kidney fills to those of a sector.
_ZOOM = (0.35, 1.1)
# Most pieces of other tissue in a sector, and their radius in shares of its rows.
_PIECES, _RADIUS = 14, (0.08, 0.4)
# Kidneys that experts outlined are varied by these factors in length and width; a smaller one is not a kidney any more.
_SIZE, _LEAST_PIXELS = (0.6, 1.25), 150
# Pixels beside a kidney that count as its border rather than as other tissue.
_APART = 6.0
# Of 255: darker is the black around a sector.
_BLACK = 12.0
_TRIES = 8


@dataclass(frozen=True, eq=False)
class Piece:
    """A real frame that a kidney fills, and what lies beside the kidney.

    Attributes:
        frame: with its outline.
    """

    frame: Frame

    @cached_property
    def outside(self) -> np.ndarray:
        """Distance from the kidney in pixels, 32-bit float ``(j, i)``; 0 inside of it."""
        return np.asarray(ndimage.distance_transform_edt(~self.frame.kidney), dtype=np.float32)

    @cached_property
    def seen(self) -> np.ndarray:
        """How far a pixel is tissue rather than the black around a sector, 0..1, 32-bit float ``(j, i)``."""
        lit = ndimage.uniform_filter(self.frame.grey.astype(np.float32), 7) > _BLACK
        return ndimage.gaussian_filter(ndimage.binary_erosion(lit, iterations=3).astype(np.float32), 2)

    @cached_property
    def edge(self) -> np.ndarray:
        """Distance from the border of the frame in pixels, 32-bit float ``(j, i)``."""
        apart = [np.minimum(np.arange(n) + 1, n - np.arange(n)) for n in self.frame.grey.shape]
        return np.minimum.outer(*apart).astype(np.float32)


def compose_frame(sector: Frame, pieces: Sequence[Piece], shape: Shape | None, rng: np.random.Generator) -> Frame:
    """Returns a sector with real texture, and with a real kidney where an expert outlined one.

    Args:
        sector: simulated, without a kidney.
        pieces: frames whose kidneys are taken, and what lies beside them.
        shape: gives the place, the size and the direction of the kidney; None or an empty one: no kidney.
        rng: source of all randomness.
    """
    way = -1 if rng.random() < 0.5 else 1
    ground = sector.grey[:, ::way].astype(np.float32)
    inside = np.asarray(ndimage.binary_fill_holes(ndimage.binary_closing(ground > 0, iterations=2)), dtype=bool)
    if not inside.any():
        return Frame(sector.grey, np.zeros(ground.shape, bool))
    for _ in range(int(rng.integers(0, _PIECES + 1))):
        ground = _with_tissue(ground, inside, pieces[int(rng.integers(len(pieces)))], rng)
    kidney = np.zeros(ground.shape, bool)
    if shape is not None and shape.capsule.any():
        for _ in range(_TRIES):
            piece = pieces[int(rng.integers(len(pieces)))]
            found, mask = _with_kidney(ground, inside, piece, shape, rng)
            if np.count_nonzero(mask) >= _LEAST_PIXELS:
                ground, kidney = found, mask
                break
    if rng.random() < 0.7:  # one machine, one grain over all
        noise = ndimage.gaussian_filter(
            rng.standard_normal(ground.shape), (rng.uniform(0.4, 0.9), rng.uniform(0.6, 1.6))
        )
        ground = ground * np.exp(noise / noise.std() * rng.uniform(0.02, 0.15))
    if rng.random() < 0.5:
        ground = ndimage.gaussian_filter(ground, rng.uniform(0.3, 0.8))
    return Frame(np.where(inside, np.clip(ground, 0, 255), 0).astype(np.uint8), kidney)


def _with_tissue(ground: np.ndarray, inside: np.ndarray, piece: Piece, rng: np.random.Generator) -> np.ndarray:
    """Puts a soft-edged piece from beside a kidney somewhere into a sector."""
    places = np.argwhere(piece.outside > _APART)
    goals = np.argwhere(inside)
    if not len(places):
        return ground
    # of a few places, the one furthest from the kidney has most around it
    tried = places[rng.integers(len(places), size=4)]
    start = tried[int(np.argmax(piece.outside[tuple(tried.T)]))]
    zoom = np.exp(rng.uniform(*np.log(_ZOOM))) * np.exp(rng.normal(0, 0.15, 2))
    matrix = _turn(rng.normal(0, 0.35)) @ np.diag(1 / zoom)
    if rng.random() < 0.5:
        matrix[:, 1] *= -1
    goal = goals[int(rng.integers(len(goals)))]
    radius = rng.uniform(*_RADIUS) * ground.shape[0] * np.exp(rng.normal(0, 0.3, 2))
    rows, columns = np.ogrid[: ground.shape[0], : ground.shape[1]]
    apart = np.hypot((rows - goal[0]) / radius[0], (columns - goal[1]) / radius[1])
    soft = rng.uniform(0.15, 0.6)
    share = np.clip((1 - apart) / soft, 0, 1)
    own = np.clip((piece.outside - _APART) / 6, 0, 1) * np.clip(piece.edge / 8, 0, 1)
    return _mixed(ground, inside, piece, own, share, matrix, start - matrix @ goal, rng)[0]


def _with_kidney(
    ground: np.ndarray, inside: np.ndarray, piece: Piece, shape: Shape, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Puts a kidney, with some of what surrounds it, where a shape lies; returns the sector and the kidney's mask."""
    middle, spread = _ellipse(piece.frame.kidney)
    mirrored = rng.random() < 0.5
    if mirrored:
        spread = spread * [[1, -1], [-1, 1]]
    centre, goal = _ellipse(shape.capsule)
    size = np.array(ground.shape)
    centre = centre / shape.capsule.shape * size + rng.normal(0, 0.06, 2) * size
    if rng.random() < 0.5:
        centre[1], goal = size[1] - 1 - centre[1], goal * [[1, -1], [-1, 1]]
    turn = _turn(rng.normal(0, 0.2))
    scale = rng.uniform(*_SIZE) * np.exp(rng.normal(0, 0.08))
    goal = turn @ goal @ turn.T * scale**2
    # the way between two ellipses that turns least
    root = _power(spread, 0.5)
    forth = _power(spread, -0.5) @ _power(root @ goal @ root, 0.5) @ _power(spread, -0.5)
    matrix = np.linalg.inv(forth)
    if mirrored:
        matrix = np.diag([1, -1]) @ matrix
    margin, soft = rng.uniform(1, 40), rng.uniform(3, 25)
    around = np.clip(1 - (piece.outside - margin) / soft, 0, 1) * np.clip(piece.edge / rng.uniform(6, 30), 0, 1)
    own = np.maximum(around, np.clip(1 - piece.outside / 3, 0, 1) * np.clip(piece.edge / 3, 0, 1))
    offset = middle - matrix @ centre
    mixed, mask = _mixed(ground, inside, piece, own, np.ones(1), matrix, offset, rng)
    return mixed, mask & inside


def _mixed(
    ground: np.ndarray,
    inside: np.ndarray,
    piece: Piece,
    own: np.ndarray,
    share: np.ndarray,
    matrix: np.ndarray,
    offset: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Mixes a piece into a sector, at the sector's brightness or near it; returns it and where the piece has kidney.

    ``own`` is the piece's weight on its own grid, ``share`` that on the sector's; matrix and offset lead from places of
    the sector to those of the piece.
    """
    smooth = 0.35 * float(np.abs(np.linalg.det(matrix))) ** 0.5
    grey = ndimage.gaussian_filter(piece.frame.grey.astype(np.float32), smooth)

    def moved(values: np.ndarray) -> np.ndarray:
        return np.asarray(ndimage.affine_transform(values, matrix, offset, ground.shape, order=1))

    weight = moved((own * piece.seen).astype(np.float32)) * share * inside
    if weight.sum() < 1:
        return ground, np.zeros(ground.shape, bool)
    values, total = moved(grey), float(weight.sum())
    there, before = float((values * weight).sum()) / total, float((ground * weight).sum()) / total
    gain = np.clip((before + 4) / (there + 4), 0.4, 2.0) ** rng.uniform(0.2, 1)
    mixed = ground + (values * gain - ground) * weight
    return mixed, moved(piece.frame.kidney.astype(np.float32)) > 0.5


def _ellipse(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the middle of a mask and the covariance of its pixels, ``(2,)`` and ``(2, 2)``."""
    places = np.argwhere(mask).astype(float)
    return places.mean(axis=0), np.cov(places.T) + np.eye(2)


def _power(matrix: np.ndarray, power: float) -> np.ndarray:
    """Returns a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-9) ** power) @ vectors.T)


def _turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
