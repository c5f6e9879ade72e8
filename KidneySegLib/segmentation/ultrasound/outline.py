"""The outline of the kidney in each frame, by a network that sees the whole field of view."""

from __future__ import annotations

from collections.abc import Callable

import cc3d
import numpy as np
from scipy.ndimage import binary_fill_holes

from KidneySegLib.flags import Flag
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.progress import Share
from KidneySegLib.volume import Volume

STAGE = "ultrasound"
# A kidney is not smaller than this share of the field of view.
SMALLEST_SHARE = 0.005


def outline_frames(field: Volume, predictor: Predictor, tell: Callable[[float], None]) -> tuple[np.ndarray, list[Flag]]:
    """Returns the kidney's outline in each frame, bool ``(k, j, i)``: the largest connected region, without holes.

    Frames are taken one by one, so that a loop takes no more memory than an image.

    Args:
        field: grey values, uint8 ``(k, j, i)``; k counts the frames.
        predictor: of the stage ``ultrasound``.
        tell: takes the finished share; may raise to stop.
    """
    found = np.zeros(field.voxels.shape, bool)
    flags: list[Flag] = []
    stage = predictor.stage
    # the network sees the field of view at the size of its patch, whatever the size of a pixel is
    sides = zip(stage.spacing[1:], stage.patch[1:], field.voxels.shape[1:], strict=True)
    spacing = [mm * size / pixels for mm, size, pixels in sides]
    for k, grey in enumerate(field.voxels):
        share = Share(tell).nth(k, len(field.voxels))
        probability, more = scan_probabilities(grey[None], (1.0, *spacing), predictor, share)
        found[k] = largest_region(probability[0, 0] > stage.threshold)
        flags += [flag for flag in more if flag not in flags]
    return found, flags


def largest_region(mask: np.ndarray) -> np.ndarray:
    """Returns the largest connected region of a mask, bool ``(j, i)``, filled; nothing where it is too small."""
    regions = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=8)
    sizes = np.bincount(regions.ravel())[1:]
    if not sizes.size or sizes.max() < SMALLEST_SHARE * mask.size:
        return np.zeros(mask.shape, bool)
    filled: np.ndarray = binary_fill_holes(regions == sizes.argmax() + 1)
    return filled
