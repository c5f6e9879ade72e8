"""What a correction costs Slicer's main thread: from the change of a segment until table and remarks are of it.

Changes are strokes, as Segment Editor tells of them, and what the worklist does to the largest lesion and to a kidney.

The exam is the synthetic sample, each of its slices repeated, so that it has as many voxels as a thin-slice scan; its
true labels stand for the network's. Processor seconds of the main thread count, which other programs hardly change;
rounds of the event loop in which nothing happens do not. How long such a round takes is measured before each change: on
a busy machine it is more than on one that does nothing else.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

REPEATED = 9
LENGTH_MM = 300.0
LIMIT_S = 0.05
# A round that takes longer than nearly all idle ones did something.
IDLE_S, IDLE_ROUNDS, IDLE_SHARE, IDLE_MARGIN = 0.001, 200, 0.99, 1.5


@dataclass(frozen=True)
class MainThread:
    """Processor seconds of the main thread for one change.

    Attributes:
        busy: all of them.
        longest: the longest stretch without a look at events.
        waited: seconds until the table was of the change, the pause after the stroke (1.5 s) included.
    """

    busy: float
    longest: float
    waited: float


def corrections(widget: Any, slices: int, changes: int) -> tuple[dict[str, MainThread], float]:
    """Returns the cost of each change by what it was, and processor seconds of measuring in the main thread."""
    result = _result(widget, slices)
    import qt
    import slicer.util

    for _round in range(50):  # what is left to do for the new result is no part of a change
        qt.QApplication.processEvents()
    voxels, segmentation = _layer(result)
    layer, found = segmentation.GetNthSegment(0).GetRepresentation("Binary labelmap"), {}
    for number in range(changes):
        middle = voxels.shape[0] // 2 + number
        voxels[middle][voxels[middle] == 1] = 0
        found[f"stroke {number + 1}"] = _change(widget, layer.Modified)
    del voxels, layer
    for name, work in _edits(widget, result):
        found[name] = _change(widget, work)
    from KidneySegWidgets.result.drawnResult import DrawnResult

    before = time.thread_time()
    DrawnResult.of(result).measured()
    alone = time.thread_time() - before
    slicer.mrmlScene.Clear(0)
    return found, alone


def _edits(widget: Any, result: Any) -> list[tuple[str, Callable[[], None]]]:
    """Returns what a reader does to the largest lesion, a click for a new one, and a whole kidney, by what it is."""
    from KidneySegWidgets.worklist.readerClick import ReaderClick

    findings, worklist = result.findings(), widget.worklist.worklist
    largest = max(findings.lesions, key=lambda each: each.measures.volume_ml)
    lesion, other = largest.id, "mass" if largest.structure == "cyst" else "cyst"
    place = np.array([findings.kidneys[0].measures.centroid_lps_mm]) * (-1, -1, 1)
    return [
        ("reject", lambda: worklist.reject(lesion)),
        ("restore", lambda: worklist.restore(lesion)),
        ("relabel", lambda: worklist.relabel(lesion, other)),
        ("undo", worklist.undo),
        ("add by click", lambda: worklist.click(ReaderClick(place, "mass", adds=True))),
        ("undo of it", worklist.undo),
        ("kidney", lambda: worklist.relabel("R", "mass")),
        ("kidney back", worklist.undo),
    ]


def _change(widget: Any, change: Callable[[], None]) -> MainThread:
    """Makes a change and lets the application work until it is measured."""
    import qt

    idle = _idle_round()
    started, busy, longest = time.perf_counter(), 0.0, 0.0

    def step(work: Any) -> None:
        nonlocal busy, longest
        took = _processor_time(work)
        busy, longest = busy + (took if took > idle else 0.0), max(longest, took)

    step(change)
    while widget.worklist.worklist.isAnswering or widget.correction.isStale:
        step(qt.QApplication.processEvents)
        time.sleep(0.01)
        if time.perf_counter() - started > 600:
            raise RuntimeError(widget.ui.correctionLabel.text)
    return MainThread(busy, longest, time.perf_counter() - started)


def _idle_round() -> float:
    """Returns processor seconds that a round of the event loop does not reach when nothing happens."""
    import qt

    rounds = []
    for _round in range(IDLE_ROUNDS):
        rounds.append(_processor_time(qt.QApplication.processEvents))
        time.sleep(0.01)
    return max(IDLE_S, IDLE_MARGIN * float(np.quantile(rounds, IDLE_SHARE)))


def _processor_time(work: Callable[[], Any]) -> float:
    before = time.thread_time()
    work()
    return time.thread_time() - before


def _result(widget: Any, slices: int) -> Any:
    """Returns a result of the sample's true labels, shown in the panel."""
    import slicer.util
    from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS, prepareVolume
    from KidneySegWidgets.result.resultImport import importResult

    from KidneySegLib.exam import Exam
    from KidneySegLib.findings import InputRecord, Provenance
    from KidneySegLib.measuring.instances import Segmentation
    from KidneySegLib.result_files.result import Result
    from KidneySegLib.sample.phantom import Scan, acquire, build_phantom
    from KidneySegLib.sample.tissues import Phase
    from KidneySegLib.tasks.ct import CT
    from KidneySegLib.volume import Volume

    thick = -(-slices // REPEATED)
    scan = Scan(thick, LENGTH_MM / thick)
    images, labels = zip(*acquire(build_phantom(Phase.NEPHROGRAPHIC, 0), scan, 0), strict=True)
    matrix = scan.ijk_to_lps
    matrix[2, 2] = LENGTH_MM / slices
    hu, drawn = (np.repeat(np.stack(planes), REPEATED, axis=0)[:slices] for planes in (images, labels))
    node = slicer.util.addVolumeFromArray(hu, ijkToRAS=RAS_TO_LPS @ matrix, name="ct")
    exam = Exam(Volume(hu, matrix))
    segmentation = Segmentation.of(exam.volume, exam.order.apply(drawn))
    provenance = Provenance(
        started_utc="2026-01-01T00:00:00+00:00",
        device="cpu",
        precision="float32",
        input=InputRecord.of(exam.stored, "nrrd"),
    )
    findings = CT().describe(exam, segmentation, None, provenance)
    with tempfile.TemporaryDirectory() as folder:
        Result(exam, segmentation, findings).write(Path(folder) / "result")
        result = importResult(Path(folder) / "result", prepareVolume(node), node)
    widget.logic.getParameterNode().result = result.segmentationNode
    return result


def _layer(result: Any) -> tuple[np.ndarray, Any]:
    """Returns the voxels (k, j, i) that all segments share, to be changed in place as Segment Editor does."""
    from vtk.util.numpy_support import vtk_to_numpy

    segmentation = result.segmentationNode.GetSegmentation()
    image = segmentation.GetNthSegment(0).GetRepresentation("Binary labelmap")
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1]), segmentation
