"""The sector of a curved-array probe: its place in a frame, and the way between beams and pixels."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

# Beams and samples along a beam of the simulation: finer than a frame of 256 pixels needs.
BEAMS, SAMPLES = 160, 320


@dataclass(frozen=True)
class Sector:
    """Where beams run; lengths in pixels.

    Attributes:
        shape: rows and columns of the frame.
        apex: row and column where all beams would meet, above the probe.
        near: distance of the probe's surface from the apex.
        far: distance of the deepest echo.
        half_angle: between the middle and the last beam, in radians.
    """

    shape: tuple[int, int]
    apex: tuple[float, float]
    near: float
    far: float
    half_angle: float

    def beam_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns row and column of every sample of every beam, each ``(samples, beams)``."""
        depth = np.linspace(self.near, self.far, SAMPLES)[:, None]
        angle = np.linspace(-self.half_angle, self.half_angle, BEAMS)[None]
        return self.apex[0] + depth * np.cos(angle), self.apex[1] + depth * np.sin(angle)

    def to_beams(self, frame: np.ndarray, order: int = 0) -> np.ndarray:
        """Returns what lies along the beams of a frame ``(j, i)``, ``(samples, beams)``; 0 outside of it."""
        return ndimage.map_coordinates(frame, self.beam_places(), order=order, mode="constant")

    def to_frame(self, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the frame of values along beams (scan conversion), ``(j, i)``, and where the sector is, bool."""
        rows, columns = np.indices(self.shape, dtype=np.float32)
        rows, columns = rows - self.apex[0], columns - self.apex[1]
        depth, angle = np.hypot(rows, columns), np.arctan2(columns, rows)
        sample = (depth - self.near) / (self.far - self.near) * (SAMPLES - 1)
        beam = (angle / self.half_angle + 1) / 2 * (BEAMS - 1)
        inside = (sample >= 0) & (sample <= SAMPLES - 1) & (beam >= 0) & (beam <= BEAMS - 1)
        frame = ndimage.map_coordinates(echoes, (sample, beam), order=1, mode="nearest")
        return np.where(inside, frame, 0).astype(np.float32), inside


def close_sector(shape: tuple[int, int], rng: np.random.Generator) -> Sector:
    """Returns a sector that is wider than its frame: one that was cropped to a kidney."""
    rows, columns = shape
    near = rng.uniform(0.5, 1.6) * rows
    middle = columns * rng.uniform(0.3, 0.7)
    half_angle = math.atan2(max(middle, columns - middle), near) * rng.uniform(0.85, 1.1)
    return Sector(shape, (-near, middle), near, near + 1.3 * rows, half_angle)


def random_sector(shape: tuple[int, int], rng: np.random.Generator) -> Sector:
    """Returns a sector that fills a frame as machines show it: sometimes to its borders, sometimes with room."""
    rows, columns = shape
    top, height = rng.uniform(0.0, 0.1) * rows, rng.uniform(0.8, 1.02) * rows
    half_angle = math.radians(rng.uniform(24, 42))
    # the probe is 5 to 7 cm wide and sees 10 to 20 cm deep
    near = height * rng.uniform(0.2, 0.55)
    middle = columns * rng.uniform(0.44, 0.56)
    return Sector(shape, (top - near * math.cos(half_angle), middle), near, near + height, half_angle)
