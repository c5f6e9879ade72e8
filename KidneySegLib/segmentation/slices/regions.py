"""What is kept of a thresholded slice: its two largest connected regions (Pérez Martínez et al., 2026)."""

import cc3d
import numpy as np

REGIONS = 2
# A cross-section smaller than a circle of 9 mm is not a kidney that anyone would measure, but often an island of bowel.
SMALLEST_MM2 = 60.0
# What is left out is told from a circle of 5 mm on: the end of a pole, or the kidney of an infant.
TOLD_MM2 = 20.0


def largest_regions(mask: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Returns the two largest connected regions, numbered 1 and 2 by size in a uint8 array ``(j, i)``, 0 elsewhere.

    Args:
        mask: bool ``(j, i)``; pixels that touch at a corner are connected.
        spacing: of rows and columns in mm; regions below 60 mm² are left out.
    """
    regions = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=8)
    sizes = np.bincount(regions.ravel())[1:]
    result = np.zeros(mask.shape, np.uint8)
    for number, region in enumerate(np.argsort(-sizes, kind="stable")[:REGIONS], start=1):
        if sizes[region] * spacing[0] * spacing[1] >= SMALLEST_MM2:
            result[regions == region + 1] = number
    return result


def left_out_mm2(mask: np.ndarray, kept: np.ndarray, spacing: tuple[float, float]) -> list[float]:
    """Returns the areas in mm², largest first, of the regions that were not kept and are worth telling.

    Args:
        mask: bool ``(j, i)``: all that may be kidney.
        kept: ``(j, i)``: what ``largest_regions`` returned for it.
        spacing: of rows and columns in mm.
    """
    rest = cc3d.connected_components(np.ascontiguousarray(mask & (kept == 0)), connectivity=8)
    areas = np.bincount(rest.ravel())[1:] * spacing[0] * spacing[1]
    return sorted((float(area) for area in areas if area >= TOLD_MM2), reverse=True)
