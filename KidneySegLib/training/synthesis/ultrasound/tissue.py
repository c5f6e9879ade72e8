"""What the beams meet: scatterers, attenuation and interfaces of a kidney among its neighbours.

Levels are decibels against a liver, after what textbooks call hypoechoic (cortex), anechoic (urine) and hyperechoic
(fat, sinus). The ranges are wide on purpose: they are meant to cover patients and machines, not to describe them.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from KidneySegLib.training.synthesis.ultrasound.sector import BEAMS, SAMPLES

# Values of the maps of regions: central complex (sinus), medulla, cortex.
SINUS, MEDULLA, CORTEX = 1, 2, 3
_SILENT = -45.0  # urine and blood, dB
_LAYERS = (3, 7)  # skin, fat, muscles with their fasciae


@dataclass(eq=False)
class Tissue:
    """What lies along the beams, ``(samples, beams)``.

    Attributes:
        level: echo strength of the scatterers in dB.
        density: share of the places that hold a scatterer, 0..1; few make a coarse texture.
        attenuation: dB lost per sample more than the machine makes up for.
        interface: reflection at borders, as amplitude.
    """

    level: np.ndarray
    density: np.ndarray
    attenuation: np.ndarray
    interface: np.ndarray


def make_tissue(kidney: np.ndarray, regions: np.ndarray, rng: np.random.Generator, *, wall: bool = True) -> Tissue:
    """Returns the tissue around and in a kidney.

    Args:
        kidney: bool ``(samples, beams)``; none may be there.
        regions: uint8 alike: ``SINUS``, ``MEDULLA``, ``CORTEX`` where they are known, else 0.
        rng: source of all randomness.
        wall: whether the wall of the body lies in front.
    """
    tissue = _organs(rng)
    if wall:
        _add_layers(tissue, rng)
    if kidney.any():
        _add_kidney(tissue, kidney, regions, rng)
    _add_shadows(tissue, rng)
    return tissue


def smooth(rng: np.random.Generator, along: float, across: float) -> np.ndarray:
    """Returns smooth noise of unit spread, ``(samples, beams)``, so wide ``along`` and ``across`` the beams."""
    zoom = max(1.0, along), max(1.0, across)
    coarse = rng.standard_normal([int(n / z) + 4 for n, z in zip((SAMPLES, BEAMS), zoom, strict=True)])
    fine = ndimage.zoom(ndimage.gaussian_filter(coarse, 0.7), zoom, order=1)
    start = [int(rng.integers(0, have - n + 1)) for have, n in zip(fine.shape, (SAMPLES, BEAMS), strict=True)]
    cut = fine[start[0] : start[0] + SAMPLES, start[1] : start[1] + BEAMS]
    return np.asarray((cut - cut.mean()) / (cut.std() + 1e-6), dtype=np.float32)


def _organs(rng: np.random.Generator) -> Tissue:
    """Returns neighbouring organs: smooth ones (liver, spleen), streaky and patchy ones (muscle, fat, bowel)."""
    field, kinds = smooth(rng, rng.uniform(50, 140), rng.uniform(30, 80)), rng.permutation(3)
    number = kinds[np.digitize(field, [-0.5, 0.6])]
    base, patches = rng.uniform(-4, 3, 3), rng.uniform((0, 1.5, 2), (1, 4, 6))
    texture = np.stack([smooth(rng, 24, 20), smooth(rng, 4, 22), smooth(rng, 9, 9)])
    level = base[number] + patches[number] * np.take_along_axis(texture, number[None], axis=0)[0]
    density = np.choose(number, rng.uniform((0.8, 0.4, 0.15), (1.0, 0.9, 0.7)))
    edges = _edges(number) * (smooth(rng, 20, 12) > 0)
    tissue = Tissue(level, density, np.full_like(level, rng.uniform(-0.01, 0.05)), edges * rng.uniform(0, 4))
    for _ in range(int(rng.integers(0, 4))):  # vessels, a gallbladder
        inside = _ellipse(rng, rng.uniform(4, 22), rng.uniform(3, 16))
        tissue.level[inside] = _SILENT + rng.uniform(0, 15)
        tissue.interface += _edges(inside) * rng.uniform(0, 3)
    for _ in range(int(rng.integers(0, 4))):  # diaphragm, gas, fasciae
        depth, slope = rng.uniform(0.3, 1) * SAMPLES, rng.uniform(-0.6, 0.6)
        line = depth + slope * (np.arange(BEAMS) - BEAMS / 2) + 8 * smooth(rng, 1, 30)[0]
        near = np.abs(np.arange(SAMPLES)[:, None] - line[None]) < rng.uniform(0.7, 3)
        first, length = rng.integers(0, BEAMS), rng.integers(12, 80)
        near[:, :first] = near[:, first + length :] = False
        tissue.level[near] = rng.uniform(8, 18)
    return tissue


def _add_layers(tissue: Tissue, rng: np.random.Generator) -> None:
    """Puts the wall of the body in front: layers along the probe's surface."""
    depth = 0.0
    wall, count = rng.uniform(0.08, 0.3) * SAMPLES, int(rng.integers(*_LAYERS))
    rows = np.arange(SAMPLES)[:, None] + 2.5 * smooth(rng, 300, 40)
    for _ in range(count):
        end = depth + wall / count * rng.uniform(0.5, 1.5)
        here = (rows >= depth) & (rows < end)
        tissue.level[here] = (rng.uniform(-12, 6) + rng.uniform(0.5, 4) * smooth(rng, 2.5, 24))[here]
        tissue.density[here] = rng.uniform(0.3, 1)
        tissue.interface[here] = 0
        tissue.level[np.abs(rows - end) < rng.uniform(0.6, 1.8)] = rng.uniform(2, 14)
        depth = end


