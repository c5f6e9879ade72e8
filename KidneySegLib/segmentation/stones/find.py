"""Stones: dense bodies in the kidneys, their pelves and proximal ureters, at native resolution.

Candidates are all bodies above a threshold that follows the parenchyma's own value and noise; rules leave out what else
is dense there. Without contrast medium nothing in a kidney is but stones and calcified lesions or vessels. With it
small stones drown, and excreted contrast medium looks like stones: then the search is strict, or left out, and says so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from KidneySegLib.findings.phase import Phase
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.hounsfield import METAL
from KidneySegLib.measuring.kidneys.phase import estimate_phase
from KidneySegLib.segmentation.stones.candidates import LARGEST_ML, Candidate, candidates
from KidneySegLib.segmentation.stones.region import stone_regions
from KidneySegLib.segmentation.stones.rules import Verdict, excreted, judge
from KidneySegLib.segmentation.stones.tissue import tissue_of
from KidneySegLib.segmentation.stones.tubes import without_tube
from KidneySegLib.volume import Volume


def find_stones(
    canonical: Volume, labels: np.ndarray, *, fixed_threshold_hu: float | None = None
) -> tuple[np.ndarray, list[Flag]]:
    """Finds stones.

    Args:
        canonical: the image in HU, axes in canonical order (``Volume.canonical``).
        labels: uint8 ``(k, j, i)`` on its grid, values of ``structures``: kidneys, masses, cysts.
        fixed_threshold_hu: what is at least that dense is stone (130 to 225 in the literature); None adapts to
            parenchyma and noise, and draws the border half-way between the stone and its surroundings. On a scan with
            contrast medium the adaptive threshold stays, because enhanced tissue is denser than any of those.

    Returns:
        bool ``(k, j, i)``: all stones; and flags on what could not be seen.
    """
    found = np.zeros(labels.shape, bool)
    phase = estimate_phase(canonical, labels).phase
    contrast = phase != "non-contrast"
    if phase == "excretory":
        return found, [_HIDDEN]
    at_threshold = fixed_threshold_hu is not None and not contrast
    accepted: list[Candidate] = []
    told: set[str] = set()
    clipped = False
    for region in stone_regions(canonical, labels, ureter=not contrast):
        voxels = canonical.voxels[region.box]
        tissue = tissue_of(voxels, region.tissue, contrast=contrast, fixed_threshold_hu=fixed_threshold_hu)
        if tissue is None:
            continue
        clipped = clipped or (contrast and float(canonical.voxels.max()) < tissue.dense)
        for body in candidates(canonical, labels, region, tissue, border_at_threshold=at_threshold):
            rest = None if body.too_large else without_tube(body, canonical.spacing[::-1])
            if rest is not None:
                told.add("tube")
                if body.inside > 0.5 and rest.any():
                    accepted.append(replace(body, mask=rest))
                continue
            verdict = judge(body, tissue, contrast=contrast)
            if verdict is Verdict.STONE:
                accepted.append(body)
            told.add("metal" if verdict is Verdict.STONE and body.peak >= METAL else verdict.value)
    flags = [_CLIPPED] if clipped else _phase_flags(phase)
    flags += [flag for name, flag in _TOLD.items() if name in told]
    if contrast and excreted(accepted):
        accepted = []
        flags.append(_DENSE)
    for body in accepted:
        target = found[body.box]
        target |= body.mask
    return found, flags


_HIDDEN = Flag(
    "stones_not_searched",
    Severity.WARNING,
    "Contrast medium was excreted into the collecting system and hides stones: none were looked for. Stones are read "
    "on a scan without contrast medium.",
)
_CLIPPED = Flag(
    "stones_not_searched",
    Severity.WARNING,
    "The scan seems to be enhanced by contrast medium, and its values end at a display window below the density by "
    "which stones could be told from it: none were looked for.",
)
_DENSE = Flag(
    "dense_collecting_system",
    Severity.WARNING,
    "There is something dense in the collecting system of a scan with contrast medium: it can be excreted contrast "
    "medium or stones, and was not labelled. Please look.",
)
# By what a dense body was taken for.
_TOLD = {
    "tube": Flag(
        "ureteral_stent",
        Severity.WARNING,
        "There is something dense, long and thin: it may be a stent, a nephrostomy tube, or a row of stones. It was "
        "not taken for a stone; stones that touch it can be hidden. Please look.",
    ),
    Verdict.VESSEL.value: Flag(
        "calcified_vessel",
        Severity.INFO,
        "Thin dense lines beside the collecting system were not taken for stones: they look like calcium in the wall "
        "of an artery.",
    ),
    Verdict.CALCIFIED_LESION.value: Flag(
        "calcified_lesion",
        Severity.WARNING,
        "Something dense in or at a mass or cyst was not taken for a stone: it can be calcium in its wall, or a stone "
        "in a dilated calyx that was taken for a cyst. Please look.",
    ),
    Verdict.BESIDE_URETER.value: Flag(
        "dense_beside_ureter",
        Severity.WARNING,
        "Something dense where the ureter runs was not taken for a stone, because of its size or shape or of what "
        "lies around it: it may be calcium in a vessel or lymph node, contrast medium in the bowel, or a stone. Please "
        "look.",
    ),
    Verdict.TOO_LARGE.value: Flag(
        "dense_and_large",
        Severity.WARNING,
        f"Something as dense as a stone is larger than {LARGEST_ML:.0f} ml and was not taken for one: it may be "
        "contrast medium, a calcified kidney, or a very large stone. Please look.",
    ),
    "metal": Flag(
        "dense_as_metal",
        Severity.WARNING,
        "Something that was outlined as a stone is as dense as metal: it may be a clip, a coil or a tube. Please look.",
    ),
}


def _phase_flags(phase: Phase) -> list[Flag]:
    if phase in ("corticomedullary", "nephrographic"):
        message = f"The scan seems to be in the {phase} contrast phase: small stones can be hidden by contrast medium."
        return [Flag("stones_may_be_hidden", Severity.WARNING, message)]
    if phase == "unknown":
        message = "The contrast phase is not certain, so only very dense stones were looked for."
        return [Flag("stones_may_be_hidden", Severity.WARNING, message)]
    return []
