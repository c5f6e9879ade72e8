"""The 2D pipeline on one axial slice: outline, two largest regions, sides, stones by intensity.

After Pérez Martínez et al., Rev. Mex. Fís. 72 (2026) 011101.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.bundles.rules import CtSliceRules, OutlineRules
from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import UNENHANCED_KIDNEY
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.languages.language import N_
from KidneySegLib.measuring.instances import NetworkOutline, Segmentation
from KidneySegLib.progress import Progress, Share, silent
from KidneySegLib.segmentation.load import Model, rules_for
from KidneySegLib.segmentation.slices.regions import SMALLEST_MM2, largest_regions, left_out_mm2
from KidneySegLib.segmentation.slices.sides import label_sides
from KidneySegLib.segmentation.stones.find import find_stones
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume

STAGE = "slice"


@dataclass(frozen=True)
class SliceOutline:
    """The kidneys of a slice; arrays on its own grid.

    Attributes:
        labels: uint8, 1 right kidney, 2 left kidney.
        probability: of kidney, 32-bit float.
        flags: what is unusual.
    """

    labels: np.ndarray
    probability: np.ndarray
    flags: list[Flag]


def segment_slice(
    volume: Volume, model: Model, *, calibrate: bool = False, progress: Progress = silent
) -> Segmentation:
    """Finds kidneys and stones.

    Args:
        volume: one axial slice in HU, axes in canonical order.
        model: with the stage ``slice``.
        calibrate: whether the values are only known up to an offset: the kidneys are then given the 35 HU of an
            unenhanced scan, and all other values move with them.
        progress: receives progress and may stop the run.

    Raises:
        InputError: the volume has several axial slices.
        BundleError: the bundle is for another task.
    """
    rules = rules_for(model.bundle, CtSliceRules)
    share = Share.of(progress, "kidneys", N_("Outlining the kidneys"))
    share(0.0)
    outline = outline_slice(volume, model.predictors[STAGE], rules.slice, share)
    labels, flags, offset = outline.labels, outline.flags, 0
    progress("stones", 0.0, N_("Looking for stones"))
    if calibrate:
        volume, more, offset = calibrated(volume, labels)
        flags += more
    labels, more = mark_stones(volume, labels)
    segmentation = Segmentation.of(volume, labels, flags=[*flags, *more], offset=offset)
    return replace(segmentation, network=NetworkOutline(outline.labels > 0, outline.probability))


def outline_slice(
    volume: Volume, predictor: Predictor, rules: OutlineRules, tell: Callable[[float], None] = lambda _: None
) -> SliceOutline:
    """Outlines the kidneys of a volume of one axial slice.

    Args:
        volume: in HU, axes in canonical order.
        predictor: of the stage ``slice``.
        rules: of the bundle.
        tell: takes the finished share.

    Raises:
        InputError: the volume has several axial slices.
    """
    if volume.voxels.shape[0] != 1:
        raise InputError(
            "The 2D pipeline takes one axial slice, not {count}. Use --task ct.", count=volume.voxels.shape[0]
        )
    spacing = volume.spacing[1], volume.spacing[0]
    found, flags = scan_probabilities(volume.voxels, volume.spacing[::-1], predictor, tell)
    probability = found[0, 0]
    mask = probability > predictor.stage.threshold
    regions = largest_regions(mask, spacing)
    labels = label_sides(regions, volume.voxels[0].astype(np.float32), spacing)
    flags += _judge(labels, regions, probability, rules) + _tell_left_out(left_out_mm2(mask, regions, spacing))
    return SliceOutline(labels[None], probability[None], flags)


def calibrated(volume: Volume, labels: np.ndarray) -> tuple[Volume, list[Flag], int]:
    """Moves the values along the HU scale until the kidneys' median is that of an unenhanced scan.

    Returns:
        The volume, what a reader should know, and by how many HU it was moved.
    """
    kidneys = labels > 0
    if not kidneys.any():
        return volume, [], 0
    offset = round(UNENHANCED_KIDNEY - float(np.median(volume.voxels[kidneys])))
    moved = volume.like((volume.voxels.astype(np.int32) + offset).astype(np.int16))
    return moved, [Flag.of("scale_from_kidneys", kidney_hu=UNENHANCED_KIDNEY, offset_hu=offset)], offset


def mark_stones(volume: Volume, labels: np.ndarray) -> tuple[np.ndarray, list[Flag]]:
    """Returns the labels with stones, and flags on what could not be seen."""
    if not labels.any():
        return labels, []
    stones, flags = find_stones(volume, labels)
    marked = labels.copy()
    marked[stones] = BY_KEY["stone"].label
    return marked, flags


def _judge(labels: np.ndarray, regions: np.ndarray, probability: np.ndarray, rules: OutlineRules) -> list[Flag]:
    """Returns flags on regions of doubt; all arrays ``(j, i)``."""
    flags = []
    numbers = range(1, int(regions.max()) + 1)
    if any(float(probability[regions == number].mean()) < rules.sure_confidence for number in numbers):
        flags.append(Flag.of("low_confidence"))
    if len(numbers) == 2 and len(np.unique(labels)) == 2:
        flags.append(Flag.of("both_on_one_side"))
    return flags


def _tell_left_out(areas: list[float]) -> list[Flag]:
    """Returns a flag on regions that may be kidney, by their areas in mm², largest first."""
    if not areas:
        return []
    return [Flag.of("regions_left_out", count=len(areas), area_mm2=areas[0], least_mm2=SMALLEST_MM2)]