def _add_kidney(tissue: Tissue, kidney: np.ndarray, regions: np.ndarray, rng: np.random.Generator) -> None:
    """Puts the kidney in: fat around it, capsule, parenchyma, sinus, sometimes a dilated collecting system."""
    depth, outside = ndimage.distance_transform_edt(kidney), ndimage.distance_transform_edt(~kidney)
    contrast = rng.uniform(0.5, 1.5)  # how well this patient and machine show it
    fat = outside < rng.uniform(0, 16) + 3 * smooth(rng, 25, 18)
    fat &= ~kidney
    fat_level = rng.uniform(0, 10) + rng.uniform(0, 3) * smooth(rng, 5, 10)
    tissue.level = np.where(fat, tissue.level + contrast * (fat_level - tissue.level), tissue.level)
    tissue.interface[fat | kidney] = 0

    cortex = rng.uniform(-12, -1)
    level = cortex + rng.uniform(0, 1.2) * smooth(rng, 20, 14)
    wavy = depth / max(1.0, float(depth.max())) + rng.uniform(0.03, 0.1) * smooth(rng, 12, 9)
    sinus = regions == SINUS
    if not sinus.any():
        sinus = wavy > rng.uniform(0.45, 0.7)
    sinus = kidney & (ndimage.gaussian_filter(sinus.astype(np.float32), 2) + 0.25 * smooth(rng, 6, 5) > 0.5)
    medulla = kidney & ~sinus & (regions == MEDULLA)
    if not medulla.any() and rng.random() < 0.6:
        medulla = kidney & ~sinus & (wavy > 0.25) & (smooth(rng, 16, 11) > 0.5)
    level = np.where(medulla, level - rng.uniform(1, 6), level)
    bright = rng.uniform(4, 13) + rng.uniform(1, 5) * smooth(rng, rng.uniform(3, 7), rng.uniform(5, 12))
    level = np.where(sinus, cortex + bright, level)
    if rng.random() < 0.35:  # hydronephrosis
        fluid = kidney & (wavy + 0.1 * smooth(rng, 16, 12) > rng.uniform(0.4, 0.85))
        level = np.where(fluid, _SILENT + rng.uniform(0, 25), level)
        behind = np.cumsum(fluid, axis=0) * ~fluid
        level = level + np.minimum(behind * rng.uniform(0, 0.1), 6)
    level = np.where(kidney, tissue.level.mean() + contrast * (level - tissue.level.mean()), tissue.level)
    tissue.level = level.astype(np.float32)
    tissue.density = np.where(kidney, np.where(sinus, rng.uniform(0.2, 0.9), rng.uniform(0.7, 1)), tissue.density)
    # the capsule shines where a beam meets it at right angles
    tissue.interface += _edges(kidney) * (smooth(rng, 30, 20) > rng.uniform(-1, 1)) * rng.uniform(0, 5) * contrast
    if rng.random() < 0.25:
        _add_stone(tissue, sinus, rng)


def _add_stone(tissue: Tissue, sinus: np.ndarray, rng: np.random.Generator) -> None:
    places = np.argwhere(sinus)
    if not len(places):
        return
    row, beam = places[int(rng.integers(len(places)))]
    reach = int(rng.integers(1, 5))
    beams = slice(max(0, beam - reach), beam + reach + 1)
    tissue.level[row : row + 3, beams] = 18
    soft = np.exp(-(((np.arange(BEAMS) - beam) / (reach + 0.5)) ** 2))
    tissue.attenuation[row + 3 : row + 6] += rng.uniform(1, 7) * soft


def _add_shadows(tissue: Tissue, rng: np.random.Generator) -> None:
    """Darkens beams behind ribs and at the ends of a probe that has lost contact; near the skin they are whole."""
    loss = np.zeros(BEAMS)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.4, 0.3, 0.2, 0.1]))):
        middle, width = rng.uniform(0, BEAMS), rng.uniform(4, 16)
        loss += rng.uniform(4, 24) * np.exp(-(((np.arange(BEAMS) - middle) / width) ** 2))
    if rng.random() < 0.35:
        end = np.linspace(0, 1, BEAMS)[:: 1 if rng.random() < 0.5 else -1]
        loss += rng.uniform(10, 40) * np.clip((end - rng.uniform(0.65, 0.95)) / 0.15, 0, 1)
    start = int(rng.uniform(0.04, 0.2) * SAMPLES)
    tissue.attenuation[start : start + 10] += loss / 10


def _ellipse(rng: np.random.Generator, along: float, across: float) -> np.ndarray:
    row, beam = rng.uniform(0.25, 1) * SAMPLES, rng.uniform(0, 1) * BEAMS
    rows, beams = np.ogrid[:SAMPLES, :BEAMS]
    turn = rng.uniform(-1, 1)
    first, second = (rows - row) + turn * (beams - beam), (beams - beam) - turn * (rows - row)
    return np.asarray((first / along) ** 2 + (second / across) ** 2 < 1)


def _edges(parts: np.ndarray) -> np.ndarray:
    """Returns how much of a border between parts a beam meets at right angles, 0..1."""
    values = ndimage.gaussian_filter(parts.astype(np.float32), 1.5)
    along, across = np.abs(np.gradient(values, axis=0)), np.abs(np.gradient(values, axis=1))
    strength = along * along / (along + across + 1e-3)
    return np.asarray(strength / (strength.max() + 1e-6), dtype=np.float32)
