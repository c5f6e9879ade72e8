"""Slicer's base class of effects written in Python, as far as our own effect needs it."""

from __future__ import annotations

from typing import Any

import qt
import slicer


class AbstractScriptedSegmentEditorEffect:
    """Holds the C++ effect, registers it, and converts coordinates."""

    def __init__(self, scriptedEffect: Any) -> None:
        self.scriptedEffect = scriptedEffect

    def register(self) -> None:
        slicer.qSlicerSegmentEditorEffectFactory.instance().registerEffect(self.scriptedEffect)

    def xyToRas(self, xy: Any, viewWidget: Any) -> list[float]:
        ras = self.scriptedEffect.xyToRas(qt.QPoint(int(xy[0]), int(xy[1])), viewWidget)
        return [ras.x(), ras.y(), ras.z()]
