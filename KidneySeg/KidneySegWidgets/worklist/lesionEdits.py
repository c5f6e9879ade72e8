"""What a reader does to one lesion or stone as a whole: reject it, bring it back, make it another structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist.labelChange import LabelChange, drawnIn, gridVolume, partOfGrid


def rejecting(result: ResultNodes, finding: Any) -> LabelChange:
    """Returns the change that takes a finding out.

    Raises:
        InputError: it was changed since it was measured.
    """
    ensureEngine()
    from KidneySegLib.tasks.relabel import taken_out

    return _change(result, finding, lambda drawn, _network: taken_out(drawn, finding))


def restoring(result: ResultNodes, finding: Any) -> LabelChange:
    """Returns the change that draws a finding of the network's again.

    Raises:
        InputError: the network did not draw it there.
    """
    ensureEngine()
    from KidneySegLib.tasks.relabel import put_back

    return _change(result, finding, lambda drawn, network: put_back(drawn, network, finding))


def relabelling(result: ResultNodes, finding: Any, key: str) -> LabelChange:
    """Returns the change that makes a finding another structure; `kidney` is that of its side.

    Raises:
        InputError: it was changed since it was measured.
    """
    ensureEngine()
    from KidneySegLib.structures import BY_KEY, KIDNEYS
    from KidneySegLib.tasks.relabel import made

    structure = KIDNEYS[finding.side] if key == "kidney" else BY_KEY[key]
    return _change(result, finding, lambda drawn, _network: made(drawn, finding, structure))


def _change(result: ResultNodes, finding: Any, edit: Callable[[Any, Any], np.ndarray]) -> LabelChange:
    from KidneySegLib.tasks.relabel import around

    grid = gridVolume(result)
    box = around(grid, finding)
    start = tuple(part.start for part in box)
    before = drawnIn(result, start, tuple(part.stop - part.start for part in box))
    network = np.ascontiguousarray(grid.voxels[box]).astype(np.uint8)
    after = edit(partOfGrid(grid, box, before), partOfGrid(grid, box, network))
    return LabelChange(before, after, start)  # type: ignore[arg-type]
