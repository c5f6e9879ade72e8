"""Runs a stage on an image's own grid in and out: every scale of the plan, there and back."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.inference.arrays import array_of
from KidneySegLib.inference.body_box import body_box
from KidneySegLib.inference.memory import probabilities_within_memory
from KidneySegLib.inference.organ_channels import ParenchymaLevel
from KidneySegLib.inference.predict import OrganMasks, Predictor
from KidneySegLib.inference.resampling import grid_shape, resample, restore
from KidneySegLib.progress import Share


def scan_probabilities(
    voxels: np.ndarray,
    spacing: Sequence[float],
    predictor: Predictor,
    tell: Callable[[float], None],
    *,
    masks: tuple[np.ndarray, np.ndarray] | None = None,
    outputs: Sequence[str] | None = None,
    other: ParenchymaLevel | None = None,
) -> tuple[np.ndarray, list[Flag]]:
    """Returns the probability of outputs, float32 ``(outputs, k, j, i)``, the mean over the scales; and flags.

    Args:
        voxels: HU ``(k, j, i)``, canonical orientation, any real type; a slice has k = 1.
        spacing: mm along k, j, i. Along k it means nothing to a 2D network.
        predictor: the stage.
        tell: takes the finished share.
        masks: bool ``(k, j, i)``: the kidney with its lesions and its outline, for a stage whose inputs are made from
            them.
        outputs: which ones, in which order; None takes every one.
        other: with ``masks``: level of the patient's other kidney, if there is one.
    """
    stage, flags = predictor.stage, list[Flag]()
    if stage.body_hu is not None:
        return _within_body(voxels, spacing, predictor, tell, outputs or stage.network.outputs)
    wanted = [stage.network.outputs.index(name) for name in outputs or stage.network.outputs]
    total = np.zeros((len(wanted), *voxels.shape), np.float32)
    for number, scale in enumerate(stage.scales):
        shape = stage.grid or grid_shape(voxels.shape, spacing, [scale * s for s in stage.spacing])
        if stage.network.dimensions == 2:
            shape = (voxels.shape[0], *shape[1:])
        hu = resample(voxels, shape)
        organ = None
        if masks is not None:
            whole, kidney = (resample(mask.astype(np.uint8), shape) >= 0.5 for mask in masks)
            organ = OrganMasks(whole, kidney, other)
        found, more = probabilities_within_memory(
            predictor, hu, Share(tell).nth(number, len(stage.scales)), organ=organ
        )
        for place, output in enumerate(wanted):
            total[place] += array_of(restore(found[output], voxels.shape))
        flags += [flag for flag in more if flag not in flags]
    total /= len(stage.scales)
    return total, flags


def _within_body(
    voxels: np.ndarray,
    spacing: Sequence[float],
    predictor: Predictor,
    tell: Callable[[float], None],
    outputs: Sequence[str],
) -> tuple[np.ndarray, list[Flag]]:
    """Runs a stage on the box of the body; outside of it there is background, if the network has such an output."""
    stage = predictor.stage
    assert stage.body_hu is not None
    box = body_box(voxels, stage.body_hu)
    inner = replace(predictor, stage=replace(stage, body_hu=None))
    found, flags = scan_probabilities(voxels[box], spacing, inner, tell, outputs=outputs)
    total = np.zeros((len(outputs), *voxels.shape), np.float32)
    for place, output in enumerate(outputs):
        total[place] = float(output == "background")
        total[place][box] = found[place]
    return total, flags
