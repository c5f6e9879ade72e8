"""Whether what was outlined can be a kidney at all."""

from __future__ import annotations

import numpy as np

from KidneySegLib.bundles.bundle import Rules
from KidneySegLib.segmentation.kidney import Outline
from KidneySegLib.volume import Volume

# Looking out from a kidney within its slice, bone ends a few directions (spine, ribs, pelvis); in a skull it ends all.
_DIRECTIONS, _ENCLOSED = 24, 22
_REACH_MM, _STEP_MM = 130.0, 2.0
_BONE_HU = 300


def believable(outline: Outline, canonical: Volume, rules: Rules) -> bool:
    """Whether an outline is large and certain enough for a kidney and does not lie inside a skull.

    Args:
        outline: one kidney, on ``canonical``.
        canonical: the scan in canonical orientation.
        rules: of the bundle.
    """
    smallest = rules.smallest_cut_ml if outline.cut else rules.smallest_kidney_ml
    if outline.volume_ml < smallest or outline.confidence < rules.least_confidence:
        return False
    return not _enclosed_by_bone(outline, canonical)


def _enclosed_by_bone(outline: Outline, canonical: Volume) -> bool:
    """Looks from the outline's centre along rays in its slice for bone."""
    starts = np.array([b.start for b in outline.box])
    k, j, i = np.argwhere(outline.mask).mean(axis=0) + starts
    angles = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    steps = np.arange(0, _REACH_MM, _STEP_MM)
    along_i, along_j, _ = canonical.spacing
    rows = np.rint(j + np.sin(angles)[:, None] * steps / along_j).astype(int)
    columns = np.rint(i + np.cos(angles)[:, None] * steps / along_i).astype(int)
    plane = canonical.voxels[round(float(k))]
    inside = (rows >= 0) & (rows < plane.shape[0]) & (columns >= 0) & (columns < plane.shape[1])
    values = plane[rows.clip(0, plane.shape[0] - 1), columns.clip(0, plane.shape[1] - 1)]
    return int(((values > _BONE_HU) & inside).any(axis=1).sum()) >= _ENCLOSED
