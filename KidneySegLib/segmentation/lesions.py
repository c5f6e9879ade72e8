"""Third pass: solid masses and cysts of one kidney, in a box that grows with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.segmentation.boxed import Box, box_probabilities, grown
from KidneySegLib.structures import BY_KEY, KIDNEYS, Side

if TYPE_CHECKING:
    from KidneySegLib.bundles.bundle import Rules
    from KidneySegLib.segmentation.kidney import Outline
    from KidneySegLib.segmentation.predict import Predictor
    from KidneySegLib.volume import Volume

MASS, CYST = BY_KEY["mass"].label, BY_KEY["cyst"].label

# A large mass leaves the kidney's box; the box follows it up to five times. Most runs need one pass.
_GROWTH_MM = 30.0
_SHARES = (0.0, 0.7, 0.8, 0.9, 0.95, 1.0)
# A lesion touches its kidney: it comes at least this near to the outline.
_CONTACT_MM = 3.0


@dataclass(frozen=True)
class Lesions:
    """Masses and cysts of one kidney on the scan's own grid.

    Attributes:
        box: part of the canonical volume that the arrays cover, slices for k, j, i.
        labels: uint8 ``(k, j, i)``: 3 solid mass, 4 cyst, 0 elsewhere.
        percent: uint8 ``(k, j, i)``: probability of the label in per cent, 0 where there is none.
        flags: what the memory guard lowered.
    """

    box: Box
    labels: np.ndarray
    percent: np.ndarray
    flags: tuple[Flag, ...]


def find_lesions(
    volume: Volume, outline: Outline, predictor: Predictor, rules: Rules, tell: Callable[[float], None]
) -> Lesions:
    """Segments the masses and cysts of one kidney.

    Args:
        volume: canonical orientation.
        outline: the kidney.
        predictor: the lesion stage, with the outputs ``mass`` and ``cyst``.
        rules: of the bundle.
        tell: takes the finished share.
    """
    box, flags = outline.box, list[Flag]()
    outputs = predictor.stage.network.outputs
    for start, end in pairwise(_SHARES):

        def tell_part(done: float, start: float = start, end: float = end) -> None:
            tell(start + done * (end - start))

        found, more = box_probabilities(volume, outline.side, box, predictor, tell_part)
        flags += more
        mass, cyst = found[outputs.index("mass")], found[outputs.index("cyst")]
        labels = np.where(cyst > mass, CYST, MASS) * (np.maximum(mass, cyst) > predictor.stage.threshold)
        labels = _believed(labels.astype(np.uint8), np.maximum(mass, cyst), _kidney_in(outline, box), volume, rules)
        larger = grown(box, labels > 0, volume, _GROWTH_MM)
        if larger is None or end == _SHARES[-1]:
            break
        box = larger
    tell(1.0)
    percent = np.rint(100 * np.where(labels == MASS, mass, np.where(labels == CYST, cyst, 0)))
    return Lesions(box, labels, percent.astype(np.uint8), tuple(flags))


def draw_lesions(lesions: Sequence[Lesions], sides: Sequence[Side], labels: np.ndarray) -> np.ndarray | None:
    """Writes lesions into a label map, over their own kidney and background, never over the other kidney.

    Args:
        lesions: of each kidney.
        sides: whose they are.
        labels: uint8 ``(k, j, i)``, canonical; changed in place.

    Returns:
        The probability of each lesion voxel's label in per cent, uint8 like ``labels``, or None if there is no lesion.
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


def _kidney_in(outline: Outline, box: Box) -> np.ndarray:
    """Returns the kidney's mask in a box that holds the outline's own."""
    mask = np.zeros([b.stop - b.start for b in box], bool)
    inner = tuple(slice(o.start - b.start, o.stop - b.start) for o, b in zip(outline.box, box, strict=True))
    mask[inner] = outline.mask
    return mask


def _believed(
    labels: np.ndarray, probability: np.ndarray, kidney: np.ndarray, volume: Volume, rules: Rules
) -> np.ndarray:
    """Returns the labels without pieces that are too small, too uncertain or away from the kidney."""
    import cc3d
    from scipy.ndimage import distance_transform_edt

    pieces, count = cc3d.connected_components(labels > 0, connectivity=18, return_N=True)
    if count == 0:
        return labels
    near = distance_transform_edt(~kidney, sampling=volume.spacing[::-1]) <= _CONTACT_MM
    ids, values = pieces[pieces > 0], probability[pieces > 0]
    sizes = np.bincount(ids, minlength=count + 1)
    certainty = np.bincount(ids, values, minlength=count + 1) / np.maximum(sizes, 1)
    touching = np.bincount(pieces[near], minlength=count + 1) > 0
    smallest = np.pi / 6 * rules.smallest_lesion_mm**3 / volume.voxel_volume
    keep = (sizes >= smallest) & (certainty >= rules.least_lesion_confidence) & touching
    keep[0] = False
    # Fluid in a mass is necrosis, an odd bright spot in a cyst its wall: a piece that is nearly all of one kind is one.
    solid = np.bincount(pieces[labels == MASS], minlength=count + 1) / np.maximum(sizes, 1)
    kind = np.where(solid >= 1 - rules.other_kind_share, MASS, np.where(solid <= rules.other_kind_share, CYST, 0))
    of_piece = kind[pieces]
    return np.where(keep[pieces], np.where(of_piece > 0, of_piece, labels), 0).astype(np.uint8)
