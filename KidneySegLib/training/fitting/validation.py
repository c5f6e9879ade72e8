"""Scores a network on labelled exams: while it trains, and fold by fold. 2D is k = 1."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.evaluation.metrics import Overlap, mean_overlap, overlap
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.segmentation.slices.regions import largest_regions
from KidneySegLib.training.recipe import Validation

# Around the box of a reference kidney, as the engine leaves it free.
_MARGIN_MM = 25.0
_SOLID, _CYST = 3, 4


@dataclass(frozen=True)
class Score:
    """Agreement on one output in one exam, or in one box of it.

    Attributes:
        name: of the exam, with the side of the box and the lesion, if it is one.
        patient: that it belongs to.
        overlap: with the reference.
    """

    name: str
    patient: str
    overlap: Overlap


@dataclass(frozen=True, eq=False)
class Region:
    """What a network is scored on; arrays ``(k, j, i)``, mirrored where it is a left kidney.

    Attributes:
        name: of the exam, with the side of the box.
        patient: that it belongs to.
        spacing: mm along k, j, i.
        hu: HU.
        references: bool masks by output: the kidney is the organ with its lesions.
        healthy: bool, the organ without its lesions.
    """

    name: str
    patient: str
    spacing: tuple[float, float, float]
    hu: np.ndarray
    references: Mapping[str, np.ndarray]
    healthy: np.ndarray

    def reference(self, output: str) -> np.ndarray:
        """Returns the bool mask that an output is compared with: the organ, where the network has one output only."""
        return self.references.get(output, self.references["kidney"])


# by output: probability (float), thresholded outline and outline after the rules of the recipe (bool), ``(k, j, i)``
Outlines = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def regions(exam: LabelledExam, plan: Validation) -> Iterator[Region]:
    """Returns the boxes of an exam, or the whole of it, as the recipe has it."""
    places: list[tuple[str, tuple[slice, ...]]] = [("", (slice(None),) * 3)]
    if plan.boxes:
        margin = np.ceil(_MARGIN_MM / np.array(exam.spacing)).astype(int)
        places = [
            (side, tuple(slice(max(0, low - m), up + m) for low, up, m in zip(*corners, margin.tolist(), strict=True)))
            for side, *corners in exam.boxes
        ]
    for side, box in places:
        mirrored = (..., slice(None, None, -1 if side == "left" else 1))
        organ, lesions = exam.organ[box][mirrored] > 0, exam.lesions[box][mirrored]
        references = {"kidney": organ, "mass": lesions == _SOLID, "cyst": lesions == _CYST}
        name = f"{exam.name} {side}".rstrip()
        hu = exam.hu[box][mirrored]
        yield Region(name, exam.patient, exam.spacing, hu, references, organ & (lesions < _SOLID))


def outlines(predictor: Predictor, region: Region, plan: Validation) -> Outlines:
    """Runs a network once, at its own scale.

    Returns:
        By output that has a reference: the probability (float), the thresholded outline and the outline after the
        rules of the recipe (bool), all ``(k, j, i)`` on the region's grid.
    """
    predictor = replace(predictor, stage=replace(predictor.stage, scales=(1.0,)))
    stage, organ = predictor.stage, region.references["kidney"]
    # Without the engine's outline the kidney without its lesions takes its place.
    masks = (organ, region.healthy) if stage.network.inputs == ORGAN_INPUTS else None
    found, _ = scan_probabilities(region.hu, region.spacing, predictor, lambda _: None, masks=masks)
    results = {}
    for output, probability in zip(stage.network.outputs, found, strict=True):
        if output not in region.references and len(found) > 1:
            continue
        if output == "kidney" and "background" in stage.network.outputs:
            probability = 1 - found[stage.network.outputs.index("background")]  # the organ with its lesions
        outline = probability > stage.threshold
        if masks is not None:
            outline &= organ
        kept = outline
        if plan.largest_regions:
            kept = np.stack([largest_regions(plane, region.spacing[1:]) > 0 for plane in outline])
        results[output] = probability, outline, kept
    return results


def score(predictor: Predictor, exams: Sequence[LabelledExam], plan: Validation) -> list[Score]:
    """Returns the agreement on every structure that an exam has."""
    return [
        one
        for exam in exams
        for region in regions(exam, plan)
        for one in region_scores(region, outlines(predictor, region, plan))
    ]


def region_scores(region: Region, found: Outlines) -> list[Score]:
    """Returns the agreement of what ``outlines`` found with every structure that a region has.

    What is not there has no Dice: false ones are counted by the evaluation of whole exams, not here.
    """
    scores = []
    for output, (probability, _, kept) in found.items():
        truth = region.reference(output)
        if truth.any():
            name = region.name if output not in ("mass", "cyst") else f"{region.name} {output}"
            scores.append(Score(name, region.patient, overlap(kept, probability, truth)))
    return scores


def summary(scores: Sequence[Score], plan: Validation) -> Overlap:
    """Returns the median over all scores, or the mean over patients; NaN where nothing was scored."""
    if not scores:
        return Overlap(float("nan"), float("nan"), float("nan"))
    if plan.choose_by == "median":
        names = ("dice", "iou", "loss")
        return Overlap(*(median(getattr(s.overlap, name) for s in scores) for name in names))
    patients: dict[str, list[Overlap]] = {}
    for one in scores:
        patients.setdefault(one.patient, []).append(one.overlap)
    return mean_overlap([mean_overlap(overlaps) for overlaps in patients.values()])
