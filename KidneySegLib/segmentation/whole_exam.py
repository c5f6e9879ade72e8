"""One network names every voxel of a whole exam: kidney, solid mass, cyst (the pipelines of papers 2 and 4).

Sides come from the patient's geometry, never from the network: a network that is trained with mirrored images cannot
know them.
"""

from collections.abc import Callable

import cc3d
import numpy as np
import torch

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.rules import ExamRules
from KidneySegLib.flags import Flag
from KidneySegLib.inference.arrays import array_of
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.slicewise import slice_probabilities
from KidneySegLib.languages.language import N_
from KidneySegLib.measuring.instances import Confidence, Segmentation
from KidneySegLib.progress import Progress, Share, silent
from KidneySegLib.segmentation.kidneys.locate import Candidate, midline
from KidneySegLib.segmentation.lesions.find import in_percent
from KidneySegLib.segmentation.stones.find import find_stones
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side
from KidneySegLib.volume import Volume

_KIDNEY, _MASS, _CYST = 1, BY_KEY["mass"].label, BY_KEY["cyst"].label
# Label of an output by its name; what has another name is something else. ``organ`` is the kidney with its lesions,
# ``lesion`` a mass or a cyst: where nothing says that it is a mass, it is a cyst. Stones are looked for by their HU.
_LABELS = {
    "kidney": _KIDNEY,
    "kidney_left": _KIDNEY,
    "kidney_right": _KIDNEY,
    "organ": _KIDNEY,
    "stone": _KIDNEY,
    "lesion": _CYST,
    "cyst": _CYST,
    "mass": _MASS,
}
# The body's middle is looked for on a grid of about this many mm.
_COARSE_MM = 4.0
# A piece of at least this size with at least this share on each side of the middle is taken for a fused kidney.
_FUSED_ML, _FUSED_SHARE = 40.0, 0.2


def segment_exam(volume: Volume, predictor: Predictor, rules: ExamRules, progress: Progress = silent) -> Segmentation:
    """Outlines kidneys, masses and cysts, and looks for stones.

    Args:
        volume: CT in HU, axes in canonical order and at right angles.
        predictor: of the stage ``exam``.
        rules: of the bundle.
        progress: receives progress and may stop the run.

    Raises:
        ResourceError: memory does not suffice.
    """
    share = Share.of(progress, "exam", N_("Outlining kidneys, masses and cysts"))
    share(0.0)
    labels, percent, flags = _named(volume, predictor, share)
    _leave_out_small(labels, volume, rules)
    if labels.any():
        flags += _give_sides(labels, volume)
        if not {"mass", "cyst", "lesion"} & set(predictor.stage.network.outputs):
            flags.append(Flag.of("lesions_not_searched"))
        progress("stones", 0.0, N_("Looking for stones"))
        stones, more = find_stones(volume, labels)
        labels[stones] = BY_KEY["stone"].label
        flags += more
    return Segmentation.of(volume, labels, flags=flags, confidence=Confidence.within(labels, percent))


def _named(
    volume: Volume, predictor: Predictor, tell: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray, list[Flag]]:
    """Returns labels (every kidney has 1) and the probability of the own label in per cent, uint8; and flags."""
    labels, percent = (np.zeros(volume.voxels.shape, np.uint8) for _ in range(2))
    box, slices, flags = slice_probabilities(volume.voxels, volume.spacing[::-1], predictor, tell)
    decide = _strongest if predictor.stage.network.exclusive else _painted
    inner, certain = labels[box], percent[box]
    for k, found in enumerate(slices):
        inner[k], certain[k] = decide(found, predictor.stage.network, predictor.stage.threshold)
    return labels, percent, flags


def _strongest(found: torch.Tensor, network: NetworkPlan, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the label of the most probable output of each pixel, and its probability in per cent."""
    names = np.array([_LABELS.get(name, 0) for name in network.outputs], np.uint8)
    certain, place = found.max(dim=0)
    return names[array_of(place)], in_percent(array_of(certain))


def _painted(found: torch.Tensor, network: NetworkPlan, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the label of the last output above the threshold (regions inside one another), and its probability."""
    labels, certain = (np.zeros(found.shape[1:], np.uint8) for _ in range(2))
    for name in _LABELS:  # the mass last: it lies in a lesion, which lies in the organ
        if name in network.outputs:
            probability = array_of(found[network.outputs.index(name)])
            here = probability > threshold
            labels[here] = _LABELS[name]
            certain[here] = in_percent(probability[here])
    return labels, certain


def _leave_out_small(labels: np.ndarray, volume: Volume, rules: ExamRules) -> None:
    """Makes small lesions kidney and takes small pieces of the organ away, in place."""
    if rules.smallest_lesion_mm > 0:
        for label in (_MASS, _CYST):
            smallest = np.pi / 6 * rules.smallest_lesion_mm**3 / volume.voxel_volume
            labels[_small(labels == label, smallest)] = _KIDNEY
    if rules.smallest_organ_ml > 0:
        labels[_small(labels > 0, rules.smallest_organ_ml * 1000 / volume.voxel_volume)] = 0


def _small(mask: np.ndarray, voxels: float) -> np.ndarray:
    """Returns the connected pieces of a mask that have fewer voxels."""
    pieces, count = cc3d.connected_components(mask, connectivity=6, return_N=True)
    small = np.bincount(pieces.ravel(), minlength=count + 1) < voxels
    small[0] = False
    return np.asarray(small[pieces])


def _give_sides(labels: np.ndarray, volume: Volume) -> list[Flag]:
    """Tells right from left kidney by the body's middle, in place; a fused one is divided there."""
    middle = _middle(labels > 0, volume)
    columns = np.arange(labels.shape[2])
    pieces, count = cc3d.connected_components(labels > 0, connectivity=6, return_N=True)
    boxes = cc3d.statistics(pieces)["bounding_boxes"]
    flags: list[Flag] = []
    for number in range(1, count + 1):
        box = boxes[number]
        own = pieces[box] == number
        kidney = own & (labels[box] == _KIDNEY)
        right = columns[box[2]] < middle
        share = float(own[..., right].sum()) / float(own.sum())
        fused = own.sum() * volume.voxel_volume / 1000 >= _FUSED_ML and min(share, 1 - share) >= _FUSED_SHARE
        if fused:
            flags = [Flag.of("fused_kidney")]
        of_left = ~right if fused else np.full(right.shape, share < 0.5)
        target = labels[box]
        target[kidney & of_left] = KIDNEYS[Side.LEFT].label
        target[kidney & ~of_left] = KIDNEYS[Side.RIGHT].label
    return flags


def _middle(organ: np.ndarray, volume: Volume) -> float:
    """Returns the index along i of the body's middle at the height of the kidneys."""
    steps = [max(1, round(_COARSE_MM / axis)) for axis in volume.spacing[::-1]]
    thin = tuple(slice(None, None, step) for step in steps)
    mask = organ[thin]
    where = np.nonzero(mask if mask.any() else np.ones_like(mask))
    lower, upper = np.array([w.min() for w in where]), np.array([w.max() + 1 for w in where])
    place = Candidate(mask, lower, upper, (lower + upper) / 2, 0.0, 1.0, cut=False)
    return midline(np.asarray(volume.voxels[thin]), [place]) * steps[2]
