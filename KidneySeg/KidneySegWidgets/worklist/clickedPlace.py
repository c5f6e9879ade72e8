"""Where a reader has clicked to add a lesion, and what was listed then: the row of the new one is told by it."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from KidneySegWidgets.exam.inputVolume import RAS_TO_LPS
from KidneySegWidgets.result.place import toExam
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.worklist.steps import newByClick


@dataclass(frozen=True)
class ClickedPlace:
    """A click.

    Attributes:
        point: in mm LPS of the world.
        before: the engine's Findings that were shown.
        chosen: identifier of the row that was chosen.
    """

    point: tuple[float, ...]
    before: Any
    chosen: str

    @classmethod
    def of(cls, result: ResultNodes | None, point: np.ndarray, chosen: str) -> ClickedPlace | None:
        """Takes a click at a point (3,) in mm RAS; None where nothing is listed that can be read."""
        with suppress(Exception):  # findings of another version; the section Result says so
            if result is not None:
                return cls(tuple(RAS_TO_LPS[:3, :3] @ toExam(result, point[None])[0]), result.findings(), chosen)
        return None

    def isStillListed(self, result: ResultNodes) -> bool:
        """Returns whether nothing else is listed yet than when it was clicked."""
        return bool(result.findings() is self.before)  # what was not changed is not read again

    def added(self, result: ResultNodes) -> str:
        """Returns the name of what came with the click: the new lesion or stone nearest to it; empty if none."""
        findings = result.findings()
        names = newByClick(self.before, findings)
        new = [each for each in (*findings.lesions, *findings.stones) if each.id in names]
        nearest = min(new, key=lambda each: math.dist(each.measures.centroid_lps_mm, self.point), default=None)
        return str(nearest.id) if nearest is not None else ""
