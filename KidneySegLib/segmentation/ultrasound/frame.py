"""The outline of the kidney in one frame, by a network that sees all that the frame shows: one region, or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from KidneySegLib.bundles.rules import FrameRules
from KidneySegLib.flags import Flag
from KidneySegLib.inference.frame_grid import frame_spacing, shown_box
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities

STAGE = "ultrasound"


@dataclass(frozen=True, eq=False)
class KidneyOutline:
    """The kidney of one frame; arrays ``(j, i)`` on the frame's grid.

    Attributes:
        mask: bool, one region without holes; empty where no kidney was found.
        probability: of kidney, 32-bit float.
        confidence: mean probability inside the mask; 0 where it is empty.
        flags: what is unusual.
    """

    mask: np.ndarray
    probability: np.ndarray
    confidence: float
    flags: list[Flag]


def outline_kidney(
    grey: np.ndarray,
    predictor: Predictor,
    rules: FrameRules,
    *,
    pixel_mm: Sequence[float] | None = None,
    tell: Callable[[float], None] = lambda _: None,
) -> KidneyOutline:
    """Outlines the kidney of a frame, or of the part of one that is measured.

    Args:
        grey: ``(j, i)``, 0..255, any real type; what is not tissue (other regions, text) may be set to 0.
        predictor: of the stage ``ultrasound``.
        rules: of the bundle.
        pixel_mm: distance of rows and of columns in mm; None where it is not known: pixels are taken for squares.
        tell: takes the finished share.
    """
    box = shown_box(grey)
    shown = grey[box]
    spacing = frame_spacing(shown.shape, pixel_mm or (1.0, 1.0), predictor.stage)
    found, flags = scan_probabilities(shown[None], spacing, predictor, tell)
    probability = np.zeros(grey.shape, np.float32)
    probability[box] = found[0, 0]
    mask = largest_region(probability > predictor.stage.threshold)
    confidence = float(probability[mask].mean()) if mask.any() else 0.0
    if np.count_nonzero(mask) < rules.smallest_share * shown.size or confidence < rules.least_confidence:
        return KidneyOutline(np.zeros_like(mask), probability, 0.0, flags)
    if confidence < rules.sure_confidence or np.count_nonzero(mask) < rules.usual_share * shown.size:
        flags.append(Flag.of("low_confidence"))
    return KidneyOutline(mask, probability, confidence, flags)


def largest_region(mask: np.ndarray) -> np.ndarray:
    """Returns the largest connected region of a mask, bool ``(j, i)``, its holes filled; empty without one."""
    regions, count = ndimage.label(mask)
    if count == 0:
        return np.zeros(mask.shape, bool)
    largest = int(np.bincount(regions.ravel())[1:].argmax()) + 1
    return np.asarray(ndimage.binary_fill_holes(regions == largest), dtype=bool)
