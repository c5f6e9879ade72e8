"""The outline of the kidney in each frame of an exam."""

from collections.abc import Callable

import numpy as np

from KidneySegLib.bundles.rules import FrameRules
from KidneySegLib.flags import Flag
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Share
from KidneySegLib.segmentation.ultrasound.frame import outline_kidney
from KidneySegLib.volume import Volume


def outline_frames(
    field: Volume, predictor: Predictor, rules: FrameRules, tell: Callable[[float], None]
) -> tuple[np.ndarray, list[Flag]]:
    """Returns the kidney's outline in each frame, bool ``(k, j, i)``, and flags.

    Frames are taken one by one, so that a loop takes no more memory than an image.

    Args:
        field: grey values, uint8 ``(k, j, i)``; k counts the frames.
        predictor: of the stage ``ultrasound``.
        rules: of the bundle.
        tell: takes the finished share; may raise to stop.
    """
    found = np.zeros(field.voxels.shape, bool)
    flags: list[Flag] = []
    for k, grey in enumerate(field.voxels):
        share = Share(tell).nth(k, len(field.voxels))
        outline = outline_kidney(grey, predictor, rules, pixel_mm=field.spacing[1::-1], tell=share)
        found[k] = outline.mask
        flags += [flag for flag in outline.flags if flag not in flags]
    return found, flags
