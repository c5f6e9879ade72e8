"""Fourth pass: solid masses and cysts inside the organ, told from its parenchyma."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cc3d
import numpy as np

from KidneySegLib.bundles.rules import OrganLesionRules
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box, box_of, enlarged, in_box, padded, placed
from KidneySegLib.geometry.distances import depth_within
from KidneySegLib.inference.organ_channels import ParenchymaLevel
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Share
from KidneySegLib.segmentation.kidneys.boxed import box_probabilities
from KidneySegLib.segmentation.kidneys.organ import OrganMask
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.belief import believed, beyond_outline
from KidneySegLib.segmentation.lesions.border import refine_cysts
from KidneySegLib.segmentation.lesions.fluid import fluid_cysts
from KidneySegLib.segmentation.lesions.kind import CYST, MASS, decide_kinds
from KidneySegLib.segmentation.lesions.round import round_cysts
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

# Cysts are looked for this far beyond the organ's box, which has a margin itself.
_AROUND_MM = 10.0
# What the network drew is that cyst from this Dice coefficient on.
_ALIKE = 0.6
# And that mass, on another grid, from this one on.
_SAME = 0.5
# So near its border the probability of an organ is that of a border.
_BORDER_MM = 2.0
# How probable a cyst is that density and form tell: 8 of 8 on the training exams, by Laplace's rule of succession.
_FLUID_PERCENT = 90


@dataclass(frozen=True)
class FoundLesions:
    """Masses and cysts of one kidney on the scan's own grid.

    Attributes:
        box: part of the canonical volume that the arrays cover, slices for k, j, i.
        labels: uint8 ``(k, j, i)``: 3 solid mass, 4 cyst, 0 elsewhere.
        percent: uint8 ``(k, j, i)``: probability in per cent of a lesion of either kind, where one is labelled at the
            fine scales, elsewhere at those of the stage; 0 outside the organ.
        flags: what the memory guard lowered.
        organ_percent: uint8 ``(k, j, i)``: probability in per cent that a voxel belongs to the organ; 0 at the organ's
            border, where it says little, and where density and form told a cyst; None where no network was asked.
    """

    box: Box
    labels: np.ndarray
    percent: np.ndarray
    flags: tuple[Flag, ...]
    organ_percent: np.ndarray | None = None


def find_lesions(
    volume: Volume,
    outline: Outline,
    organ: OrganMask,
    predictor: Predictor,
    rules: OrganLesionRules,
    tell: Callable[[float], None],
    other: ParenchymaLevel | None = None,
    *,
    doubtful: bool = False,
) -> FoundLesions:
    """Segments the masses and cysts of one kidney.

    Args:
        volume: canonical orientation.
        outline: the kidney.
        organ: the same kidney with all that belongs to it.
        predictor: the lesion stage, with the outputs ``mass`` and ``cyst``.
        rules: of the bundle.
        tell: takes the finished share.
        other: level of the patient's other kidney, if there is one.
        doubtful: whether the outline is no measure of where the kidney ends, so that nothing lies outside of it.
    """
    kidney = in_box(outline.mask, outline.box, organ.box)
    # The network looks around the organ; lesions lie within it, and its box is a third as large.
    within, box = _filled(organ)
    found, flags = dict[float, np.ndarray](), list[Flag]()
    scales = tuple(dict.fromkeys((*predictor.stage.scales, *rules.fine_scales)))
    for number, scale in enumerate(scales):
        at_scale = replace(predictor, stage=replace(predictor.stage, scales=(scale,)))
        share = Share(tell).nth(number, len(scales))
        channels, more = box_probabilities(
            volume, outline.side, organ.box, at_scale, share, (organ.mask, kidney), ("mass", "cyst"), other
        )
        found[scale] = np.where(organ.mask[within], channels[:, *within], 0)
        flags += [flag for flag in more if flag not in flags]
    kidney, hu, spacing = kidney[within], volume.voxels[box], volume.spacing[::-1]
    beyond = np.zeros(kidney.shape) if doubtful else beyond_outline(kidney, spacing)

    def judged(channels: np.ndarray) -> np.ndarray:
        mass, cyst = channels
        mask = believed(mass + cyst, beyond, spacing, predictor.stage.threshold, rules)
        return refine_cysts(decide_kinds(mask, mass > cyst, hu, spacing, rules), kidney, hu, spacing)

    mean = np.mean([found[scale] for scale in predictor.stage.scales], axis=0)
    labels, lesion = judged(mean), mean.sum(axis=0)
    if rules.fine_scales:
        fine = np.mean([found[scale] for scale in rules.fine_scales], axis=0)
        at_fine, believed_fine = judged(fine), fine.sum(axis=0)
        labels = with_borders(labels, at_fine, believed_fine)
        labels = _with_cysts(labels, at_fine)
        lesion = np.where(labels > 0, believed_fine, lesion)
    inner = depth_within(organ.mask[within], spacing) > _BORDER_MM
    belongs = in_percent(np.where(inner, organ.probability[within], 0))
    seen = FoundLesions(box, labels, in_percent(lesion), tuple(flags), belongs)
    return with_round(with_fluid(seen, volume, outline, organ), volume, outline, rules)


def with_borders(labels: np.ndarray, fine: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Returns ``labels`` with each mass as ``fine`` draws it, if that is the same lesion; all uint8 ``(k, j, i)``.

    Whether there is a mass is told on the grids on which large ones were learnt; where it ends is seen better on a
    finer one. How probable it is does not depend on its border: voxels that are new get the mean of those drawn before.

    Args:
        labels: 3 solid mass, 4 cyst, 0 elsewhere.
        fine: the same, as seen on the fine grids.
        probability: of a lesion on the fine grids, float ``(k, j, i)``; changed in place.
    """
    result = labels.copy()
    masses = cc3d.connected_components(labels == MASS, connectivity=18)
    pieces = cc3d.connected_components(fine > 0, connectivity=18)
    for number in range(1, int(masses.max()) + 1):
        mass = masses == number
        same = np.isin(pieces, np.unique(pieces[mass & (fine > 0)])) & (fine > 0) & ((labels == 0) | mass)
        alike = 2 * np.count_nonzero(same & mass) / (np.count_nonzero(same) + np.count_nonzero(mass))
        if alike >= _SAME:
            probability[same & ~mass] = probability[mass].mean()
            result[mass] = 0
            result[same] = MASS
    return result


