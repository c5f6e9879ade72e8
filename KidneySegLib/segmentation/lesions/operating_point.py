"""The operating point: which masses and cysts are findings, and which are candidates that are listed apart.

A lesion is a finding if the network is sure enough of it, and if the organ network is sure enough that it belongs to a
kidney: the lesion network is asked what is *inside an organ*, and where that takes in liver or bowel, these surely are
no parenchyma. A cyst in an enhanced kidney also has to be as dark as fluid is there: parenchyma that is badly perfused,
medulla and bowel look like cysts to the network, and are denser.
What is not a finding does not vanish: it is a candidate, with its voxels. The label map gives these to the kidney, to
which the organ network counts them; where it is unsure of that, the kidney's outline decides.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.bundles.rules import OperatingPoint
from KidneySegLib.geometry.bodies import Body, find_bodies
from KidneySegLib.geometry.boxes import bounding_boxes, in_box
from KidneySegLib.hounsfield import DENSEST_FLUID, MOST_UNENHANCED
from KidneySegLib.measuring.instances import Confidence, Instance, LesionCandidate
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.segmentation.lesions.find import FoundLesions
from KidneySegLib.segmentation.lesions.kind import CYST, MASS
from KidneySegLib.structures import BY_LABEL, KIDNEYS, Side
from KidneySegLib.volume import Volume

# Fewer voxels away from the organ's border do not tell whether a lesion belongs to it.
_FEWEST_KNOWN = 10


def take_out_candidates(
    volume: Volume,
    labels: np.ndarray,
    percent: np.ndarray,
    outlines: Sequence[Outline],
    lesions: Sequence[FoundLesions],
    point: OperatingPoint,
) -> tuple[LesionCandidate, ...]:
    """Takes what is below the operating point out of a label map.

    Args:
        volume: CT in HU, canonical orientation.
        labels: uint8 ``(k, j, i)``, values of ``structures``; candidates become kidney, in place.
        percent: probability of a lesion in per cent at each lesion voxel, uint8 like ``labels``.
        outlines: the kidneys.
        lesions: of each kidney.
        point: of the bundle.

    Returns:
        The candidates: solid masses, then cysts; each right before left, head to feet.
    """
    k, j, i = (slice(0, n) for n in labels.shape)
    whole = Confidence((k, j, i), percent)
    boxes, found, freed = bounding_boxes(labels), list[LesionCandidate](), list[tuple[Body, np.ndarray]]()
    for kind, least in ((MASS, point.least_mass_confidence), (CYST, point.least_cyst_confidence)):
        if kind not in boxes:
            continue
        bodies, _specks = find_bodies(volume, labels, kind, boxes[kind])
        for body in bodies:
            outline, own = _kidney_of(body, outlines, lesions, kind)
            confidence = whole.of(body) or 0.0
            elsewhere = _organ_confidence(body, own) < point.least_organ_confidence
            dense = _median(volume, body) > DENSEST_FLUID and _is_enhanced(volume, outline, labels)
            if confidence < least or elsewhere or (kind == CYST and dense):
                found.append(LesionCandidate(Instance(BY_LABEL[kind], outline.side, body), confidence))
                kidney = in_box(outline.mask, outline.box, body.box) | (not elsewhere)
                freed.append((body, np.where(kidney, KIDNEYS[outline.side].label, 0)))
    for body, instead in freed:
        labels[body.box][body.mask] = instead[body.mask]
    return tuple(sorted(found, key=_place))


def _is_enhanced(volume: Volume, outline: Outline, labels: np.ndarray) -> bool:
    """Whether a kidney's parenchyma, without its lesions, took up contrast medium."""
    parenchyma = outline.mask & (labels[outline.box] == KIDNEYS[outline.side].label)
    return bool(parenchyma.any() and np.median(volume.voxels[outline.box][parenchyma]) > MOST_UNENHANCED)


def _median(volume: Volume, body: Body) -> float:
    return float(np.median(volume.voxels[body.box][body.mask]))


def _organ_confidence(body: Body, lesions: FoundLesions) -> float:
    """Returns the mean probability that a body's voxels belong to the organ; 1 where too few are known to tell."""
    if lesions.organ_percent is None:
        return 1.0
    values = in_box(lesions.organ_percent, lesions.box, body.box)[body.mask]
    known = values[values > 0]
    return float(known.mean()) / 100 if known.size >= _FEWEST_KNOWN else 1.0


def _kidney_of(
    body: Body, outlines: Sequence[Outline], lesions: Sequence[FoundLesions], kind: int
) -> tuple[Outline, FoundLesions]:
    """Returns the outline and lesions of the kidney in which most of a body was found."""

    def shared(found: FoundLesions) -> int:
        return int(np.count_nonzero(in_box(found.labels, found.box, body.box)[body.mask] == kind))

    pairs = zip(outlines, lesions, strict=True)
    return max(pairs, key=lambda pair: shared(pair[1]))


def _place(candidate: LesionCandidate) -> tuple[int, int, float]:
    instance = candidate.instance
    # k grows towards the head
    return instance.structure.label, list(Side).index(instance.own_side), -float(instance.body.voxels()[:, 0].mean())
