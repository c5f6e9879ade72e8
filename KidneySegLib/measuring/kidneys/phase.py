"""In which contrast phase a CT was taken, estimated from the kidneys themselves.

After an injection the renal cortex enhances first (corticomedullary phase, 25 to 70 s), then the medulla catches up
(nephrographic, 80 to 180 s), then contrast medium fills the collecting system (excretory, after 3 min): Yuh and Cohan,
AJR 173 (1999) 747-755. Unenhanced parenchyma has 30 to 45 HU. So three numbers tell the phase: the cortex just below
the surface, the medulla below it, and what is denser than both in the sinus.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from KidneySegLib.findings.result import PhaseEstimate
from KidneySegLib.geometry.boxes import Box, bounding_boxes, enlarged
from KidneySegLib.geometry.depth import CoarseKidney, coarse_kidney
from KidneySegLib.hounsfield import (
    ENHANCED_ABOVE,
    EXCRETED_ABOVE_CORTEX,
    SIMPLE_FLUID,
    UNENHANCED_BELOW,
    UNENHANCED_CORTEX,
)
from KidneySegLib.structures import BY_KEY, KIDNEYS
from KidneySegLib.volume import Volume

# Enhancement of the medulla relative to that of the cortex: about a quarter when they are told apart best, two thirds
# in a portal scan.
DIFFERENTIATED = 0.45

# Of excreted contrast medium there is a good part of a millilitre in each kidney.
EXCRETED_ML = 0.3

CORTEX_DEPTH_MM = (2.0, 5.0)
MEDULLA_DEPTH_MM = (8.0, 16.0)
MARGIN_MM = 6.0
FEWEST_BLOCKS = 30


@dataclass(frozen=True)
class _KidneyLevels:
    """Numbers of one kidney: HU and ml."""

    parenchyma: float
    cortex: float
    medulla: float
    collecting: float
    excreted_ml: float
    blocks: int


def estimate_phase(volume: Volume, labels: np.ndarray) -> PhaseEstimate:
    """Estimates the contrast phase.

    Args:
        volume: the image in HU, any orientation.
        labels: label map, uint8 ``(k, j, i)`` on the volume's grid, values of ``structures``.
    """
    boxes = bounding_boxes(labels)
    kidneys = [(structure.label, boxes[structure.label]) for structure in KIDNEYS.values() if structure.label in boxes]
    sides = [side for label, box in kidneys if (side := _look_at(volume, labels, label, box)) is not None]
    if not sides:
        return PhaseEstimate("unknown", 0.0)
    parenchyma, cortex, medulla, collecting = (
        _weighted((getattr(side, name), side.blocks) for side in sides)
        for name in ("parenchyma", "cortex", "medulla", "collecting")
    )
    evidence = {
        "parenchyma_hu": parenchyma,
        "cortex_hu": cortex,
        "medulla_hu": medulla,
        "collecting_system_hu": collecting,
    }
    if cortex < UNENHANCED_BELOW:
        return PhaseEstimate("non-contrast", _sureness(UNENHANCED_BELOW - cortex, 20), evidence)
    if cortex < ENHANCED_ABOVE:
        return PhaseEstimate("unknown", 0.0, evidence)
    ratio = (medulla - UNENHANCED_CORTEX) / (cortex - UNENHANCED_CORTEX)
    if ratio < DIFFERENTIATED:
        return PhaseEstimate("corticomedullary", _sureness(DIFFERENTIATED - ratio, 0.15), evidence)
    if all(side.excreted_ml >= EXCRETED_ML for side in sides):
        least = min(side.excreted_ml for side in sides)
        return PhaseEstimate("excretory", _sureness(least - EXCRETED_ML, 1.0), evidence)
    sureness = _sureness(ratio - DIFFERENTIATED, 0.15)
    clipped = float(volume.voxels.max()) < cortex + EXCRETED_ABOVE_CORTEX
    return PhaseEstimate("nephrographic", sureness / 2 if clipped else sureness, evidence)


def _look_at(volume: Volume, labels: np.ndarray, label: int, box: Box) -> _KidneyLevels | None:
    """Returns the numbers of one kidney, or None if too little of it is there."""
    spacing = volume.spacing[::-1]
    box = enlarged(box, MARGIN_MM, spacing, labels.shape)
    part = labels[box]
    kidney = coarse_kidney(part == label, box, spacing)
    hu = kidney.coarse(volume.voxels[box])
    tissue = (kidney.share > 0.9) & np.isfinite(hu)
    cortex = tissue & _between(kidney, CORTEX_DEPTH_MM)
    if np.count_nonzero(cortex) < FEWEST_BLOCKS:
        return None
    cortex_hu = float(np.percentile(hu[cortex], 60))  # the lower part is mixed with fat at the surface
    medulla = tissue & _between(kidney, MEDULLA_DEPTH_MM) & (hu > SIMPLE_FLUID)
    enough = np.count_nonzero(medulla) >= FEWEST_BLOCKS
    medulla_hu = float(np.percentile(hu[medulla], 35)) if enough else cortex_hu
    others = kidney.coarse(np.isin(part, [BY_KEY[key].label for key in ("mass", "cyst", "stone")]))
    inside = kidney.hull & (kidney.depth >= MEDULLA_DEPTH_MM[0]) & (others == 0) & np.isfinite(hu)
    collecting = hu[inside]
    excreted = np.count_nonzero(collecting > cortex_hu + EXCRETED_ABOVE_CORTEX)
    return _KidneyLevels(
        parenchyma=float(np.median(hu[tissue])),
        cortex=cortex_hu,
        medulla=medulla_hu,
        collecting=float(np.percentile(collecting, 99)) if collecting.size else cortex_hu,
        excreted_ml=excreted * float(np.prod(kidney.spacing)) / 1000,
        blocks=int(np.count_nonzero(tissue)),
    )


def _between(kidney: CoarseKidney, depths: tuple[float, float]) -> np.ndarray:
    return (kidney.depth >= depths[0]) & (kidney.depth < depths[1])


def _weighted(pairs: Iterable[tuple[float, int]]) -> float:
    values, weights = zip(*pairs, strict=True)
    return float(np.average(values, weights=weights))


def _sureness(distance: float, whole: float) -> float:
    """Returns 0.5 at a decision border, 1 from ``whole`` away from it on."""
    return 0.5 + 0.5 * min(1.0, max(0.0, distance / whole))
