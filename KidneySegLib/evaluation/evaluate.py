"""Runs a task on cases with references and compares: one way for volumes and slices."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.evaluation.cases import Case
from KidneySegLib.evaluation.metrics import Overlap, dice, iou, overlap
from KidneySegLib.evaluation.outline_pictures import Compared
from KidneySegLib.evaluation.touching import TouchedStones, touched_stones
from KidneySegLib.evaluation.volumes import ExamResult, evaluate_labels
from KidneySegLib.result_files.result import Result
from KidneySegLib.structures import BY_KEY
from KidneySegLib.tasks import run as tasks


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
        seconds: of reading, segmenting and comparing.
    """

    name: str
    patient: str
    overlap: Overlap | None
    touched: TouchedStones | None
    exam: ExamResult | None
    picture: Compared | None
    seconds: float


def evaluate(
    task: str,
    cases: Sequence[Case],
    *,
    model: str | None = None,
    device: str = "auto",
    output: Path | None = None,
) -> Iterator[tuple[CaseResult, Result, np.ndarray | None]]:
    """Runs a task on one case after the other and compares what it found with the reference.

    Args:
        task: by name.
        cases: of that task.
        model: bundle by name or folder; None takes the shipped one.
        device: see ``inference.device.choose_device``.
        output: receives the results in one folder per case; None writes none.

    Yields:
        The comparison, what was run, and the reference's label map, uint8 ``(k, j, i)`` in canonical order.

    Raises:
        InputError: a case cannot be used.
        BundleError: the model cannot be used.
        ResourceError: device or memory do not suffice.
        OutputError: the results cannot be written.
    """
    for case in cases:
        start = time.perf_counter()
        result = tasks.run(task, case.source, options=case.options, device=device, model=model)
        if output is not None:
            result.write(output / case.name)
        yield _compare(case, result, start)


def _compare(case: Case, result: Result, start: float) -> tuple[CaseResult, Result, np.ndarray | None]:
    volume, labels = result.image.volume, result.segmentation.labels
    reference = case.reference(result.image)
    together = exam = touched = picture = None
    if reference.labels is not None:
        found, truth, network = labels > 0, reference.labels > 0, result.segmentation.network
        if network is None:
            together = Overlap(dice(found, truth), iou(found, truth))
        else:
            found = network.mask
            together = overlap(found, network.probability, truth)
        k = int((found | truth).sum(axis=(1, 2)).argmax())
        title = f"{case.name}\nDice {together.dice:.3f}"
        picture = Compared(title, volume.voxels[k].copy(), {"manual": truth[k].copy(), "found": found[k].copy()})
    if volume.voxels.shape[0] > 1 and reference.labels is not None:
        exam = evaluate_labels(case.name, volume, labels, reference.labels)
    elif reference.stones is not None:
        touched = touched_stones(labels == BY_KEY["stone"].label, reference.stones)
    seconds = time.perf_counter() - start
    compared = CaseResult(case.name, case.patient, together, touched, exam, picture, seconds)
    return compared, result, reference.labels
