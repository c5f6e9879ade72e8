"""Third pass: a kidney with all that belongs to it, however diseased, told apart into parenchyma, mass and cyst.

One network sees the box once and names every voxel. The outline of the second pass, on a finer grid, is the more exact
one on healthy tissue; of a large mass or cyst it knows nothing. So where a lesion is likely the renal network decides
alone what belongs to the organ, and elsewhere both do.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import cc3d
import numpy as np

from KidneySegLib.bundles.rules import RenalRules
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box, box_of, enlarged, in_box, placed
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Share
from KidneySegLib.segmentation.kidneys.boxed import box_probabilities, grown, touches_end
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.border import refine_cysts
from KidneySegLib.segmentation.lesions.find import FoundLesions, in_percent
from KidneySegLib.segmentation.lesions.kind import decide_kinds
from KidneySegLib.volume import Volume

# Around the outline, so that what lies beside it is seen; the box grows where the organ reaches its side.
_MARGIN_MM, _GROWTH_MM = 24.0, 30.0
_SHARES = (0.0, 0.7, 0.8, 0.9, 0.95, 1.0)
_OUTPUTS = ("background", "mass", "cyst")


def find_renal(
    volume: Volume, outline: Outline, predictor: Predictor, rules: RenalRules, tell: Callable[[float], None]
) -> tuple[Outline, FoundLesions]:
    """Segments one kidney with its masses and cysts.

    Args:
        volume: canonical orientation.
        outline: the kidney as the second pass sees it.
        predictor: the renal stage, with the outputs ``background``, ``kidney``, ``mass`` and ``cyst``.
        rules: of the bundle.
        tell: takes the finished share.

    Returns:
        The outline with all that belongs to the kidney, in a box that holds it, and the lesions in the same box.
    """
    own, flags = placed(box_of(outline.mask), outline.box), list[Flag]()
    box = enlarged(own, _MARGIN_MM, volume.spacing[::-1], volume.voxels.shape)
    for start, end in pairwise(_SHARES):
        told = Share(tell).part(start, end)
        (background, mass, cyst), more = box_probabilities(volume, outline.side, box, predictor, told, outputs=_OUTPUTS)
        flags += more
        lesion = mass + cyst
        organ = _organ(1 - background, lesion, outline, box, rules.likely_lesion)
        larger = grown(box, organ, volume, _GROWTH_MM)
        if larger is None or end == _SHARES[-1]:
            break
        box = larger
    tell(1.0)
    whole = replace(
        outline,
        box=box,
        mask=organ,
        probability=np.where(organ, 1 - background, 0).astype(np.float32),
        volume_ml=int(organ.sum()) * volume.voxel_volume / 1000,
        cut=outline.cut or touches_end(organ, box, volume),
    )
    return whole, _lesions(volume, whole, mass, cyst, predictor.stage.threshold, rules, flags)


def _organ(renal: np.ndarray, lesion: np.ndarray, outline: Outline, box: Box, likely_lesion: float) -> np.ndarray:
    """Returns what belongs to the kidney, bool ``(k, j, i)`` in ``box``: the piece that holds most of the outline.

    Args:
        renal: probability of kidney with its lesions.
        lesion: probability of a lesion.
        outline: of the second pass.
        box: where the arrays lie.
        likely_lesion: probability of a lesion from which on the renal network decides alone.
    """
    kidney = in_box(outline.probability, outline.box, box)
    alone = (lesion / likely_lesion).clip(0, 1)
    pieces = cc3d.connected_components(renal * alone + (renal + kidney) / 2 * (1 - alone) > 0.5, connectivity=6)
    held = np.bincount(pieces[in_box(outline.mask, outline.box, box)], minlength=int(pieces.max()) + 1)
    held[0] = 0
    # what the outline knows and the renal network does not is still a kidney
    return pieces == held.argmax() if held.any() else in_box(outline.mask, outline.box, box)


def _lesions(
    volume: Volume,
    whole: Outline,
    mass: np.ndarray,
    cyst: np.ndarray,
    threshold: float,
    rules: RenalRules,
    flags: list[Flag],
) -> FoundLesions:

    lesion, spacing = mass + cyst, volume.spacing[::-1]
    pieces, count = cc3d.connected_components((lesion > threshold) & whole.mask, connectivity=18, return_N=True)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sums = np.bincount(pieces.ravel(), lesion.ravel(), minlength=count + 1)
    keep = (sizes >= rules.smallest_voxels(spacing)) & (sums >= rules.least_lesion_confidence * sizes)
    keep[0] = False
    labels = decide_kinds(keep[pieces], mass > cyst, volume.voxels[whole.box], spacing, rules)
    labels = refine_cysts(labels, whole.mask, volume.voxels[whole.box], spacing)
    return FoundLesions(whole.box, labels, in_percent(np.where(whole.mask, lesion, 0)), tuple(flags))
