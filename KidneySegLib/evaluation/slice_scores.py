"""Agreement of 2D outlines with references, and their mean and spread in the form of Pérez Martínez et al., 2026."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from KidneySegLib.datasets.slices import LabelledSlice
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.scan_probabilities import slice_probability
from KidneySegLib.segmentation.slices.regions import largest_regions


@dataclass(frozen=True)
class SliceScore:
    """Agreement on one slice, or mean over several.

    Attributes:
        dice: Dice coefficient.
        iou: intersection over union (Jaccard).
        loss: mean binary cross-entropy of the network's probability over the pixels of the slice.
    """

    dice: float
    iou: float
    loss: float


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (0 for a single value)."""

    mean: float
    sd: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Returns the spread of at least one value."""
        return cls(fmean(values), stdev(values) if len(values) > 1 else 0.0)

    def __str__(self) -> str:
        """Returns ``mean ± sd`` with four decimals, as the paper prints it."""
        return f"{self.mean:.4f} ± {self.sd:.4f}"


def dice_and_iou(found: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Returns Dice and IoU of two bool arrays; two empty ones agree (1.0)."""
    both, total = int((found & reference).sum()), int(found.sum()) + int(reference.sum())
    return (2 * both / total, both / (total - both)) if total else (1.0, 1.0)


def cross_entropy(probability: np.ndarray, reference: np.ndarray) -> float:
    """Returns the mean binary cross-entropy; probabilities are kept 1e-6 away from 0 and 1."""
    p = np.clip(probability.astype(np.float64), 1e-6, 1 - 1e-6)
    return float(-np.where(reference, np.log(p), np.log(1 - p)).mean())


def score_slice(predictor: Predictor, item: LabelledSlice) -> SliceScore:
    """Returns the agreement of the post-processed outline (threshold, two largest regions) on one slice."""
    probability = slice_probability(item.hu, item.spacing, predictor)
    found = largest_regions(probability > predictor.stage.threshold, item.spacing) > 0
    return SliceScore(*dice_and_iou(found, item.organ), cross_entropy(probability, item.organ))


def mean_score(scores: Sequence[SliceScore]) -> SliceScore:
    """Returns the mean of at least one score."""
    return SliceScore(fmean(s.dice for s in scores), fmean(s.iou for s in scores), fmean(s.loss for s in scores))