def _with_cysts(labels: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Returns ``labels`` with the cysts of ``fine`` that lie apart from all of its lesions; all uint8 ``(k, j, i)``.

    What is seen on both grids is one lesion, and its kind and border are told by the one on which large ones were
    learnt: probabilities of two grids added up make a lesion of what is none on either.
    """
    pieces = cc3d.connected_components(fine > 0, connectivity=18)
    apart = np.ones(int(pieces.max()) + 1, bool)
    apart[pieces[(labels > 0) | (fine == MASS)]] = apart[0] = False
    return np.where(apart[pieces], CYST, labels).astype(np.uint8)


def with_fluid(lesions: FoundLesions, volume: Volume, outline: Outline, organ: OrganMask) -> FoundLesions:
    """Returns the lesions with the cysts that density and form tell, which may lie outside the organ's outline.

    Args:
        lesions: that the network found.
        volume: canonical orientation.
        outline: the kidney.
        organ: the same kidney with all that belongs to it.
    """
    spacing = volume.spacing[::-1]
    box = enlarged(organ.box, _AROUND_MM, spacing, volume.voxels.shape)
    cysts = fluid_cysts(volume, outline, box)
    if not cysts.any():
        return lesions
    kidney = in_box(outline.mask, outline.box, box)
    refined = refine_cysts(np.where(cysts > 0, CYST, 0).astype(np.uint8), kidney, volume.voxels[box], spacing)
    labels, percent = in_box(lesions.labels, lesions.box, box), in_box(lesions.percent, lesions.box, box)
    known = np.zeros_like(percent) if lesions.organ_percent is None else lesions.organ_percent
    belongs = in_box(known, lesions.box, box)
    pieces = cc3d.connected_components(labels > 0, connectivity=18)
    for number in range(1, int(cysts.max()) + 1):
        cyst = (cysts == number) & (refined > 0)
        own = np.isin(pieces, np.unique(pieces[cyst & (pieces > 0)])) & (pieces > 0)
        alike = 2 * np.count_nonzero(own & cyst) / (np.count_nonzero(own) + np.count_nonzero(cyst))
        if alike >= _ALIKE:
            # the network drew it, and perhaps took it for solid
            labels[own], percent[own] = CYST, np.maximum(percent[own], _FLUID_PERCENT)
            belongs[own] = 0
            continue
        cyst &= labels != MASS  # fluid in a solid mass is necrosis
        labels[cyst], percent[cyst] = CYST, np.maximum(percent[cyst], _FLUID_PERCENT)
        belongs[cyst] = 0
    return FoundLesions(box, labels, percent, lesions.flags, belongs)


def with_round(lesions: FoundLesions, volume: Volume, outline: Outline, rules: OrganLesionRules) -> FoundLesions:
    """Returns the lesions with each cyst as round as its density shows it, which may reach beyond the organ's outline.

    Args:
        lesions: of one kidney.
        volume: canonical orientation.
        outline: the kidney.
        rules: of the bundle.
    """
    if not (lesions.labels == CYST).any():
        return lesions
    spacing = volume.spacing[::-1]
    box = enlarged(lesions.box, _AROUND_MM, spacing, volume.voxels.shape)
    drawn, percent = in_box(lesions.labels, lesions.box, box), in_box(lesions.percent, lesions.box, box)
    kidney = in_box(outline.mask, outline.box, box)
    labels = round_cysts(drawn, kidney, volume.voxels[box], spacing, rules.smallest_voxels(spacing))
    known = np.zeros_like(percent) if lesions.organ_percent is None else lesions.organ_percent
    belongs = in_box(known, lesions.box, box)
    new = (labels == CYST) & (drawn != CYST)
    pieces = cc3d.connected_components(labels == CYST, connectivity=18)
    for number in np.unique(pieces[new]):
        own = pieces == number
        seen = percent[own & ~new]
        # what no network saw there is as probable as what it saw of the same cyst
        percent[own & new] = np.maximum(percent[own & new], round(float(seen.mean())) if seen.size else 0)
        belongs[own & new] = 0
    return FoundLesions(box, labels, percent, lesions.flags, belongs)


def in_percent(probability: np.ndarray) -> np.ndarray:
    """Returns a probability in whole per cent, uint8 of the same shape."""
    return np.rint(100 * np.minimum(probability, 1)).astype(np.uint8)


def draw_lesions(lesions: Sequence[FoundLesions], sides: Sequence[Side], labels: np.ndarray) -> np.ndarray | None:
    """Writes lesions into a label map, over their own kidney and background, never over the other kidney.

    Args:
        lesions: of each kidney.
        sides: whose they are.
        labels: uint8 ``(k, j, i)``, canonical; changed in place.

    Returns:
        The probability of a lesion in per cent at each lesion voxel, uint8 like ``labels``, or None if there is none.
    """
    if not any(found.labels.any() for found in lesions):
        return None
    percent = np.zeros_like(labels)
    for found, side in zip(lesions, sides, strict=True):
        target = labels[found.box]
        here = (found.labels > 0) & ((target == 0) | (target == KIDNEYS[side].label))
        target[here] = found.labels[here]
        percent[found.box][here] = found.percent[here]
    return percent


def _filled(organ: OrganMask) -> tuple[Box, Box]:
    """Returns the organ's bounding box with one voxel around it, in its own box and in the volume."""
    own = padded(box_of(organ.mask), (1, 1, 1), organ.mask.shape)
    return own, placed(own, organ.box)
