"""Scores a network on validation exams while it trains, on its own working grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from KidneySegLib.datasets.exams import Exam
from KidneySegLib.inference.organ_channels import ORGAN_INPUTS
from KidneySegLib.inference.predict import OrganMasks, Predictor
from KidneySegLib.inference.resampling import grid_shape, resample


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the Dice coefficient of two boolean arrays; two empty ones agree (1.0)."""
    total = int(first.sum()) + int(second.sum())
    return 1.0 if total == 0 else 2 * int((first & second).sum()) / total


def score(predictor: Predictor, exams: Sequence[Exam], *, boxed: bool, margin_mm: float = 25.0) -> dict[str, float]:
    """Returns Dice per exam (and side, where ``boxed``: one box around each reference kidney, left ones mirrored).

    Masses and cysts that are there have scores of their own.
    """
    stage = predictor.stage
    scores = {}
    for exam in exams:
        margin = np.ceil(margin_mm / np.array(exam.spacing)).astype(int)
        regions = [(side, np.array(low) - margin, np.array(up) + margin) for side, low, up in exam.boxes]
        if not boxed:
            regions = [("whole", np.zeros(3, int), np.array(exam.hu.shape))]
        for side, lower, upper in regions:
            box = tuple(slice(max(0, low), up) for low, up in zip(lower.tolist(), upper.tolist(), strict=True))
            hu = exam.hu[box]
            references = {"kidney": exam.organ[box], "mass": exam.lesions[box] == 3, "cyst": exam.lesions[box] == 4}
            mirrored = slice(None, None, -1 if side == "left" else 1)
            shape = grid_shape(hu.shape, exam.spacing, stage.spacing)
            organ = resample(references["kidney"][..., mirrored].astype(np.uint8), shape) >= 0.5
            # Without the engine's outline the kidney without its lesions takes its place.
            healthy = organ & (resample((exam.lesions[box] < 3)[..., mirrored].astype(np.uint8), shape) >= 0.5)
            given = OrganMasks(organ, healthy) if stage.network.inputs == ORGAN_INPUTS else None
            probability = predictor.probabilities(resample(hu[..., mirrored], shape), organ=given).clone()
            if "background" in stage.network.outputs:
                # the reference of the kidney is the organ with its lesions
                probability[stage.network.outputs.index("kidney")] = (
                    1 - probability[stage.network.outputs.index("background")]
                )
            found = (probability > stage.threshold) & (organ if given is not None else True)
            for output, mask in zip(stage.network.outputs, found.numpy(), strict=True):
                if output not in references:
                    continue
                truth = resample(references[output][..., mirrored].astype(np.uint8), shape).numpy() >= 0.5
                # A lesion that is not there has no Dice; false ones are counted on whole scans, not here.
                if output == "kidney" or truth.any():
                    name = f"{exam.name} {side}" + ("" if output == "kidney" else f" {output}")
                    scores[name] = dice(mask, truth)
    return scores
