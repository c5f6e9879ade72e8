"""What the lesion stage compares a kidney with: the level of its own parenchyma, or of the patient's other kidney."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from KidneySegLib.inference.organ_channels import ParenchymaLevel, parenchyma_level
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.resampling import grid_shape, resample
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.volume import Volume


def other_levels(
    volume: Volume, outlines: Sequence[Outline], predictor: Predictor, least_confidence: float
) -> list[ParenchymaLevel | None]:
    """Returns for each kidney the level of the patient's other one, or None if there is not exactly one.

    It counts in place of the kidney's own level where the kidney's outline is doubtful and the other one's is not: of a
    kidney that a tumour has replaced, tumour is outlined.

    Args:
        volume: canonical orientation.
        outlines: the kidneys.
        predictor: the lesion stage, on whose grid levels are taken.
        least_confidence: of an outline that is not doubtful.
    """
    if len(outlines) != 2:
        return [None for _ in outlines]
    sure = [outline.confidence >= least_confidence for outline in outlines]
    levels = [_level(volume, outline, predictor) for outline in outlines]
    return [replace(levels[1 - n], instead=sure[1 - n] and not sure[n]) for n in (0, 1)]


def _level(volume: Volume, outline: Outline, predictor: Predictor) -> ParenchymaLevel:
    """Returns the level of a kidney's parenchyma as the lesion stage sees it, on its grid."""
    crop = volume.voxels[outline.box]
    stage = predictor.stage
    shape = grid_shape(crop.shape, volume.spacing[::-1], stage.spacing)
    kidney = resample(outline.mask.astype(np.uint8), shape) >= 0.5
    return parenchyma_level(resample(crop, shape), kidney, stage.window)
