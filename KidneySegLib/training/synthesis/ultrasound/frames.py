"""Simulated frames: a kidney of a real shape among simulated tissue, or a real frame within a simulated sector."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from KidneySegLib.datasets.slices import read_grey
from KidneySegLib.errors import InputError
from KidneySegLib.training.synthesis.ultrasound.echoes import echo_levels
from KidneySegLib.training.synthesis.ultrasound.sector import Sector, close_sector, random_sector
from KidneySegLib.training.synthesis.ultrasound.tissue import make_tissue

# Longest side of a simulated frame: machines' 1024 pixels hold no more than this after a network's grid.
LONGEST = 256
_TRIES = 8
_LEAST_SEEN = 0.9
# The border of a real frame fades into its simulated surroundings over this share of its shorter side.
_FADE = 0.2
# What a published crop measures along both sides, and which share of them its kidney fills.
_CROP, _FILLED = 224, (0.7, 0.97)


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame with its kidney, ``(j, i)``: grey values uint8, kidney bool."""

    grey: np.ndarray
    kidney: np.ndarray


@dataclass(frozen=True, eq=False)
class Shape:
    """A kidney that an expert outlined in a sector, ``(j, i)``.

    Attributes:
        capsule: bool.
        regions: uint8, see ``tissue``; 0 where they were not outlined.
    """

    capsule: np.ndarray
    regions: np.ndarray


def read_frame_shapes(folder: Path) -> list[Path]:
    """Returns the files of a folder of shapes: ``capsule/NAME.png`` and ``regions/NAME.png``.

    Raises:
        InputError: there is none.
    """
    files = sorted((folder / "capsule").glob("*.png"))
    if not files:
        raise InputError(
            "The folder of kidney shapes holds no 'capsule/NAME.png'. Give the folder that the recipe names."
        )
    return files


def read_shape(file: Path) -> Shape:
    """Reads a shape at the size of simulated frames.

    Raises:
        InputError: a file is missing, or the two differ in size.
    """
    capsule, regions = read_grey(file), read_grey(file.parent.parent / "regions" / file.name)
    if capsule.shape != regions.shape:
        raise InputError(f"The capsule and the regions of '{file.name}' differ in size.")
    zoom = LONGEST / max(capsule.shape)
    return Shape(_nearest(capsule, zoom) > 0, _nearest(regions, zoom))


