"""Agreement on ultrasound frames in the form of Shtaiyat & Younes (2024): pixels of one structure against the rest.

Accuracy counts the background, of which a frame is full; so the distance of the borders and the error of the length
stand beside it, and what a **constant mask** reaches: the outline that most other kidneys of such frames have in
common, drawn without a look at the frame.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy import ndimage

from KidneySegLib.datasets.frames import constant_mask
from KidneySegLib.evaluation.metrics import Spread
from KidneySegLib.evaluation.tables import Cell, ScoreTable
from KidneySegLib.geometry.diameters import maximum_axial_diameter

# A kidney with at least this share of its frame fills it, as in published crops; else the frame is a whole sector.
FILLED_SHARE = 0.25
GROUPS = ("all frames", "the kidney fills the frame", "whole sectors")
_MEASURES = ("accuracy", "precision", "recall", "jaccard", "dice")
_FILE_MEASURES = (*_MEASURES, "border", "length_error_percent")


@dataclass(frozen=True)
class FrameScores:
    """Agreement on one frame.

    Attributes:
        both, found_only, reference_only, neither: counts of pixels.
        border: mean distance of the two borders, over both directions, in mm, or in pixels where their size is unknown;
            NaN where one outline is empty.
        length_error_percent: of the longest diameter, without sign; 100 where nothing was found.
    """

    both: int
    found_only: int
    reference_only: int
    neither: int
    border: float
    length_error_percent: float

    @property
    def accuracy(self) -> float:
        """Share of the pixels on which both agree."""
        return (self.both + self.neither) / (self.both + self.neither + self.found_only + self.reference_only)

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 0 where nothing was found."""
        return self.both / max(1, self.both + self.found_only)

    @property
    def recall(self) -> float:
        """Share of the reference that was found."""
        return self.both / max(1, self.both + self.reference_only)

    @property
    def jaccard(self) -> float:
        """Intersection over union."""
        return self.both / max(1, self.both + self.found_only + self.reference_only)

    @property
    def dice(self) -> float:
        """Dice coefficient, which is F1."""
        return 2 * self.both / max(1, 2 * self.both + self.found_only + self.reference_only)


@dataclass(frozen=True, eq=False)
class FrameComparison:
    """A frame whose reference shows a kidney.

    Attributes:
        name: of the case.
        reference: bool ``(j, i)``.
        pixel: distance of rows and of columns, in mm or in pixels.
        scores: of what was found.
    """

    name: str
    reference: np.ndarray
    pixel: tuple[float, float]
    scores: FrameScores

    @property
    def group(self) -> str:
        """Which kind of frame it is."""
        return GROUPS[1] if self.reference.mean() >= FILLED_SHARE else GROUPS[2]


def compare_frame(name: str, found: np.ndarray, reference: np.ndarray, pixel: tuple[float, float]) -> FrameComparison:
    """Compares an outline with a reference, which is not empty; both bool ``(j, i)``."""
    return FrameComparison(name, reference, pixel, frame_scores(found, reference, pixel))


def frame_scores(found: np.ndarray, reference: np.ndarray, pixel: tuple[float, float]) -> FrameScores:
    """Returns the agreement of two bool masks ``(j, i)``; the reference is not empty."""
    both, false, missed = (
        int(np.count_nonzero(part)) for part in (found & reference, found & ~reference, reference & ~found)
    )
    border, error = math.nan, 100.0
    if found.any():
        border = _border_distance(found, reference, pixel)
        truth = _length(reference, pixel)
        error = 100 * abs(_length(found, pixel) - truth) / truth
    return FrameScores(both, false, missed, reference.size - both - false - missed, border, error)


