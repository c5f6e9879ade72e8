"""The sample as voxels: anatomy, scanner and truth put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from KidneySegLib.sample.bowel import build_bowel
from KidneySegLib.sample.kidneys import (
    Kidney,
    PhantomLesion,
    build_kidneys,
    build_lesions,
    kidney_layers,
    lesion_layers,
    perirenal_layers,
)
from KidneySegLib.sample.organs import build_organs, build_vessels
from KidneySegLib.sample.render import Layer, render
from KidneySegLib.sample.scanner import Scanner
from KidneySegLib.sample.shapes import Points
from KidneySegLib.sample.skeleton import build_skeleton
from KidneySegLib.sample.tissues import TISSUES, Phase
from KidneySegLib.sample.trunk import build_trunk, table
from KidneySegLib.structures import Side

PIXELS = 512
PIXEL_SPACING = 0.8
# Middle of the scan in mm LPS.
SCAN_CENTRE = (0.0, -10.0, 16.0)
# Slices that are rendered together: few, so that memory stays small and arrays stay in cache.
SLAB = 8


@dataclass(frozen=True)
class Phantom:
    """The patient: what lies where.

    Attributes:
        layers: bodies in the order of painting.
        kidneys: by side.
        lesions: mass, cyst and stone.
    """

    layers: tuple[Layer, ...]
    kidneys: dict[Side, Kidney]
    lesions: tuple[PhantomLesion, ...]


def build_phantom(phase: Phase, seed: int) -> Phantom:
    """Makes the patient; the same phase and seed make the same one."""
    rng = np.random.default_rng(seed)
    tissues = TISSUES[phase]
    trunk = build_trunk(rng, tissues)
    kidneys = build_kidneys(rng)
    lesions = build_lesions(kidneys, tissues)
    layers = (
        table(tissues),
        *trunk.behind,
        *build_bowel(rng, tissues, trunk),
        *build_organs(rng, tissues, trunk),
        *perirenal_layers(rng, kidneys, tissues),
        *trunk.before,
        *build_vessels(rng, tissues),
        *build_skeleton(rng, tissues),
        *kidney_layers(rng, kidneys, tissues),
        *lesion_layers(rng, lesions, tissues),
    )
    return Phantom(layers, kidneys, lesions)


@dataclass(frozen=True)
class Scan:
    """Where the slices of a scan lie.

    Attributes:
        slices: their number.
        spacing: distance between them in mm.
    """

    slices: int
    spacing: float

    @property
    def origin(self) -> tuple[float, float, float]:
        """Centre of the first voxel (rightmost, foremost, lowest) in mm LPS."""
        half = (PIXELS - 1) / 2 * PIXEL_SPACING
        return (
            SCAN_CENTRE[0] - half,
            SCAN_CENTRE[1] - half,
            SCAN_CENTRE[2] - (self.slices - 1) / 2 * self.spacing,
        )

    @property
    def ijk_to_lps(self) -> np.ndarray:
        """4x4 matrix from voxel indices ``(i, j, k, 1)`` to mm LPS."""
        matrix = np.diag([PIXEL_SPACING, PIXEL_SPACING, self.spacing, 1.0])
        matrix[:3, 3] = self.origin
        return matrix

    def points(self) -> Points:
        """Returns the voxel centres."""
        x, y, z = self.origin
        plane = np.arange(PIXELS) * PIXEL_SPACING
        return Points.grid(x + plane, y + plane, z + np.arange(self.slices) * self.spacing)


def acquire(phantom: Phantom, scan: Scan, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields CT (HU, int16) and true labels (uint8) slice by slice from the feet, arrays ``(j, i)``."""
    points = scan.points()
    scanner = Scanner((PIXELS, PIXELS), PIXEL_SPACING, seed)
    whole = slice(None)
    for first in range(0, scan.slices, SLAB):
        image, labels = render(phantom.layers, points.part((slice(first, first + SLAB), whole, whole)), scan.spacing)
        for offset in range(len(image)):
            yield scanner.acquire(image[offset], first + offset), labels[offset]
