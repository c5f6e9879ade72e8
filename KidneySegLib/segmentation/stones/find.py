"""Stones: dense bodies in the kidneys, their pelves and proximal ureters, at native resolution.

Candidates are all bodies above a threshold that follows the parenchyma's own value and noise; rules leave out what else
is dense there. Without contrast medium nothing in a kidney is dense but stones and calcified lesions or vessels. With
it small stones drown, and excreted contrast medium looks like stones: then the search is strict, or left out, and says
so.
"""

from dataclasses import replace

import numpy as np

from KidneySegLib.findings import PhaseEstimate
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import METAL
from KidneySegLib.measuring.kidneys.phase import estimate_phase
from KidneySegLib.measuring.lesions.quality import stones_with_contrast
from KidneySegLib.segmentation.stones.dense_bodies import LARGEST_ML, DenseBody, dense_bodies
from KidneySegLib.segmentation.stones.region import stone_regions
from KidneySegLib.segmentation.stones.rules import StoneVerdict, excreted, judge_dense_body
from KidneySegLib.segmentation.stones.tissue import tissue_of
from KidneySegLib.segmentation.stones.tubes import without_tube
from KidneySegLib.volume import Volume


def find_stones(canonical: Volume, labels: np.ndarray) -> tuple[np.ndarray, list[Flag]]:
    """Finds stones: what is denser than parenchyma and noise, up to half-way between it and its surroundings.

    Args:
        canonical: the image in HU, axes in canonical order (``Volume.canonical``).
        labels: uint8 ``(k, j, i)`` on its grid, values of ``structures``: kidneys, masses, cysts.

    Returns:
        bool ``(k, j, i)``: all stones; and flags on what could not be seen.
    """
    found = np.zeros(labels.shape, bool)
    phase = estimate_phase(canonical, labels)
    contrast = phase.phase != "non-contrast"
    if phase.phase == "excretory":
        return found, [Flag.of("stones_not_searched", reason="excretory phase")]
    accepted: list[DenseBody] = []
    told: set[str] = set()
    clipped = False
    for region in stone_regions(canonical, labels, ureter=not contrast):
        voxels = canonical.voxels[region.box]
        tissue = tissue_of(voxels, region.tissue, contrast=contrast)
        if tissue is None:
            continue
        clipped = clipped or (contrast and float(canonical.voxels.max()) < tissue.dense)
        for body in dense_bodies(canonical, labels, region, tissue):
            rest = None if body.too_large else without_tube(body, canonical.spacing[::-1])
            if rest is not None:
                told.add("tube")
                if body.inside > 0.5 and rest.any():
                    accepted.append(replace(body, mask=rest))
                continue
            verdict = judge_dense_body(body, tissue, contrast=contrast)
            if verdict is StoneVerdict.STONE:
                accepted.append(body)
            told.add("metal" if verdict is StoneVerdict.STONE and body.peak >= METAL else verdict.value)
    flags = [Flag.of("stones_not_searched", reason="display window")] if clipped else _phase_flags(phase)
    flags += [flag for name, flag in _TOLD.items() if name in told]
    if contrast and excreted(accepted):
        accepted = []
        flags.append(Flag.of("dense_collecting_system"))
    for body in accepted:
        target = found[body.box]
        target |= body.mask
    return found, flags


# The flag on what a dense body was taken for.
_TOLD = {
    "tube": Flag.of("ureteral_stent"),
    StoneVerdict.VESSEL.value: Flag.of("calcified_vessel"),
    StoneVerdict.CALCIFIED_LESION.value: Flag.of("calcified_lesion"),
    StoneVerdict.BESIDE_URETER.value: Flag.of("dense_beside_ureter"),
    StoneVerdict.TOO_LARGE.value: Flag.of("dense_and_large", limit_ml=LARGEST_ML),
    "metal": Flag.of("dense_as_metal"),
}


def _phase_flags(phase: PhaseEstimate) -> list[Flag]:
    if phase.phase in ("corticomedullary", "nephrographic"):
        return [stones_with_contrast(phase)]
    if phase.phase == "unknown":
        return [Flag.of("stones_may_be_hidden")]
    return []
