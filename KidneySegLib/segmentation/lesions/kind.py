"""Solid mass or cyst: decided for each connected lesion, by the network's voxels and by what fluid is.

A homogeneous lesion of -9 to 20 HU is a cyst in every contrast phase (Silverman et al., Radiology 2019; Bosniak 2019).
That is physics and not learnt, so it overrules the network; the other way round nothing is overruled, because dense
cysts and solid masses overlap.
"""

from collections.abc import Sequence

import cc3d
import numpy as np
from scipy.ndimage import uniform_filter

from KidneySegLib.bundles.rules import LesionRules
from KidneySegLib.geometry.distances import depth_within
from KidneySegLib.hounsfield import FLUID_MEDIAN, FLUID_RANGE
from KidneySegLib.structures import BY_KEY

MASS, CYST = BY_KEY["mass"].label, BY_KEY["cyst"].label

# Values are looked at away from the blurred border, as means over cells that take the noise out.
_BORDER_MM = 2.5
_CELL_MM = 5.0
_OUTLIERS = 0.05
_FEWEST_VOXELS = 30


def decide_kinds(
    mask: np.ndarray, solid: np.ndarray, hu: np.ndarray, spacing: Sequence[float], rules: LesionRules
) -> np.ndarray:
    """Returns uint8 ``(k, j, i)``: 3 solid mass, 4 cyst, 0 elsewhere.

    Args:
        mask: bool ``(k, j, i)``: lesions.
        solid: bool: where the network takes the lesion for solid.
        hu: the image, HU.
        spacing: mm along k, j, i.
        rules: of the bundle. A connected lesion with at most ``other_kind_share`` of the other kind is wholly of its
            main kind: fluid in a mass is necrosis, an odd bright spot in a cyst its wall. So is what a lesion of two
            kinds holds in parts that are too small to be lesions.
    """
    labels = np.where(mask, np.where(solid, MASS, CYST), 0).astype(np.uint8)
    pieces, count = cc3d.connected_components(mask, connectivity=18, return_N=True)
    if count == 0:
        return labels
    cells = uniform_filter(hu.astype(np.float32), [max(1, round(_CELL_MM / s)) for s in spacing])
    inner = depth_within(mask, spacing) > _BORDER_MM
    for piece, box in enumerate(cc3d.statistics(pieces)["bounding_boxes"]):
        if piece == 0:
            continue
        here = pieces[box] == piece
        share = float(solid[box][here].mean())
        if _is_fluid(cells[box][here & inner[box]]) or share <= rules.other_kind_share:
            labels[box][here] = CYST
        elif share >= 1 - rules.other_kind_share:
            labels[box][here] = MASS
        else:
            _join_specks(labels[box], here, rules.smallest_voxels(spacing))
    return labels


def _join_specks(labels: np.ndarray, lesion: np.ndarray, smallest: float) -> None:
    """Gives parts of fewer than ``smallest`` voxels the other kind; masses first."""
    for kind, other in ((MASS, CYST), (CYST, MASS)):
        parts, count = cc3d.connected_components(lesion & (labels == kind), connectivity=18, return_N=True)
        small = np.bincount(parts.ravel(), minlength=count + 1) < smallest
        small[0] = False
        labels[small[parts]] = other


def _is_fluid(values: np.ndarray) -> bool:
    """Whether a lesion with these cell means (HU) is homogeneous and as dense as water."""
    if values.size < _FEWEST_VOXELS:
        return False
    low, middle, high = np.quantile(values, (_OUTLIERS, 0.5, 1 - _OUTLIERS))
    inside = FLUID_MEDIAN[0] <= middle <= FLUID_MEDIAN[1]
    return bool(inside and low >= FLUID_RANGE[0] and high <= FLUID_RANGE[1])
