"""Compares what was found in cases with their references: one way for volumes and slices."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.evaluation.cases import Case, Reference
from KidneySegLib.evaluation.found import Finder, Found, of_run
from KidneySegLib.evaluation.frames import FrameComparison, compare_frame
from KidneySegLib.evaluation.metrics import (
    TOLERANCE_MM,
    Agreement,
    Overlap,
    TouchedStones,
    agreement,
    dice,
    iou,
    overlap,
    touched_stones,
)
from KidneySegLib.evaluation.outline_pictures import Compared
from KidneySegLib.evaluation.statistics.calibration import Reliability, outline_reliability, reliability
from KidneySegLib.evaluation.volumes import ExamResult, evaluate_labels
from KidneySegLib.exam import Units
from KidneySegLib.structures import BY_KEY
from KidneySegLib.tasks import run as tasks


@dataclass(frozen=True, eq=False)
class CaseView:
    """The slice with most of what is to be seen; arrays ``(j, i)``.

    Attributes:
        values: of the image.
        found: uint8, values of ``structures``.
        reference: the same of the reference.
        pixel_mm: along j and i.
    """

    values: np.ndarray
    found: np.ndarray
    reference: np.ndarray
    pixel_mm: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CaseResult:
    """What came out for one case.

    Attributes:
        name: of the case.
        patient: that it belongs to.
        overlap: of all that was outlined, the kidneys as organs (the network's own outline, where the task keeps it);
            None where the reference has no outline.
        touched: stones of a slice; None where the reference has no stones drawn, and of a volume.
        exam: the full comparison of a volume; None of a slice.
        picture: outlines in the slice with most of the organ; None where the reference has no outline.
        seconds: of reading, segmenting and measuring; None where it is not known.
        whole: agreement of all that was outlined in a slice; None of a volume, whose kidneys are compared one by one.
        reliability: of the network's probabilities; None where they are not known.
        view: for pictures; None where the reference has no outline.
        frame: the comparison of a frame of grey values with a kidney in its reference; None of all else.
    """

    name: str
    patient: str
    overlap: Overlap | None
    touched: TouchedStones | None
    exam: ExamResult | None
    picture: Compared | None
    seconds: float | None
    whole: Agreement | None = None
    reliability: Reliability | None = None
    view: CaseView | None = None
    frame: FrameComparison | None = None

    @property
    def structures(self) -> list[tuple[str, Agreement]]:
        """Every kidney (as an organ), and what there is of masses, cysts and stones, with the agreement on it."""
        if self.exam is not None:
            return [*(("kidney", organ) for organ in self.exam.organs.values()), *self.exam.structures.items()]
        return [] if self.whole is None else [("kidney", self.whole)]


def evaluate(
    task: str,
    cases: Sequence[Case],
    *,
    model: str | None = None,
    device: str = "auto",
    output: Path | None = None,
    finder: Finder | None = None,
) -> Iterator[tuple[CaseResult, Found, np.ndarray | None]]:
    """Runs a task on one case after the other and compares what it found with the reference.

    Args:
        task: by name.
        cases: of that task.
        model: bundle by name or folder; None takes the shipped one.
        device: see ``inference.device.choose_device``.
        output: receives the results in one folder per case; None writes none.
        finder: gives what was found already; then nothing is run, and ``model``, ``device``, ``output`` mean nothing.

    Yields:
        The comparison, what was found, and the reference's label map, uint8 ``(k, j, i)`` in canonical order.

    Raises:
        InputError: a case cannot be used.
        BundleError: the model cannot be used.
        ResourceError: device or memory do not suffice.
        OutputError: the results cannot be written.
    """
    for case in cases:
        found = finder(case) if finder else _run(task, case, model, device, output)
        reference = case.reference(found.exam)
        yield _compare(case, found, reference), found, reference.labels


def _run(task: str, case: Case, model: str | None, device: str, output: Path | None) -> Found:
    start = time.perf_counter()
    result = tasks.run(task, case.source, options=case.options, device=device, model=model)
    seconds = time.perf_counter() - start
    if output is not None:
        result.write(output / case.name)
    return of_run(result, seconds)


def _compare(case: Case, found: Found, reference: Reference) -> CaseResult:
    volume, labels, network = found.exam.volume, found.labels, found.network
    together = exam = touched = picture = whole = trusted = view = None
    if reference.labels is not None:
        outline, truth = labels > 0 if network is None else network.mask, reference.labels > 0
        if network is None:
            together = Overlap(dice(outline, truth), iou(outline, truth))
        else:
            together = overlap(outline, network.probability, truth)
            trusted = outline_reliability(network.probability, truth)
        k = int((outline | truth).sum(axis=(1, 2)).argmax())
        title = f"{case.name}\nDice {together.dice:.3f}"
        picture = Compared(title, volume.voxels[k].copy(), {"manual": truth[k].copy(), "found": outline[k].copy()})
        drawn = labels[k] if network is None else np.where(outline[k], np.maximum(labels[k], 1), 0).astype(np.uint8)
        view = CaseView(volume.voxels[k].copy(), drawn.copy(), reference.labels[k].copy(), _pixel(found))
        if volume.voxels.shape[0] == 1:
            whole = agreement(outline, truth, volume.spacing[::-1], reader_tolerance_mm=TOLERANCE_MM["kidney"])
    if volume.voxels.shape[0] > 1 and reference.labels is not None:
        exam = evaluate_labels(case.name, volume, labels, reference.labels, found.confidence, found.candidates)
        trusted = _lesion_reliability(found, reference.labels)
    elif reference.stones is not None:
        touched = touched_stones(labels == BY_KEY["stone"].label, reference.stones)
    frame = _frame(case, found, reference)
    return CaseResult(
        case.name, case.patient, together, touched, exam, picture, found.seconds, whole, trusted, view, frame
    )


def _frame(case: Case, found: Found, reference: Reference) -> FrameComparison | None:
    """Returns the comparison of a single frame of grey values."""
    truth = reference.labels
    if found.exam.units is not Units.GREY or truth is None or len(truth) > 1 or not truth.any():
        return None
    return compare_frame(case.name, found.labels[0] > 0, truth[0] > 0, _pixel(found))


def _pixel(found: Found) -> tuple[float, float]:
    i, j, _ = found.exam.volume.spacing
    return j, i


def _lesion_reliability(found: Found, reference: np.ndarray) -> Reliability | None:
    """Returns how far the probability of found masses and cysts can be trusted: is the reference's label the same?"""
    if found.confidence is None:
        return None
    box, percent = found.confidence.box, found.confidence.percent
    asked = percent > 0
    return reliability(percent[asked] / 100, (found.labels[box] == reference[box])[asked])