def simulate_frame(shape: Shape | None, rng: np.random.Generator) -> Frame:
    """Returns a simulated sector with a kidney of this shape, moved, turned and mirrored; None: without a kidney.

    Args:
        shape: of the kidney.
        rng: source of all randomness.
    """
    rows, columns = shape.capsule.shape if shape else (LONGEST * 3 // 4, LONGEST)
    capsule, regions = np.zeros((rows, columns), bool), np.zeros((rows, columns), np.uint8)
    for _ in range(_TRIES):
        sector = random_sector((rows, columns), rng)
        if shape is None:
            break
        capsule, regions = _moved(shape, rng)
        _, inside = sector.to_frame(np.zeros((2, 2)))
        if capsule.any() and np.count_nonzero(capsule & inside) >= _LEAST_SEEN * np.count_nonzero(capsule):
            break
    return _echo(capsule, regions, sector, rng, wall=True)


def surround_frame(real: Frame, rng: np.random.Generator) -> Frame:
    """Returns a real frame, which a kidney fills, smaller and within a simulated sector without another kidney."""
    around = simulate_frame(None, rng)
    rows, columns = around.grey.shape
    height = rng.uniform(0.35, 0.75) * rows
    stretch = rng.uniform(0.85, 1.4)  # crops were stretched to squares
    zoom = height / real.grey.shape[0], height * stretch / real.grey.shape[1]
    grey = ndimage.zoom(ndimage.gaussian_filter(real.grey.astype(np.float32), 0.35 / min(zoom)), zoom, order=1)
    kidney = ndimage.zoom(real.kidney.astype(np.float32), zoom, order=1) > 0.5
    # beyond its border the frame goes on for its own width, so that it may lie anywhere
    top = int(rng.uniform(0.1, 0.95) * rows - grey.shape[0] / 2)
    left = int(rng.uniform(0.25, 0.75) * columns - grey.shape[1] / 2)
    place, part = _common((rows, columns), grey.shape, top, left)
    apart = [np.minimum(np.arange(n) + 1, n - np.arange(n)) / (_FADE * n) for n in grey.shape]
    share = np.prod(np.meshgrid(*(np.sin(np.minimum(a, 1) * np.pi / 2) ** 2 for a in apart), indexing="ij"), axis=0)
    share = np.maximum(share, ndimage.gaussian_filter(kidney.astype(np.float32), 2))
    background, seen = around.grey[place].astype(np.float32), around.grey[place] > 0
    # the machine's gain is one for both
    level = float(background[seen].mean()) if seen.any() else 60.0
    gain = np.clip(level / (float(grey.mean()) + 1), 0.4, 1.5) ** rng.uniform(0.3, 1)
    mixed = background + (grey[part] * gain - background) * share[part]
    result, mask = around.grey.copy(), np.zeros((rows, columns), bool)
    inside = ndimage.binary_fill_holes(ndimage.binary_closing(around.grey > 0, iterations=2))[place]
    result[place] = np.where(inside, np.clip(mixed, 0, 255), 0)
    mask[place] = kidney[part] & inside
    return Frame(result, mask)


def simulate_crop(shape: Shape, rng: np.random.Generator) -> Frame:
    """Returns a simulated frame that its kidney fills, stretched to a square, as published crops are."""
    places = np.argwhere(shape.capsule)
    if not len(places):  # a frame in which the expert saw no kidney
        return simulate_frame(None, rng)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    size = (high - low) / rng.uniform(*_FILLED, 2)
    start = low - (size - (high - low)) * rng.uniform(0.2, 0.8, 2)
    zoom, turn = size / _CROP, rng.normal(0, 0.12)
    matrix = np.diag(zoom) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    offset = start + size / 2 - matrix @ np.full(2, _CROP / 2)
    way = -1 if rng.random() < 0.5 else 1
    capsule, regions = (
        ndimage.affine_transform(part, matrix, offset, (_CROP, _CROP), order=0)[:, ::way]
        for part in (shape.capsule.astype(np.uint8), shape.regions)
    )
    return _echo(capsule > 0, regions, close_sector((_CROP, _CROP), rng), rng, wall=False)


def blank_frame(rng: np.random.Generator) -> Frame:
    """Returns a picture without tissue or kidney: even grey or noise, with fields of a screen or not."""
    shape = (LONGEST * 3 // 4, LONGEST) if rng.random() < 0.5 else (_CROP, _CROP)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(0, 3))
    strength = rng.uniform(0, 60) * (rng.random() < 0.7)
    grey = rng.choice([0.0, rng.uniform(0, 160)]) + strength * noise / noise.std()
    if rng.random() < 0.5:  # lines and fields of a machine's screen
        for _ in range(int(rng.integers(1, 6))):
            start = [int(rng.uniform(0, n)) for n in shape]
            size = [int(rng.uniform(1, rng.choice([4, n / 2]))) for n in shape]
            grey[start[0] : start[0] + size[0], start[1] : start[1] + size[1]] = rng.uniform(0, 255)
    return Frame(np.clip(grey, 0, 255).astype(np.uint8), np.zeros(shape, bool))


def _echo(kidney: np.ndarray, regions: np.ndarray, sector: Sector, rng: np.random.Generator, *, wall: bool) -> Frame:
    tissue = make_tissue(sector.to_beams(kidney.astype(np.uint8)) > 0, sector.to_beams(regions), rng, wall=wall)
    grey, inside = sector.to_frame(echo_levels(tissue, sector, rng))
    return Frame(np.clip(grey, 0, 255).astype(np.uint8), kidney & inside)


def _moved(shape: Shape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns capsule and regions after a random turn, size, stretch, shift and mirroring."""
    angle, scale = rng.normal(0, 0.25), rng.uniform(0.8, 1.45, 2) * rng.uniform(0.8, 1.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn * np.minimum(scale, 1.6)
    if rng.random() < 0.5:
        matrix[:, 1] *= -1
    size = np.array(shape.capsule.shape)
    centre = np.argwhere(shape.capsule).mean(axis=0) if shape.capsule.any() else size / 2
    goal = centre + rng.normal(0, 0.06, 2) * size
    if matrix[1, 1] < 0:
        goal[1] = size[1] - goal[1]
    offset = centre - matrix @ goal

    def moved(values: np.ndarray) -> np.ndarray:
        return np.asarray(ndimage.affine_transform(values, matrix, offset, order=0))

    return moved(shape.capsule.astype(np.uint8)) > 0, moved(shape.regions)


def _common(
    frame: Sequence[int], part: Sequence[int], top: int, left: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Returns where a part that begins at a place lies in a frame, and what of the part that is."""
    starts = [max(0, place) for place in (top, left)]
    ends = [min(n, place + m) for n, m, place in zip(frame, part, (top, left), strict=True)]
    inside = slice(starts[0], ends[0]), slice(starts[1], ends[1])
    own = slice(starts[0] - top, ends[0] - top), slice(starts[1] - left, ends[1] - left)
    return inside, own


def _nearest(values: np.ndarray, zoom: float) -> np.ndarray:
    rows, columns = (max(1, round(n * zoom)) for n in values.shape)
    j = ((np.arange(rows) + 0.5) / rows * values.shape[0]).astype(int)
    i = ((np.arange(columns) + 0.5) / columns * values.shape[1]).astype(int)
    return values[np.ix_(j, i)]
