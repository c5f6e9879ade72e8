"""What a reader does to one lesion or kidney as a whole: rejects it, brings it back, makes it another structure."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from KidneySegWidgets.complaints import logError, reasonOf
from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.candidates import candidateMask
from KidneySegWidgets.result.labelParts import drawnPart, filledBox
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.translation import tr as _
from KidneySegWidgets.worklist.answering import Question
from KidneySegWidgets.worklist.labelChange import LabelChange, drawnIn, gridVolume, partOfGrid

Ask = Callable[[ResultNodes], Question]
_NEEDED = ("KidneySegLib.findings.at_once", "KidneySegLib.findings.marks", "KidneySegLib.tasks.relabel")


def loadForEdits() -> None:
    """Loads what edits need beside the main thread, so that the first edit need not."""

    def load() -> None:
        with suppress(Exception):  # whoever needs it says what is missing
            for name in _NEEDED:
                importlib.import_module(name)

    ensureEngine()
    threading.Thread(target=load, daemon=True).start()


def editFailure(error: BaseException) -> str:
    """Returns the sentence for an edit that could not be made; the log gets the error."""
    logError(error)
    return reasonOf(error)


def rejecting(finding: Any) -> Ask:
    """Asks for the change that takes a finding out; there is none if it was changed since it was measured."""
    ensureEngine()
    from KidneySegLib.tasks.relabel import taken_out

    return _asking(finding, lambda drawn, _network: taken_out(drawn, finding))


def restoring(finding: Any) -> Ask:
    """Asks for the change that draws a finding again as the network did."""
    ensureEngine()
    from KidneySegLib.tasks.relabel import put_back

    return _asking(finding, lambda drawn, network: put_back(drawn, network, finding))


def relabelling(finding: Any, key: str) -> Ask:
    """Asks for the change that makes a finding another structure; `kidney` is that of its side."""
    ensureEngine()
    from KidneySegLib.structures import BY_KEY, KIDNEYS
    from KidneySegLib.tasks.relabel import made

    structure = KIDNEYS[finding.side] if key == "kidney" else BY_KEY[key]
    return _asking(finding, lambda drawn, _network: made(drawn, finding, structure))


def relabellingKidney(kidney: Any, key: str) -> Ask:
    """Asks for the change that makes all that is drawn of a kidney a mass, cyst or stone."""

    def ask(result: ResultNodes) -> Question:
        ensureEngine()
        from KidneySegLib.structures import BY_KEY, KIDNEYS
        from KidneySegLib.tasks.relabel import kidney_made

        grid, drawn = gridVolume(result), drawnPart(result)

        def answer() -> LabelChange:
            voxels = drawn.voxels
            box = filledBox(voxels == KIDNEYS[kidney.side].label) or tuple(slice(0, 1) for _axis in range(3))
            before = np.ascontiguousarray(voxels[box])
            k, j, i = (first + part.start for first, part in zip(drawn.start, box, strict=True))
            place = tuple(slice(first, first + n) for first, n in zip((k, j, i), before.shape, strict=True))
            after = kidney_made(partOfGrid(grid, place, before), kidney, BY_KEY[key])
            return LabelChange(before, after, (k, j, i))

        return answer

    return ask


def takingOver(candidate: Any) -> Ask:
    """Asks for the change that draws a candidate, where nothing but kidney is drawn."""

    def ask(result: ResultNodes) -> Question:
        ensureEngine()
        from KidneySegLib.structures import BY_KEY, KIDNEYS

        part = candidateMask(result, candidate.id)
        if part is None:
            raise RuntimeError(_("The voxels of this candidate are gone. Segment the volume again."))
        before = drawnIn(result, part.start, part.voxels.shape)
        isFree = np.isin(before, [0, *(kidney.label for kidney in KIDNEYS.values())])
        after = np.where(part.voxels & isFree, np.uint8(BY_KEY[candidate.structure].label), before)
        return lambda: LabelChange(before, after, part.start)

    return ask


def _asking(finding: Any, edit: Callable[[Any, Any], np.ndarray]) -> Ask:
    def ask(result: ResultNodes) -> Question:
        from KidneySegLib.tasks.relabel import around

        grid = gridVolume(result)
        box = around(grid, finding)
        k, j, i = (part.start for part in box)
        before = drawnIn(result, (k, j, i), tuple(part.stop - part.start for part in box))
        network = np.ascontiguousarray(grid.voxels[box]).astype(np.uint8)
        places = [partOfGrid(grid, box, labels) for labels in (before, network)]
        return lambda: LabelChange(before, edit(*places), (k, j, i))

    return ask