def constant_scores(frames: Sequence[FrameComparison]) -> list[FrameScores | None]:
    """Returns what a constant mask reaches on each frame: what the others of its kind share; None without others."""
    scores: list[FrameScores | None] = []
    for frame in frames:
        others = [other.reference for other in frames if other is not frame and other.group == frame.group]
        shape = frame.reference.shape[0], frame.reference.shape[1]
        mask = constant_mask(others, shape) if others else None
        scores.append(None if mask is None else frame_scores(mask, frame.reference, frame.pixel))
    return scores


def frame_pages(frames: Sequence[FrameComparison]) -> list[ScoreTable]:
    """Returns the tables for reading; none without frames."""
    if not frames:
        return []
    constant = constant_scores(frames)
    rows: list[tuple[Cell, ...]] = []
    for group in GROUPS:
        chosen = [n for n, frame in enumerate(frames) if group in (GROUPS[0], frame.group)]
        if chosen:
            rows.append(_row(group, "found", [frames[n].scores for n in chosen]))
            rows.append(_row(group, "constant mask", [s for s in (constant[n] for n in chosen) if s is not None]))
    note = (
        f"{len(frames)} frames, mean ± sd over frames, pixels in per cent (Shtaiyat & Younes, 2024). Border: mean "
        "distance of both borders in mm, or in pixels where their size is unknown. Constant mask: what most other "
        "kidneys of such frames have in common. A kidney fills the frame where it has a quarter of it."
    )
    header = (
        "frames",
        "outline",
        "accuracy",
        "precision",
        "recall",
        "Jaccard",
        "F1 (Dice)",
        "border",
        "length error %",
    )
    return [ScoreTable("frames", "Frames", note, header, rows), _confusion(frames)]


def frame_files(frames: Sequence[FrameComparison]) -> list[ScoreTable]:
    """Returns the table with every frame."""
    rows: list[tuple[Cell, ...]] = [
        (frame.name, frame.group, *(None if math.isnan(v) else f"{v:.5f}" for v in _values(frame.scores)))
        for frame in frames
    ]
    return [ScoreTable("frames_by_case", "", "", ("case", "kind", *_FILE_MEASURES), rows)] if rows else []


def _values(scores: FrameScores) -> list[float]:
    return [float(getattr(scores, name)) for name in _FILE_MEASURES]


def _row(group: str, outline: str, scores: Sequence[FrameScores]) -> tuple[Cell, ...]:
    if not scores:
        return (group, outline, *(None for _ in _FILE_MEASURES))
    shares = [str(Spread.of([100 * getattr(s, name) for s in scores])) for name in _MEASURES]
    borders = [s.border for s in scores if not math.isnan(s.border)]
    border = f"{fmean(borders):.2f}" if borders else None
    return group, outline, *(_short(share) for share in shares), border, fmean(s.length_error_percent for s in scores)


def _short(spread: str) -> str:
    """Returns ``mean ± sd`` of per cent with two decimals."""
    return " ± ".join(f"{float(number):.2f}" for number in spread.split(" ± "))


def _confusion(frames: Sequence[FrameComparison]) -> ScoreTable:
    counts = np.array([[f.scores.both, f.scores.reference_only, f.scores.found_only, f.scores.neither] for f in frames])
    both, missed, false, neither = counts.sum(axis=0).tolist()
    rows: list[tuple[Cell, ...]] = [("kidney", both, missed), ("background", false, neither)]
    header = ("reference", "found: kidney", "found: background")
    return ScoreTable("frames_confusion", "Confusion matrix", "Pixels of all frames together.", header, rows)


def _border_distance(found: np.ndarray, reference: np.ndarray, pixel: tuple[float, float]) -> float:
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (found, reference)]
    distances = [ndimage.distance_transform_edt(~border, sampling=pixel) for border in borders]
    return fmean((float(distances[1][borders[0]].mean()), float(distances[0][borders[1]].mean())))


def _length(mask: np.ndarray, pixel: tuple[float, float]) -> float:
    grid = np.diag([pixel[1], pixel[0], 1.0, 1.0])
    return maximum_axial_diameter(mask[None], grid, 0).longest.length
