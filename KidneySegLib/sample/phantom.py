"""The sample as voxels: anatomy, scanner and truth put together."""

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
from KidneySegLib.sample.shapes import Points
from KidneySegLib.sample.skeleton import build_skeleton
from KidneySegLib.sample.tissues import TISSUES, Phase
from KidneySegLib.sample.trunk import build_trunk, table
from KidneySegLib.structures import Side

# Standard deviation of the in-plane point spread function in mm (a standard body kernel: 50 % MTF near 0.35/mm).
BLUR = 0.55
# Noise in HU at the centre of the patient and at the border of the field of view.
NOISE_CENTRE, NOISE_BORDER = 13.0, 7.0
# Frequency (1/mm) at which the apodisation of the ramp filter falls to 1/e.
NOISE_CUTOFF = 0.40


class Scanner:
    """Turns ideal slices into noisy ones.

    Attributes:
        shape: pixels of a slice ``(j, i)``.
        pixel: pixel spacing in mm.
        seed: the same seed and slice number give the same noise.
    """

    def __init__(self, shape: tuple[int, int], pixel: float, seed: int) -> None:
        """Prepares the filters for one slice size."""
        self.shape = shape
        self.seed = seed
        rows = np.fft.fftfreq(shape[0], pixel)[:, None]
        columns = np.fft.rfftfreq(shape[1], pixel)[None, :]
        frequency = np.hypot(rows, columns)
        self._blur = np.exp(-2 * (np.pi * BLUR * frequency) ** 2).astype(np.float32)
        # Noise power of filtered back-projection rises with the ramp and falls with the apodisation
        # (Hanson, Med Phys 6:441, 1979); amplitude is its square root.
        amplitude = np.sqrt(frequency) * np.exp(-((frequency / NOISE_CUTOFF) ** 2))
        weights = np.full(columns.size, 2.0)
        weights[0] = 1.0
        variance = (amplitude**2 * weights).sum() / (shape[0] * shape[1])
        self._noise = (amplitude / np.sqrt(variance)).astype(np.float32)
        j, i = np.ogrid[: shape[0], : shape[1]]
        radius = np.hypot((j - shape[0] / 2) * pixel, (i - shape[1] / 2) * pixel)
        self._level = (NOISE_BORDER + (NOISE_CENTRE - NOISE_BORDER) * np.exp(-((radius / 110.0) ** 2))).astype(
            np.float32
        )

    def acquire(self, ideal: np.ndarray, number: int) -> np.ndarray:
        """Returns slice ``number`` as the scanner would deliver it: HU, int16 ``(j, i)``, not below -1024."""
        from scipy import fft

        white = np.random.default_rng([self.seed, number]).standard_normal(self.shape, dtype=np.float32)
        blurred = fft.irfft2(fft.rfft2(ideal) * self._blur, s=self.shape)
        noise = fft.irfft2(fft.rfft2(white) * self._noise, s=self.shape) * self._level
        return np.clip(np.rint(blurred + noise), -1024, 3071).astype(np.int16)


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
